"""Lanes and devices at ``/console/devices``."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import button, icon_button
from components.camera import camera_picture
from components.console.agents import agents_dialogs, agents_list
from components.console.device_form import device_form, lane_form
from components.console.faults import faults_list
from components.console.frame import console_page, only
from components.console.lane_keys import lane_keys_dialog
from components.console.listing import listing
from components.console.parts import confirm, facts, stacked
from components.feedback import chip, dialog, empty_state
from components.kit import Child, icon
from components.tables import Column
from components.text import t, tf
from state.console_devices import DevicesState as State
from state.console_lane_keys import LaneKeysState


def _cells(row: rx.Var) -> list[Child]:
    switch = rx.cond(
        row["enabled"],
        button(
            t("console.devices.switch_off"), small=True, kind="quiet", on_click=State.toggle(row["id"], False)
        ),
        button(t("console.devices.switch_on"), small=True, on_click=State.toggle(row["id"], True)),
    )
    look = rx.cond(
        row["camera"],
        only(
            Right.CAMERA_VIEW,
            button(
                t("console.devices.preview"), icon_name="video", small=True, on_click=State.preview(row["id"])
            ),
        ),
        rx.fragment(),
    )
    edit = rx.fragment(
        switch,
        icon_button("pencil", t("console.devices.edit"), small=True, on_click=State.edit(row["id"])),
        icon_button("trash_2", t("console.devices.delete"), small=True, on_click=State.ask_delete(row["id"])),
    )
    return [
        stacked(rx.el.b(row["name"]), row["kind"]),
        stacked(chip(row["word"], row["tone"]), row["detail"]),
        row["since"],
        rx.el.div(
            look,
            only(Right.DEVICE_EDIT, edit),
            class_name="row tight wrap",
            style={"justifyContent": "flex-end"},
        ),
    ]


def _lane(lane: rx.Var) -> rx.Component:
    none = rx.el.p(t("console.devices.none_here"), class_name="muted card-body")
    add = only(
        Right.DEVICE_EDIT,
        button(t("console.devices.add"), icon_name="plus", small=True, on_click=State.add(lane.id)),
    )
    head = rx.el.div(
        rx.el.h2(lane.title, class_name="h3"), rx.el.div(lane.direction, class_name="small muted")
    )
    columns = [
        Column(t("console.devices.device")),
        Column(t("console.column.status")),
        Column(t("console.devices.since")),
        Column(t("console.devices.action"), hidden_label=True),
    ]
    computers = rx.el.div(
        icon("monitor", 16),
        rx.el.span(t("lane_keys.title"), class_name="small"),
        rx.el.span(lane.computers, class_name="small muted grow"),
        button(t("lane_keys.manage"), kind="quiet", small=True, on_click=LaneKeysState.open(lane.id)),
        class_name="pager",
    )
    return listing(
        columns,
        lane.devices,
        _cells,
        only(Right.DEVICE_EDIT, computers),
        caption=lane.title,
        empty=none,
        title=head,
        aside=add,
        key=lane.id,
    )


def _camera() -> rx.Component:
    picture = camera_picture(State.camera, alt=State.device_name, trouble=State.trouble, on_pulse=State.count)
    figures = rx.el.section(
        rx.el.h3(t("camera.figures"), class_name="small muted"), facts(State.figures), class_name="col tight"
    )
    return dialog(
        rx.cond(State.camera, rx.el.div(picture, figures, class_name="looked-at"), rx.fragment()),
        id="camera",
        open=State.dialog == "camera",
        title=State.device_name,
        close_label=t("common.close"),
        on_close=State.close,
        wide=True,
    )


def page() -> rx.Component:
    """Every lane with its devices and how they are right now."""
    nothing = rx.el.div(
        empty_state(t("console.devices.no_lanes"), t("console.devices.no_lanes_hint"), icon_name="signpost"),
        class_name="card",
    )
    gone = confirm(
        id="delete",
        open=State.dialog == "delete",
        title=t("console.devices.delete"),
        words=tf("console.devices.delete_words", name=State.device_name),
        act=t("console.devices.delete"),
        on_act=State.delete,
        on_close=State.close,
    )
    add_lane = only(
        Right.SITE_EDIT, button(t("console.devices.add_lane"), icon_name="plus", on_click=State.add_lane)
    )
    return console_page(
        rx.cond(State.lanes.length() > 0, rx.foreach(State.lanes, _lane), nothing),
        faults_list(),
        agents_list(),
        title=t("console.devices.title"),
        actions=[add_lane],
        rights=(Right.DEVICE_VIEW,),
        loaded=State.loaded,
        ended=State.ended,
        extra=[device_form(), lane_form(), lane_keys_dialog(), agents_dialogs(), gone, _camera()],
    )
