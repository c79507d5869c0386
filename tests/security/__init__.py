"""Who may do what, asked of every door there is."""
