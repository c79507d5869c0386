"""The two faces of an arrival: what the comparison says, the pictures beside each other, and the guard's own look."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.data import photo
from components.feedback import chip, dialog
from components.text import t
from state.desk import DeskState
from state.desk_faces import DeskFacesState as Faces

SEEN = DeskState.faces


def _pictures() -> rx.Component:
    return rx.el.div(
        photo(
            rx.cond(SEEN.booked, t("face_desk.reference_booking"), t("face_desk.reference")), SEEN.reference
        ),
        photo(t("face_desk.live"), SEEN.live),
        class_name="face-pair",
    )


def _answers() -> rx.Component:
    return rx.el.div(
        button(t("face_desk.is_same"), grow=True, on_click=Faces.judge(True)),
        button(t("face_desk.is_other"), kind="danger", grow=True, on_click=Faces.judge(False)),
        class_name="row tight",
    )


def face_panel() -> rx.Component:
    """The line of a comparison, and the pictures where a person has to look; nothing without a picture to compare."""
    look = rx.fragment(
        _pictures(),
        _answers(),
        button(
            t("face_desk.enlarge"),
            kind="quiet",
            small=True,
            key="F11",
            on_click=DeskState.open_dialog("compare"),
        ),
    )
    return rx.cond(
        SEEN.told,
        rx.el.section(
            rx.el.p(SEEN.line, class_name="face-line " + SEEN.tone, role="status"),
            rx.cond(SEEN.show, look, rx.fragment()),
            class_name="face-panel",
            custom_attrs={"aria-label": t("face_desk.title")},
        ),
        rx.fragment(),
    )


def compare_dialog() -> rx.Component:
    """Both pictures, large, with the answers below."""
    body = rx.fragment(
        rx.el.div(chip(SEEN.line, SEEN.tone), class_name="row"),
        _pictures(),
        rx.el.p(
            rx.cond(SEEN.booked, t("face_desk.hint_booking"), t("face_desk.hint")), class_name="small muted"
        ),
        rx.el.div(
            button(t("face_desk.look_again"), icon_name="camera", small=True, on_click=Faces.look_again),
            rx.cond(
                SEEN.again,
                button(
                    t("face_desk.compare_again"),
                    icon_name="scan_face",
                    small=True,
                    on_click=Faces.compare_again,
                ),
                rx.fragment(),
            ),
            class_name="row wrap",
        ),
        _answers(),
    )
    return dialog(
        rx.cond(DeskState.dialog == "compare", rx.el.div(body, class_name="col"), rx.fragment()),
        id="dialog-compare",
        open=DeskState.dialog == "compare",
        title=t("face_desk.title"),
        close_label=t("common.close"),
        on_close=DeskState.close_dialog,
        wide=True,
        close_on_backdrop=False,
    )
