"""What the operator's commands do, one module per theme; ``app.cli`` only reads the arguments."""
