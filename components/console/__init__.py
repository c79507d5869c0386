"""Parts of the manager console."""
