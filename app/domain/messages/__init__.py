"""Messages to people outside the desk: what is said, to whom, in which words, and when."""
