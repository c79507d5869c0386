"""The dialogs of the desk; each is a form that keeps what was typed until it is sent."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.data import queue
from components.desk.documents import document
from components.feedback import banner, chip, dialog, empty_state
from components.forms import checkbox_field, form_error, segmented, select_field, text_field, textarea_field
from components.kit import when
from components.text import t, tf
from state.desk import KEYMAP, DeskState
from state.desk_documents import DeskDocumentState as Documents
from state.desk_tasks import DeskTasksState as Tasks

PURPOSES = ("family", "party", "meeting", "repair", "delivery", "other")
TYPES = ("short_term", "guest", "service", "temporary_worker")


def _shell(name: str, title: rx.Var, *children: rx.Component, wide: bool = False) -> rx.Component:
    # A closed dialog holds no form: it starts empty each time it opens.
    return dialog(
        rx.cond(DeskState.dialog == name, rx.fragment(*children), rx.fragment()),
        id=f"dialog-{name}",
        open=DeskState.dialog == name,
        title=title,
        close_label=t("common.close"),
        on_close=DeskState.close_dialog,
        wide=wide,
        close_on_backdrop=False,
    )


def _error(field: str) -> rx.Var:
    return rx.cond(Tasks.error_field == field, Tasks.form_error, "")


def _by_rule(field: str, control: rx.Component) -> rx.Component:
    return rx.cond(Tasks.rules[field] == "off", rx.fragment(), control)


def walk_in() -> rx.Component:
    """Registering somebody without a booking; only the fields that the policy asks for."""
    form = rx.el.form(
        form_error(Tasks.form_error),
        rx.cond(
            Tasks.registered != "",
            banner("wait", tf("walk_in.registered", number=Tasks.registered), icon_name="smartphone"),
            rx.fragment(),
        ),
        select_field(
            t("walk_in.type"),
            [(kind, t(f"visitor_type.{kind}")) for kind in TYPES],
            id="visitor_type",
            value=Tasks.visitor_type,
            on_change=Tasks.choose_type,
        ),
        rx.el.div(
            text_field(
                t("walk_in.name"),
                id="name",
                required=True,
                error=_error("name"),
                auto_focus=True,
                max_length=60,
            ),
            text_field(t("walk_in.unit"), id="unit", required=True, list_id="units", error=_error("unit")),
            rx.el.datalist(rx.foreach(Tasks.units, lambda label: rx.el.option(value=label)), id="units"),
            _by_rule(
                "phone",
                text_field(
                    t("walk_in.phone"),
                    id="phone",
                    inputmode="tel",
                    required=Tasks.rules["phone"] == "required",
                    error=_error("phone"),
                ),
            ),
            _by_rule(
                "document_tail",
                text_field(
                    t("walk_in.document_tail"),
                    id="document_tail",
                    max_length=4,
                    hint=t("walk_in.document_hint"),
                    required=Tasks.rules["document_tail"] == "required",
                    error=_error("document_tail"),
                ),
            ),
            text_field(
                t("walk_in.head_count"),
                id="head_count",
                type="number",
                inputmode="numeric",
                default_value="1",
                min="1",
                max="50",
                error=_error("head_count"),
            ),
            _by_rule(
                "plate",
                text_field(
                    t("walk_in.plate"),
                    id="plate",
                    hint=Tasks.plate_note,
                    error=_error("plate"),
                    on_blur=Tasks.look_at_plate,
                ),
            ),
            _by_rule("company", text_field(t("walk_in.company"), id="company", error=_error("company"))),
            class_name="grid-2",
        ),
        _by_rule(
            "purpose",
            segmented(
                t("walk_in.purpose"),
                [(code, t(f"purpose.{code}")) for code in PURPOSES],
                id="purpose",
                default_value="family",
            ),
        ),
        rx.el.p(t("walk_in.notice"), class_name="small muted"),
        rx.el.div(
            button(t("document.enter"), icon_name="id_card", key="Shift+F2", on_click=Documents.begin),
            rx.cond(
                Tasks.registered != "",
                button(t("walk_in.turn_away"), kind="danger", on_click=Tasks.turn_away),
                rx.fragment(),
            ),
            button(t("common.cancel"), on_click=DeskState.close_dialog),
            button(t("walk_in.submit"), kind="primary", type="submit", icon_name="bell_ring"),
            class_name="modal-acts",
        ),
        on_submit=Tasks.register,
        class_name="form",
    )
    return _shell("walk_in", t("walk_in.title"), form, wide=True)


def call() -> rx.Component:
    """What the household said by telephone: who, how, and the answer."""
    people = rx.foreach(DeskState.arrival.household, lambda row: rx.el.option(row["name"], value=row["id"]))
    form = rx.el.form(
        form_error(Tasks.form_error),
        rx.el.div(
            rx.el.label(t("call.who"), html_for="who"),
            rx.el.select(people, id="who", name="who", class_name="input", required=True),
            class_name="field",
        ),
        segmented(
            t("call.channel"),
            [(code, t(f"channel.{code}")) for code in ("phone", "intercom", "in_person")],
            id="channel",
            default_value="phone",
        ),
        segmented(
            t("call.answer"), [("yes", t("call.yes")), ("no", t("call.no"))], id="answer", required=True
        ),
        rx.el.div(
            button(t("common.cancel"), on_click=DeskState.close_dialog),
            button(t("call.submit"), kind="primary", type="submit"),
            class_name="modal-acts",
        ),
        on_submit=Tasks.record_call,
        class_name="form",
    )
    return _shell("call", t("call.title"), form)


def refuse() -> rx.Component:
    """Turning somebody away, with a note for the ledger."""
    form = rx.el.form(
        rx.el.p(t("refuse.explain"), class_name="muted"),
        textarea_field(t("refuse.note"), id="note", rows=2, max_length=200),
        rx.el.div(
            button(t("common.cancel"), on_click=DeskState.close_dialog),
            button(t("refuse.submit"), kind="danger solid", type="submit"),
            class_name="modal-acts",
        ),
        on_submit=Tasks.refuse,
        class_name="form",
    )
    return _shell("refuse", t("refuse.title"), form)


def review() -> rx.Component:
    """A supervisor overrules a doubt; a guard reads who can."""
    form = rx.el.form(
        form_error(Tasks.form_error),
        rx.el.p(DeskState.arrival.detail),
        textarea_field(t("review.note"), id="note", rows=2, required=True, max_length=200),
        rx.el.div(
            button(t("common.cancel"), on_click=DeskState.close_dialog),
            button(t("review.submit"), kind="primary", type="submit"),
            class_name="modal-acts",
        ),
        on_submit=Tasks.overrule,
        class_name="form",
    )
    only = rx.el.p(t("review.supervisor_only"))
    return _shell("review", t("review.title"), rx.cond(DeskState.review_right, form, only))


def _results(empty: rx.Component) -> rx.Component:
    def trail(row: rx.Var) -> rx.Component:
        leave = rx.fragment(
            button(t("exit.leave"), small=True, kind="primary", on_click=Tasks.pick("visit", row["id"])),
            button(
                t("exit.lost"), small=True, kind="quiet", on_click=Tasks.begin_lost(row["id"], row["title"])
            ),
        )
        arrive = button(
            t("find.arrive"), small=True, kind="primary", on_click=Tasks.pick("booking", row["id"])
        )
        return rx.el.span(rx.cond(row["kind"] == "visit", leave, arrive), class_name="row tight")

    rows = queue(
        Tasks.results,
        time=lambda row: row["time"],
        title=lambda row: row["title"],
        detail=lambda row: row["detail"],
        tag=lambda row: when(row["tag"], chip(row["tag"], row["tone"])),
        trail=trail,
        row_key=lambda row: row["id"],
        label=t("find.results"),
    )
    return rx.cond(Tasks.results.length() > 0, rows, empty)


def lost_form() -> rx.Component:
    """A lost pass: identity again, the reason, the fee."""
    return rx.el.form(
        form_error(Tasks.form_error),
        rx.el.h3(Tasks.lost_name),
        checkbox_field(t("lost.identity"), id="identity_seen"),
        textarea_field(t("lost.reason"), id="reason", rows=2, required=True, max_length=200),
        checkbox_field(tf("lost.paid", fee=Tasks.fee), id="paid", hint=t("lost.fee_hint")),
        rx.el.div(
            button(t("common.cancel"), on_click=DeskState.close_dialog),
            button(t("lost.submit"), kind="primary", type="submit"),
            class_name="modal-acts",
        ),
        on_submit=Tasks.lose,
        class_name="form",
    )


def exit_() -> rx.Component:
    """Letting somebody out whose pass cannot be scanned."""
    none = empty_state(t("desk.inside_none"), icon_name="users")
    found = rx.fragment(rx.el.p(t("exit.hint"), class_name="muted"), _results(none))
    return _shell("exit", t("exit.title"), rx.cond(Tasks.lost_visit != "", lost_form(), found), wide=True)


def found() -> rx.Component:
    """What a search brought."""
    register = button(
        t("walk_in.title"), icon_name="user_round_plus", on_click=DeskState.open_dialog("walk_in")
    )
    none = empty_state(t("find.none"), t("find.none_hint"), icon_name="search_x", action=register)
    shown = rx.cond(Tasks.lost_visit != "", lost_form(), _results(none))
    return _shell("found", t("find.title"), shown, wide=True)


def help_() -> rx.Component:
    """All keys of the desk."""
    rows = [
        rx.fragment(
            rx.el.dt(rx.el.kbd(key if key != "Escape" else "Esc", class_name="key")),
            rx.el.dd(t(f"key.{name}")),
        )
        for key, name in KEYMAP.items()
    ]
    return _shell("help", t("help.title"), rx.el.dl(*rows, class_name="dl"))


def all_dialogs() -> list[rx.Component]:
    """Every dialog, closed."""
    return [walk_in(), call(), refuse(), review(), exit_(), found(), help_(), document()]
