"""Vehicles: licence plates and what can be known from them."""
