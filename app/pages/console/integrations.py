"""Other systems at ``/console/integrations``: their keys, who is told what, and visits left without a host."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import link_button
from components.console.frame import console_page
from components.console.integrations import keys_dialogs, keys_list, orphans_list
from components.console.webhooks import webhooks_dialogs, webhooks_list
from components.text import t
from state.console_integrations import IntegrationsState as State

DOCS = "/api/v1/docs"


def page() -> rx.Component:
    """Keys and webhooks of the site, with the way to the description of the API."""
    return console_page(
        rx.el.p(t("integrations.lead"), class_name="muted"),
        orphans_list(),
        keys_list(),
        webhooks_list(),
        title=t("console.title.integrations"),
        actions=[link_button(t("integrations.docs"), DOCS, icon_name="book_open_text", full_load=True)],
        rights=(Right.INTEGRATION_EDIT,),
        loaded=State.loaded,
        ended=State.ended,
        extra=[keys_dialogs(), webhooks_dialogs()],
    )
