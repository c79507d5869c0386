"""Passes, codes and cards: what a person shows at the gate."""
