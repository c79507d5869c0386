"""What the operator's commands promise."""
