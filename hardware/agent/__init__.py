"""The program on a lane's own computer: runs its devices and hands over to the server what they read.

It makes connections outward only and imports nothing of the application; see docs/lane-agent.md.
"""

VERSION = "0.1.0"
