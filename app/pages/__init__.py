"""One module per page; the registry lists them all."""
