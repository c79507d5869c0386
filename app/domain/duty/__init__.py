"""Who stands at which lane."""
