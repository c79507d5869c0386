"""The middle of the desk: the verdict, the person, what was presented, and what can be done."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.client import elapsed
from components.data import photo, timeline
from components.desk.faces import face_panel
from components.feedback import chip, empty_state, verdict_banner
from components.kit import Child, icon, when
from components.layout import arrival_actions, arrival_body
from components.text import t
from state.desk import DeskState
from state.desk_documents import DeskDocumentState
from state.desk_tasks import DeskTasksState

SEEN = DeskState.arrival


def verdict() -> rx.Component:
    """The verdict in the largest type, with the time since the arrival."""
    waited = elapsed(start=SEEN.since, server_now=DeskState.server_now)
    shown = verdict_banner(SEEN.tone, SEEN.title, SEEN.detail, aside_label=t("desk.since"), aside=waited)
    done = verdict_banner("ok", DeskState.done, t("desk.done_hint"))
    idle = verdict_banner("plain", t("desk.idle"), t("desk.idle_hint"))
    return rx.cond(SEEN.id != "", shown, rx.cond(DeskState.done != "", done, idle))


def body() -> rx.Component:
    """Facts, evidence, pictures and the course of the arrival."""
    facts: list[Child] = [
        when(
            SEEN.name,
            rx.el.div(rx.el.span(SEEN.name, class_name="name"), chip(SEEN.tag), class_name="row tight wrap"),
        ),
        rx.el.dl(
            rx.foreach(SEEN.facts, lambda row: rx.fragment(rx.el.dt(row["term"]), rx.el.dd(row["value"]))),
            class_name="dl",
        ),
    ]
    faces: list[Child] = [
        when(SEEN.snapshot, photo(t("desk.snapshot"), SEEN.snapshot, scene=True)),
        face_panel(),
    ]
    evidence: list[Child] = [
        rx.foreach(SEEN.chips, lambda row: chip(row["text"], row["tone"])),
        when(SEEN.consent_text, consent_chip()),
        when(SEEN.case, chip(SEEN.case, "eye", icon_name="folder_open")),
    ]
    person = arrival_body(
        facts,
        faces,
        checks=checks(),
        evidence=evidence,
        trail_title=t("desk.trail"),
        trail=timeline(SEEN.trail, label=t("desk.trail")),
    )
    return rx.cond(
        SEEN.id != "", person, empty_state(t("desk.nobody"), t("desk.nobody_hint"), icon_name="door_open")
    )


def consent_chip() -> rx.Component:
    """Where the host's answer stands, with the seconds while it is awaited."""
    tone = rx.match(SEEN.consent, ("agreed", "ok"), ("declined", "no"), ("timed_out", "eye"), "wait")
    return rx.el.span(
        chip(SEEN.consent_text, tone),
        rx.cond(
            SEEN.asked_since > 0,
            rx.el.b(elapsed(start=SEEN.asked_since, server_now=DeskState.server_now)),
            rx.fragment(),
        ),
        class_name="row tight",
    )


def checks() -> rx.Component:
    """What the guard confirms with own eyes."""
    document = rx.cond(
        SEEN.document_seen,
        rx.fragment(),
        rx.fragment(
            button(t("desk.see_document"), icon_name="id_card", key="F2", on_click=DeskState.see_document),
            button(t("desk.see_abnormal"), kind="quiet", on_click=DeskState.see_abnormal),
        ),
    )
    enter = button(
        t("document.enter"),
        kind="quiet",
        icon_name="scan_text",
        key="Shift+F2",
        on_click=DeskDocumentState.begin,
    )
    permit = rx.cond(
        SEEN.needs_permit,
        button(t("desk.see_permit"), icon_name="badge_check", on_click=DeskState.see_permit),
        rx.fragment(),
    )
    ask = rx.cond(
        SEEN.walk_in,
        rx.fragment(
            rx.cond(
                (SEEN.consent == "timed_out") | (SEEN.consent == ""),
                button(t("desk.ask_host"), icon_name="bell_ring", on_click=DeskTasksState.ask_again),
                rx.fragment(),
            ),
            rx.cond(
                (SEEN.consent == "asked") | (SEEN.consent == "timed_out"),
                button(
                    t("desk.call_host"), icon_name="phone", key="F10", on_click=DeskState.open_dialog("call")
                ),
                rx.fragment(),
            ),
        ),
        rx.fragment(),
    )
    return rx.el.div(
        rx.cond(SEEN.leaving, rx.fragment(), rx.fragment(document, enter, permit)),
        ask,
        class_name="row wrap tight checks",
    )


def actions() -> rx.Component:
    """One primary action with its key, the others beside it."""
    can = SEEN.outcome == "admit"
    lead = rx.cond(
        can,
        button(
            rx.cond(SEEN.leaving, t("desk.let_out"), t("desk.admit")),
            kind="admit",
            key="Enter",
            big=True,
            class_name="lead",
            on_click=DeskState.admit,
        ),
        button(t("desk.not_yet"), kind="plain", big=True, disabled=True, class_name="lead"),
    )
    others = [
        rx.cond(
            (SEEN.outcome == "review") & DeskState.review_right & ~SEEN.leaving,
            button(t("desk.overrule"), key="F6", on_click=DeskState.open_dialog("review")),
            rx.fragment(),
        ),
        button(t("desk.refuse"), kind="danger", key="F7", on_click=DeskState.open_dialog("refuse")),
        button(t("desk.set_aside"), kind="quiet", key="Esc", on_click=DeskState.set_aside),
    ]
    after = arrival_actions(
        rx.cond(DeskState.done_visit != "", badge_actions(), rx.fragment()),
    )
    return rx.cond(
        SEEN.id != "", arrival_actions(lead, *others), rx.cond(DeskState.done != "", after, rx.fragment())
    )


def badge_actions() -> rx.Component:
    """The badge of whoever was let in: at the lane's printer where there is one, or by the browser."""
    again = DeskState.print_words != ""
    return rx.fragment(
        button(
            rx.cond(again & (DeskState.printer != ""), t("desk.print_again"), t("desk.print_badge")),
            icon_name="printer",
            key="F8",
            on_click=DeskState.badge,
        ),
        rx.cond(
            DeskState.printer != "",
            button(t("desk.print_browser"), kind="quiet", on_click=DeskState.badge_in_browser),
            rx.fragment(),
        ),
        when(
            DeskState.print_words,
            rx.el.div(
                chip(DeskState.print_words, DeskState.print_tone),
                role="status",
                style={"alignSelf": "center"},
            ),
        ),
    )


def device_lights() -> rx.Component:
    """The lane's devices."""
    return rx.foreach(
        DeskState.lights,
        lambda row: rx.el.span(
            rx.el.span(row["name"]),
            when(row["word"], rx.el.span(row["word"])),
            class_name="lamp " + row["lamp"],
            title=row["hint"],
        ),
    )


def last_read() -> rx.Component:
    """What was read last."""
    return rx.el.section(
        rx.el.div(
            icon("scan_line"),
            rx.el.b(t("desk.last_read"), class_name="grow"),
            rx.cond(
                DeskState.last_at > 0,
                rx.el.span(
                    elapsed(start=DeskState.last_at, server_now=DeskState.server_now),
                    class_name="small faint",
                ),
                rx.fragment(),
            ),
            class_name="row",
        ),
        rx.cond(
            DeskState.last_words != "",
            rx.fragment(
                rx.el.p(DeskState.last_words), rx.el.p(DeskState.last_status, class_name="small muted")
            ),
            rx.el.p(t("desk.nothing_read"), class_name="small muted"),
        ),
        class_name="card pad",
    )
