"""Sheets that come out of the printer alone: badges on 58 mm and 80 mm rolls and A6 labels."""

from __future__ import annotations

from typing import Literal

import reflex as rx

from components.kit import Child, classes


def print_sheet(
    *children: Child, size: Literal["w58", "w80", "a6"] = "w58", preview: bool = False
) -> rx.Component:
    """Make a sheet that is hidden on screen, unless previewed, and is all that is printed."""
    return rx.el.div(*children, class_name=classes("print-sheet", size, "preview" if preview else ""))
