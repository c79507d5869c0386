"""The dialog in which a document is typed, pasted or scanned; it may stand above the form of a walk-in."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.feedback import chip, dialog
from components.forms import checkbox_field, form_error, segmented, select_field, text_field, textarea_field
from components.text import t
from state.desk import DeskState
from state.desk_documents import DeskDocumentState as State

KINDS = (
    "resident_id",
    "hmt_residence_permit",
    "foreign_permanent_resident",
    "home_return_permit",
    "taiwan_travel_permit",
    "chinese_passport",
    "foreign_passport",
)
# Long enough for whoever types; a hint that blinks at each key helps nobody.
PAUSE_MS = 250


def _hints(words: rx.Var, id: str) -> rx.Component:
    shown = rx.foreach(words, lambda row: chip(row["text"], row["tone"]))
    return rx.el.div(shown, class_name="row tight wrap hints", role="status", id=id)


def _zone() -> rx.Component:
    return rx.fragment(
        rx.el.div(
            textarea_field(
                t("document.zone"),
                id="zone",
                hint=t("document.zone_hint"),
                required=True,
                max_length=400,
                spell_check=False,
                on_change=State.check_zone.debounce(PAUSE_MS),
            ),
            class_name="zone",
        ),
        _hints(State.words, "zone-hints"),
    )


def _typed() -> rx.Component:
    return rx.fragment(
        select_field(
            t("document.kind"),
            [(kind, t(f"document_kind.{kind}")) for kind in KINDS],
            id="document_kind",
            value=State.kind,
            on_change=State.choose_kind,
        ),
        text_field(t("document.name"), id="document_name", required=True, max_length=60),
        rx.el.div(
            rx.el.div(
                text_field(
                    t("document.number"),
                    id="document_number",
                    hint=t("document.number_hint"),
                    required=True,
                    max_length=30,
                    on_change=State.check_number.debounce(PAUSE_MS),
                ),
                _hints(State.number_words, "number-hints"),
            ),
            rx.el.div(
                text_field(
                    t("document.valid_to"),
                    id="valid_to",
                    hint=t("document.valid_hint"),
                    required=True,
                    max_length=20,
                    on_change=State.check_valid.debounce(PAUSE_MS),
                ),
                _hints(State.valid_words, "valid-hints"),
            ),
            class_name="grid-2",
        ),
    )


def document() -> rx.Component:
    """Zone or fields, hints while typing, and the tick that is asked for where something is odd."""
    form = rx.el.form(
        form_error(State.form_error),
        rx.el.p(t("document.hint"), class_name="muted"),
        segmented(
            t("document.mode"),
            [("zone", t("document.mode_zone")), ("typed", t("document.mode_typed"))],
            id="document_mode",
            value=State.mode,
            on_change=State.choose_mode,
            label_hidden=True,
        ),
        rx.cond(State.mode == "zone", _zone(), _typed()),
        rx.cond(State.asks, checkbox_field(t("document.confirm"), id="confirmed"), rx.fragment()),
        rx.el.div(
            button(t("common.cancel"), on_click=State.close),
            button(
                rx.cond(DeskState.dialog == "walk_in", t("document.submit_fill"), t("document.submit")),
                kind="primary",
                type="submit",
                icon_name="id_card",
            ),
            class_name="modal-acts",
        ),
        on_submit=State.submit,
        class_name="form",
    )
    return dialog(
        rx.cond(State.open, form, rx.fragment()),
        id="dialog-document",
        open=State.open,
        title=t("document.title"),
        close_label=t("common.close"),
        on_close=State.close,
        wide=True,
        close_on_backdrop=False,
    )
