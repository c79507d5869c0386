"""The design system: pure functions that return Reflex components; no state, no user text.

Every word shown to a person comes in as a parameter; callers use :func:`components.text.t`.
"""
