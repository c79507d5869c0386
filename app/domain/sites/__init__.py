"""Sites: buildings, areas, units, entrances, lanes, devices, and the policy that rules them."""
