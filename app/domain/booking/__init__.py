"""Bookings: who is expected, when, where, and by which link the visitor learns of it."""
