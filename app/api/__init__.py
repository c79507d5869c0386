"""HTTP routes beside the pages: sessions, pictures, the lane's check-in, the visitor's link, health."""
