"""Types and small helpers shared by the components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import reflex as rx

Text: TypeAlias = "str | rx.Var[str]"
Child: TypeAlias = "rx.Component | rx.Var | str"
Flag: TypeAlias = "bool | rx.Var[bool]"
Tone: TypeAlias = Literal["ok", "wait", "eye", "no", "plain", "info"]
ToneLike: TypeAlias = "Tone | rx.Var[str]"

# The four meanings: each tone has one sign, the caller gives the word.
TONE_ICONS: dict[str, str] = {"ok": "check", "wait": "hourglass", "eye": "eye", "no": "hand", "info": "info"}
TONE_ICONS_LARGE: dict[str, str] = {**TONE_ICONS, "ok": "circle_check", "plain": "scan_line"}


def icon(name: str, size: int = 18, **props: Any) -> rx.Component:
    """Draw a decorative Lucide icon."""
    return rx.icon(name, size=size, custom_attrs={"aria-hidden": "true"}, **props)


def tone_icon(tone: ToneLike, size: int = 18, *, large: bool = False) -> rx.Component:
    """Draw the sign of a tone; nothing for a plain one unless large."""
    icons = TONE_ICONS_LARGE if large else TONE_ICONS
    if isinstance(tone, str):
        return icon(icons[tone], size) if tone in icons else rx.fragment()
    return rx.match(tone, *[(key, icon(name, size)) for key, name in icons.items()], rx.fragment())


def classes(*names: Text | None) -> Any:
    """Join class names, some of which may be Vars."""
    used = [name for name in names if name is not None and (isinstance(name, rx.Var) or name)]
    if all(isinstance(name, str) for name in used):
        return " ".join(used)
    joined: Any = used[0]
    for name in used[1:]:
        joined = f"{joined} {name}"
    return joined


def is_set(value: Any) -> bool:
    """Tell whether an optional text, child or Var was given."""
    return value is not None and (isinstance(value, (rx.Var, rx.Component)) or value != "")


def when(value: Text | None, shown: rx.Component) -> rx.Component:
    """Show a component if an optional text is given and, for a Var, not empty."""
    if not is_set(value):
        return rx.fragment()
    return rx.cond(value, shown, rx.fragment()) if isinstance(value, rx.Var) else shown


def flag_attr(value: Flag) -> Any:
    """Turn a flag into the text an aria attribute wants."""
    return rx.cond(value, "true", "false") if isinstance(value, rx.Var) else ("true" if value else "false")


def part(*children: Child | None) -> Sequence[Child]:
    """Drop the parts that were not given."""
    return [child for child in children if child is not None]
