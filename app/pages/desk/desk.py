"""The guard desk at ``/desk``."""

from __future__ import annotations

import reflex as rx

from components.actions import button, icon_button, link_button
from components.camera import camera_picture
from components.client import clock, desk_keys, sounds
from components.desk import arrival, dialogs, faces, lists
from components.feedback import banner, chip, empty_state
from components.forms import search_field
from components.frame import bars, language_button, notices, sign_out_button
from components.kit import icon
from components.layout import auth_shell, color_mode_button, desk_shell
from components.text import t
from state.desk import KEYMAP, DeskState
from state.desk_tasks import DeskTasksState
from state.i18n import I18nState
from state.shell import ShellState


def _head() -> list[rx.Component]:
    return [
        rx.el.b(DeskState.lane_title, class_name="lane truncate"),
        chip(ShellState.user_name, icon_name="user_round"),
        clock(locale=I18nState.locale, time_zone=ShellState.time_zone, server_now=DeskState.server_now),
        icon_button("log_out", t("desk.leave_lane"), on_click=DeskState.leave_lane),
    ]


def _camera() -> rx.Component:
    picture = camera_picture(DeskState.camera, alt=t("camera.alt"), trouble=DeskState.camera_trouble)
    none = rx.el.div(empty_state(t("camera.none"), icon_name="camera_off"), class_name="card")
    return rx.cond(DeskState.camera != "", picture, none)


def _foot() -> list[rx.Component]:
    often = [
        rx.el.form(
            search_field(t("desk.search"), id="desk-search", name="query", key="F4"),
            on_submit=DeskTasksState.find,
            reset_on_submit=True,
            class_name="grow",
            role="search",
        ),
        button(t("desk.walk_in"), key="F3", on_click=DeskState.open_dialog("walk_in")),
        button(t("desk.exit"), key="F9", on_click=DeskState.open_dialog("exit")),
    ]
    seldom = [
        rx.cond(
            ShellState.demo,
            link_button(t("desk.demo_panel"), "/demo", icon_name="flask_conical", target="_blank"),
            rx.fragment(),
        ),
        rx.cond(
            DeskState.review_right,
            link_button(t("console.nav.cases"), "/console/cases", icon_name="folder_open"),
            rx.fragment(),
        ),
        link_button(t("desk.lane_code"), "/lane-code", icon_name="qr_code", target="_blank", full_load=True),
        button(t("desk.keys"), kind="quiet", key="?", on_click=DeskState.open_dialog("help")),
        language_button(),
        color_mode_button(t("common.color_mode")),
    ]
    return [rx.el.div(*often, class_name="foot-main"), rx.el.div(*seldom, class_name="foot-more")]


def _desk() -> rx.Component:
    sound_labels = {"volume": t("sound.volume"), "mute": t("sound.mute"), "unmute": t("sound.unmute")}
    return desk_shell(
        head=_head(),
        lights=[
            arrival.device_lights(),
            sounds(cue=DeskState.cue, nonce=DeskState.cue_nonce, labels=sound_labels, controls=True),
        ],
        left=[_camera(), arrival.last_read(), lists.registered(), lists.lane_queue()],
        arrival=[arrival.verdict(), arrival.body(), arrival.actions()],
        right=[lists.site_lists()],
        foot=_foot(),
        label=t("desk.arrival"),
        lights_label=t("desk.devices"),
        skip=t("common.skip"),
        bars=[
            *bars(),
            rx.cond(DeskState.clock_ok, rx.fragment(), banner("no", t("desk.clock_wrong"), role="alert")),
        ],
        extra=[
            *dialogs.all_dialogs(),
            faces.compare_dialog(),
            notices(),
            desk_keys(keymap=KEYMAP, on_action=DeskState.press, on_scan=DeskState.scan),
        ],
    )


def _choice() -> rx.Component:
    lanes = rx.foreach(
        DeskState.lanes,
        lambda row: button(
            row["title"],
            icon_name="door_open",
            big=True,
            block=True,
            on_click=DeskState.choose_lane(row["id"]),
        ),
    )
    return auth_shell(
        rx.el.p(t("desk.choose_lane_hint"), class_name="muted"),
        rx.el.div(lanes, class_name="col"),
        rx.cond(
            DeskState.lanes.length() == 0,
            empty_state(t("desk.no_lane"), icon_name="door_closed"),
            rx.fragment(),
        ),
        notices(),
        brand=ShellState.site_name,
        title=t("desk.choose_lane"),
        bars=bars(),
        foot=[rx.el.div(language_button(), sign_out_button(), class_name="row center")],
    )


def _ended() -> rx.Component:
    return auth_shell(
        rx.el.p(t("desk.ended_hint"), class_name="muted"),
        link_button(t("common.sign_in"), "/login", kind="primary", block=True, full_load=True),
        brand=ShellState.site_name,
        title=t("desk.ended"),
        bars=[icon("clock", 20)],
    )


def page() -> rx.Component:
    """The desk, or the choice of a lane before it."""
    return rx.cond(DeskState.ended, _ended(), rx.cond(DeskState.lane_id != "", _desk(), _choice()))
