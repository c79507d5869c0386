"""Pages: visitor."""
