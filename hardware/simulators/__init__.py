"""Stand-ins for real devices, which the real drivers run against for demos and tests."""
