"""The dialogs of an enrolment: whom, the notice and the consent, the picture."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import button
from components.camera import camera_picture
from components.console.frame import only
from components.console.listing import state_dialog
from components.console.parts import form_acts
from components.feedback import banner, empty_state
from components.forms import checkbox_field, form_error, search_field, segmented, select_field, text_field
from components.kit import when
from components.text import t, tf
from state.console_face_enrol import FaceEnrolState as State


def _pick() -> rx.Component:
    rows = rx.el.ul(
        rx.foreach(
            State.candidates,
            lambda row: rx.el.li(
                rx.el.div(
                    rx.el.b(row["name"]), rx.el.div(row["unit"], class_name="small muted"), class_name="grow"
                ),
                button(t("faces.pick"), small=True, on_click=State.choose(row["id"])),
                class_name="row",
                key=row["id"],
            ),
        ),
        class_name="rows plain-list",
    )
    nothing = empty_state(t("faces.no_holder"), t("faces.no_holder_hint"), icon_name="id_card")
    return state_dialog(
        State,
        "pick",
        t("faces.enrol"),
        rx.el.p(t("faces.pick_hint"), class_name="muted"),
        rx.el.form(search_field(t("faces.holder_search"), id="holder"), on_submit=State.find, role="search"),
        rx.cond(State.candidates.length() > 0, rows, nothing),
        prefix="faces",
    )


def _consent() -> rx.Component:
    guardian = rx.el.div(
        text_field(t("faces.guardian"), id="guardian", required=True, max_length=50),
        select_field(
            t("faces.guardian_relation"),
            State.relations,
            id="guardian_relation",
            required=True,
            empty=t("faces.choose"),
        ),
        class_name="grid-2",
    )
    form = rx.el.form(
        form_error(State.form_error),
        rx.el.p(tf("faces.read_to", name=State.name)),
        rx.el.div(
            State.notice,
            id="faces-notice",
            class_name="notice-text card pad",
            custom_attrs={"tabIndex": 0, "role": "region", "aria-label": t("faces.notice_title")},
        ),
        segmented(t("faces.age"), State.ages, id="age", on_change=State.declare_age, required=True),
        rx.cond(State.minor, guardian, rx.fragment()),
        checkbox_field(
            rx.cond(State.minor, t("faces.guardian_agrees"), t("faces.person_agrees")), id="agreed"
        ),
        form_acts(t("faces.record_consent"), State.close),
        on_submit=State.agree,
        class_name="form",
    )
    return state_dialog(
        State,
        "consent",
        t("faces.consent_title"),
        rx.cond(State.dialog == "consent", form, rx.fragment()),
        prefix="faces",
        wide=True,
    )


def _capture() -> rx.Component:
    picture = only(Right.CAMERA_VIEW, camera_picture(State.camera, alt=t("camera.alt"), trouble=""))
    body = rx.el.div(
        rx.el.p(tf("faces.capture_hint", name=State.name), class_name="muted"),
        select_field(
            t("faces.camera"),
            State.cameras,
            id="faces-camera",
            value=State.camera,
            on_change=State.choose_camera,
        ),
        picture,
        when(State.fault, banner("wait", State.fault, icon_name="triangle_alert")),
        rx.el.div(
            button(t("console.cancel"), on_click=State.close),
            button(
                t("faces.shoot"), kind="primary", icon_name="camera", busy=State.busy, on_click=State.shoot
            ),
            class_name="modal-acts",
        ),
        class_name="col",
    )
    none = empty_state(t("camera.none"), t("faces.no_camera_hint"), icon_name="camera_off")
    return state_dialog(
        State,
        "capture",
        t("faces.capture_title"),
        rx.cond(State.dialog == "capture", rx.cond(State.camera, body, none), rx.fragment()),
        prefix="faces",
        wide=True,
    )


def enrol_dialogs() -> list[rx.Component]:
    """All of them, closed."""
    return [_pick(), _consent(), _capture()]
