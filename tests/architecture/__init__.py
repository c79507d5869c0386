"""The house rules that a reader of the code may rely on, kept by reading the code."""
