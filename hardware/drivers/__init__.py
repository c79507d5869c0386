"""One file per device protocol; vendor libraries are imported here only, and only when a driver runs."""
