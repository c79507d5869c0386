"""The parts of the guard desk."""
