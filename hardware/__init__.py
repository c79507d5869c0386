"""The devices of a gate: what they are, how they are kept running, and simulators that speak their protocols."""
