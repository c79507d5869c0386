"""Drivers against real protocols: pcscd, RTSP, MJPEG and files, with stand-ins for what has no plug here."""
