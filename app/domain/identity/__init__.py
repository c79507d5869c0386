"""Identity: documents that people show, their numbers and their machine-readable zones."""
