"""The outside world, one file per channel, each behind a shape that the core defines."""
