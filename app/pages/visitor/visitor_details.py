"""The visitor's page at ``/pass/details``: what the visit still needs, and a picture of the face or none (BK-04, ID-06)."""

from __future__ import annotations

import reflex as rx

from app.domain.identity.numbers import DocumentKind
from app.domain.identity.rules import Age, Relation
from components.actions import button, link_button
from components.data import card, photo
from components.feedback import banner, empty_state
from components.forms import checkbox_field, form_error, segmented, select_field, text_field
from components.frame import language_button, notices
from components.layout import color_mode_button, demo_ribbon, phone_shell
from components.text import t, tf
from components.visitor_photo import photo_form
from state.i18n import I18nState
from state.visitor_details import VisitorDetailsState as State

PHOTO = "/api/visitor/photo"
MOST_MB = "8"


def _asked(name: str, control: rx.Component) -> rx.Component:
    return rx.cond(State.rules[name] != "", control, rx.fragment())


def _label(name: str) -> rx.Var:
    plain = t(f"visit.field.{name}")
    return rx.cond(State.rules[name] == "required", plain, tf("visit.optional", field=plain))


def _error(name: str) -> rx.Var:
    return rx.cond(State.error_field == name, State.form_error, "")


def _number() -> rx.Component:
    kept = State.values["document_number"]
    hint = rx.cond(kept, tf("visit.hint.document_kept", tail=kept), t("visit.hint.document_number"))
    return rx.fragment(
        select_field(
            t("visit.field.document_kind"),
            [(kind.value, t(f"document_kind.{kind}")) for kind in DocumentKind],
            id="document_kind",
            default_value="resident_id",
            error=_error("document_kind"),
        ),
        text_field(
            _label("document_number"),
            id="document_number",
            hint=hint,
            error=_error("document_number"),
            max_length=30,
            spell_check=False,
        ),
    )


def _details() -> rx.Component:
    form = rx.el.form(
        form_error(rx.cond(State.error_field == "", State.form_error, "")),
        _asked(
            "head_count",
            text_field(
                _label("head_count"),
                id="head_count",
                type="number",
                inputmode="numeric",
                min="1",
                max="50",
                default_value=State.values["head_count"],
                hint=t("visit.hint.head_count"),
                error=_error("head_count"),
            ),
        ),
        _asked(
            "company",
            text_field(
                _label("company"),
                id="company",
                autocomplete="organization",
                max_length=200,
                default_value=State.values["company"],
                error=_error("company"),
            ),
        ),
        _asked(
            "plate",
            text_field(
                _label("plate"),
                id="plate",
                max_length=20,
                default_value=State.values["plate"],
                hint=rx.cond(State.plate_note, State.plate_note, t("visit.hint.plate")),
                error=_error("plate"),
                on_blur=State.look_at_plate,
            ),
        ),
        _asked("document_number", _number()),
        _asked(
            "document_tail",
            text_field(
                _label("document_tail"),
                id="document_tail",
                max_length=4,
                default_value=State.values["document_tail"],
                hint=t("visit.hint.document_tail"),
                error=_error("document_tail"),
            ),
        ),
        rx.el.div(
            rx.cond(State.saved, banner("ok", t("visit.saved"), icon_name="circle_check"), rx.fragment()),
            role="status",
        ),
        button(t("visit.save"), kind="primary", big=True, block=True, type="submit"),
        on_submit=State.save,
        class_name="form",
        custom_attrs={"noValidate": True},
    )
    hint = rx.el.p(t("visit.details_hint"), class_name="small muted")
    nothing = rx.el.p(t("visit.nothing"))
    return card(rx.cond(State.asks, rx.fragment(hint, form), nothing), title=t("visit.details"))


def _choice(value: str, label: str) -> rx.Component:
    """One of two buttons alike in everything but their word."""
    return button(
        t(label),
        big=True,
        block=True,
        on_click=State.choose(value),
        custom_attrs={"aria-pressed": rx.cond(State.choice == value, "true", "false")},
    )


def _adding() -> rx.Component:
    guardian = rx.el.div(
        text_field(t("faces.guardian"), id="guardian", max_length=50),
        select_field(
            t("faces.guardian_relation"),
            [(one.value, t(f"faces.relation.{one}")) for one in Relation],
            id="guardian_relation",
            empty=t("faces.choose"),
        ),
        class_name="grid-2",
    )
    labels = {
        "file": t("visit.photo_file"),
        "hint": tf("visit.photo_file_hint", maximum=MOST_MB),
        "send": t("visit.photo_send"),
        "busy": t("visit.photo_sending"),
        "failed": t("visit.photo_failed"),
    }
    return photo_form(
        rx.el.div(
            State.notices[I18nState.locale],
            class_name="notice-text small visit-notice",
            custom_attrs={"tabIndex": 0, "role": "region", "aria-label": t("visit.photo_notice")},
        ),
        rx.el.input(type="hidden", name="notice", value=State.notice_version, read_only=True),
        rx.el.input(type="hidden", name="locale", value=I18nState.locale, read_only=True),
        segmented(
            t("faces.age"),
            [(age.value, t(f"faces.age.{age}")) for age in Age],
            id="age",
            on_change=State.declare_age,
        ),
        rx.cond(State.minor, guardian, rx.fragment()),
        checkbox_field(
            rx.cond(State.minor, t("visit.photo_agree_guardian"), t("visit.photo_agree")),
            id="agree",
            value="yes",
        ),
        action=PHOTO,
        labels=labels,
        on_done=State.added,
    )


def _stored() -> rx.Component:
    return rx.el.div(
        photo(t("visit.photo_own"), State.photo),
        rx.el.p(rx.cond(State.checked, t("visit.photo_checked"), t("visit.photo_by_eye"))),
        rx.el.p(t("visit.photo_until"), class_name="small muted"),
        button(
            t("visit.photo_withdraw"), kind="danger", block=True, icon_name="trash_2", on_click=State.withdraw
        ),
        class_name="col tight visit-photo",
    )


def _photo() -> rx.Component:
    choose = rx.el.div(
        rx.el.p(t("visit.photo_why"), class_name="small muted"),
        rx.el.div(
            _choice("none", "visit.photo_none"),
            _choice("photo", "visit.photo_add"),
            class_name="grid-2 visit-choice",
        ),
        rx.match(
            State.choice,
            ("none", banner("ok", t("visit.photo_none_done"), icon_name="circle_check")),
            ("photo", _adding()),
            rx.fragment(),
        ),
        class_name="col",
    )
    return rx.cond(
        State.photo != "",
        card(rx.cond(State.photo == "offered", choose, _stored()), title=t("visit.photo")),
        rx.fragment(),
    )


def _body() -> rx.Component:
    shown = rx.fragment(
        rx.cond(State.over, card(rx.el.p(t("visit.over"))), _details()),
        _photo(),
        link_button(t("visit.back"), "/pass", block=True),
    )
    closed = card(
        empty_state(t("visit.closed"), icon_name="link"), link_button(t("visit.back"), "/pass", block=True)
    )
    return rx.cond(State.answered, rx.cond(State.open, shown, closed), rx.fragment())


def page() -> rx.Component:
    """Details, then the picture, each on its own."""
    return phone_shell(
        _body(),
        rx.el.div(language_button(), color_mode_button(t("common.color_mode")), class_name="row center"),
        title=t("visit.title"),
        subtitle=State.site,
        back=("/pass", t("visit.back")),
        bars=[rx.cond(State.demo, demo_ribbon(t("common.demo")), rx.fragment())],
        extra=[notices()],
    )
