"""Ways to people outside: mail, text messages, group robots, and a file where nothing is set up."""
