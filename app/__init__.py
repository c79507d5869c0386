"""Gatehouse: the system that runs the gate of a building or a community."""
