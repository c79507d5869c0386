"""What runs: the hub between devices and desks, the sweeps, the start and the stop."""
