"""A live picture with its words: what state it is in, what is marked in it, what is wrong with it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from components.client import live_camera
from components.kit import Text
from components.text import t

STATES = ("connecting", "live", "lost", "paused", "trouble")
MARKS = ("face", "code", "plate")


def camera_picture(device_id: rx.Var, *, alt: Text, trouble: rx.Var, **events: Any) -> rx.Component:
    """Show a camera; `trouble` says over the picture why it is not to be trusted, empty when it is."""
    return live_camera(
        src=f"/api/cameras/{device_id}/stream",
        alt=alt,
        trouble=trouble,
        labels={state: t(f"camera.{state}") for state in STATES},
        mark_labels={kind: t(f"camera.mark.{kind}") for kind in MARKS},
        **events,
    )
