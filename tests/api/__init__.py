"""The routes as any program on the network can call them."""
