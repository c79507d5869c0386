"""The product as its users meet it: a real server, real browsers, emulated devices."""
