"""One's own face on one's own page: since when, until when, and one tap that ends it (L-3, ID-06)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from components.actions import button
from components.data import card
from components.text import t


def own_face_card(face: rx.Var, withdraw: Any) -> rx.Component:
    """The card; nothing where no consent stands. ``face`` has ``id`` and ``line``."""
    return rx.cond(
        face["id"],
        card(
            rx.el.div(
                rx.el.p(face["line"]),
                rx.el.p(t("faces.own_hint"), class_name="small muted"),
                button(
                    t("faces.own_withdraw"),
                    kind="danger",
                    block=True,
                    icon_name="trash_2",
                    on_click=withdraw,
                ),
                class_name="col tight",
            ),
            title=t("faces.own_title"),
        ),
        rx.fragment(),
    )
