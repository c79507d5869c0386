"""The forms of a device, made from what its driver asks for, and of a lane."""

from __future__ import annotations

import reflex as rx

from components.console.listing import form_dialog
from components.forms import select_field, text_field
from components.text import t
from state.console_devices import DevicesState as State


def _setting(row: rx.Var) -> rx.Component:
    label = rx.el.label(
        row["label"],
        rx.cond(
            row["required"],
            rx.el.span("*", class_name="req", custom_attrs={"aria-hidden": "true"}),
            rx.fragment(),
        ),
        html_for=row["id"],
    )
    hint = rx.cond(row["hint"], rx.el.p(row["hint"], class_name="hint"), rx.fragment())
    common = {"id": row["id"], "name": row["id"]}
    text = {"default_value": row["value"], "required": row["required"] != "", "class_name": "input", **common}
    flag = rx.el.label(
        rx.el.input(type="checkbox", default_checked=row["value"] != "", **common),
        rx.el.span(row["label"]),
        class_name="check",
    )
    return rx.el.div(
        rx.match(
            row["kind"],
            ("flag", flag),
            ("choice", rx.fragment(label, _choice(row, common))),
            ("number", rx.fragment(label, rx.el.input(type="number", step=row["step"], **text))),
            rx.fragment(label, rx.el.input(type="text", **text)),
        ),
        hint,
        key=f"{State.driver}-{row['id']}",
        class_name="field",
    )


def _choice(row: rx.Var, common: dict[str, rx.Var]) -> rx.Component:
    options = rx.foreach(row["choices"].split(" "), lambda name: rx.el.option(name, value=name))
    return rx.el.select(options, default_value=row["value"], class_name="input", **common)


def device_form() -> rx.Component:
    """Add a device or change one."""
    return form_dialog(
        State,
        "device",
        rx.cond(State.device_id, t("console.devices.edit"), t("console.devices.add")),
        rx.el.p(State.lane_title, class_name="muted"),
        text_field(
            t("console.devices.name"),
            id="name",
            required=True,
            max_length=50,
            default_value=State.device_name,
        ),
        select_field(
            t("console.devices.driver"),
            State.drivers,
            id="driver",
            value=State.driver,
            on_change=State.choose_driver,
        ),
        rx.cond(
            State.places.length() > 0,
            select_field(
                t("agents.place"),
                State.places,
                id="place",
                default_value=State.place,
                hint=t("agents.place_hint"),
            ),
            rx.fragment(),
        ),
        rx.foreach(State.fields, _setting),
        rx.el.p(t("console.devices.effect"), class_name="hint"),
        prefix="devices",
        on_submit=State.submit,
    )


def lane_form() -> rx.Component:
    """Add a lane to an entrance, old or new."""
    return form_dialog(
        State,
        "lane",
        t("console.devices.add_lane"),
        text_field(
            t("console.devices.entrance"),
            id="entrance",
            list_id="entrances",
            hint=t("console.devices.entrance_hint"),
            required=True,
            max_length=50,
        ),
        rx.el.datalist(rx.foreach(State.entrances, lambda name: rx.el.option(value=name)), id="entrances"),
        select_field(t("console.devices.entrance_kind"), State.kinds, id="kind"),
        text_field(t("console.devices.lane_name"), id="lane", required=True, max_length=50),
        select_field(t("console.devices.direction"), State.directions, id="direction", default_value="both"),
        prefix="devices",
        on_submit=State.submit_lane,
    )
