"""Words of the interface by key, from the catalogue of the reader's language."""

from __future__ import annotations

from typing import Any

import reflex as rx

from state.i18n import I18nState


def t(key: str) -> rx.Var:
    """Give the text of a key in the reader's language."""
    return I18nState.t[key]


def tf(key: str, **values: Any) -> rx.Var:
    """Give the text of a key with ``{name}`` parts filled in, in the browser."""
    text = I18nState.t[key].to(str)
    for name, value in values.items():
        # Not `to_string`: that makes nothing of a nought. The browser turns a number into its digits by itself.
        shown = value.to(str) if isinstance(value, rx.Var) else str(value)
        text = text.replace(f"{{{name}}}", shown)
    return text
