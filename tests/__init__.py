"""The tests: architecture first, then the layers from the lowest up, browsers last."""
