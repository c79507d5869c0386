"""Form fields: each with a visible label, a hint, an error in words and the right keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx

from components.kit import Child, Flag, Text, flag_attr, icon, is_set, when


def _invalid(error: Text | None) -> Any:
    if isinstance(error, rx.Var):
        return rx.cond(error, "true", "false")
    return flag_attr(is_set(error))


def _attrs(id: str, hint: Text | None, error: Text | None, **extra: Any) -> dict[str, Any]:
    described = " ".join(
        part
        for part in (f"{id}-hint" if is_set(hint) else "", f"{id}-error" if is_set(error) else "")
        if part
    )
    attrs: dict[str, Any] = {"aria-invalid": _invalid(error)}
    if described:
        attrs["aria-describedby"] = described
    attrs.update({key: value for key, value in extra.items() if value is not None})
    return attrs


def _notes(id: str, hint: Text | None, error: Text | None) -> list[rx.Component]:
    return [
        when(hint, rx.el.p(hint, id=f"{id}-hint", class_name="hint")),
        when(
            error, rx.el.p(icon("circle_alert", 16), rx.el.span(error), id=f"{id}-error", class_name="error")
        ),
    ]


def _field(
    id: str, label: Text, control: rx.Component, hint: Text | None, error: Text | None, required: Flag
) -> rx.Component:
    mark = rx.el.span("*", class_name="req", custom_attrs={"aria-hidden": "true"})
    if isinstance(required, rx.Var):
        mark = rx.cond(required, mark, rx.fragment())
    elif not required:
        mark = rx.fragment()
    return rx.el.div(
        rx.el.label(label, mark, html_for=id),
        control,
        *_notes(id, hint, error),
        class_name="field",
    )


def text_field(
    label: Text,
    *,
    id: str,
    name: str | None = None,
    type: str = "text",
    hint: Text | None = None,
    error: Text | None = None,
    required: Flag = False,
    autocomplete: str | None = "off",
    inputmode: str | None = None,
    enterkeyhint: str | None = None,
    list_id: str | None = None,
    **props: Any,
) -> rx.Component:
    """Make a one-line text field; prefer `default_value` with `on_blur` over a value controlled by the server."""
    if list_id is not None:
        props["list"] = list_id
    control = rx.el.input(
        id=id,
        name=name or id,
        type=type,
        required=required,
        class_name="input",
        custom_attrs=_attrs(
            id,
            hint,
            error,
            autoComplete=autocomplete,
            inputMode=inputmode,
            enterKeyHint=enterkeyhint,
            spellCheck="false" if type != "text" or autocomplete not in (None, "off") else None,
        ),
        **props,
    )
    return _field(id, label, control, hint, error, required)


def date_field(label: Text, *, id: str, **props: Any) -> rx.Component:
    """Make a date field with the browser's own picker."""
    return text_field(label, id=id, type="date", **props)


def time_field(label: Text, *, id: str, **props: Any) -> rx.Component:
    """Make a time field with the browser's own picker."""
    return text_field(label, id=id, type="time", **props)


def textarea_field(
    label: Text,
    *,
    id: str,
    name: str | None = None,
    hint: Text | None = None,
    error: Text | None = None,
    required: Flag = False,
    rows: int = 3,
    **props: Any,
) -> rx.Component:
    """Make a text field of several lines."""
    control = rx.el.textarea(
        id=id,
        name=name or id,
        required=required,
        rows=str(rows),
        class_name="input",
        custom_attrs=_attrs(id, hint, error),
        **props,
    )
    return _field(id, label, control, hint, error, required)


def _options(options: Any, draw: Callable[[Any, Any], rx.Component]) -> list[rx.Component]:
    if isinstance(options, rx.Var):
        return [rx.foreach(options, lambda option: draw(option[0], option[1]))]
    return [draw(value, text) for value, text in options]


def select_field(
    label: Text,
    options: Any,
    *,
    id: str,
    name: str | None = None,
    hint: Text | None = None,
    error: Text | None = None,
    required: Flag = False,
    empty: Text | None = None,
    **props: Any,
) -> rx.Component:
    """Make a choice list from (value, text) pairs, given or as a Var; `empty` adds a first entry without value."""
    first = [rx.el.option(empty, value="")] if is_set(empty) else []
    control = rx.el.select(
        *first,
        *_options(options, lambda value, text: rx.el.option(text, value=value)),
        id=id,
        name=name or id,
        required=required,
        class_name="input",
        custom_attrs=_attrs(id, hint, error),
        **props,
    )
    return _field(id, label, control, hint, error, required)


def segmented(
    label: Text,
    options: Any,
    *,
    id: str,
    name: str | None = None,
    value: Text | None = None,
    default_value: str | None = None,
    on_change: Any = None,
    hint: Text | None = None,
    error: Text | None = None,
    required: bool = False,
    label_hidden: bool = False,
) -> rx.Component:
    """Make a choice among a few, side by side: real radio buttons underneath."""
    group = name or id

    def option(key: Any, text: Any) -> rx.Component:
        props: dict[str, Any] = {}
        if value is not None:
            props["checked"] = value == key
            if on_change is None:
                props["read_only"] = True
        elif default_value is not None:
            props["default_checked"] = key == default_value
        if on_change is not None:
            props["on_change"] = on_change
        return rx.el.label(
            rx.el.input(type="radio", name=group, value=key, required=required, **props),
            rx.el.span(text),
            class_name="seg-opt",
        )

    return rx.el.fieldset(
        rx.el.legend(label, class_name="sr-only" if label_hidden else ""),
        rx.el.div(*_options(options, option), class_name="seg"),
        *_notes(id, hint, error),
        id=id,
        class_name="field",
        custom_attrs=_attrs(id, hint, error) if is_set(hint) or is_set(error) else {},
    )


def checkbox_field(
    label: Child,
    *,
    id: str,
    name: str | None = None,
    hint: Text | None = None,
    error: Text | None = None,
    **props: Any,
) -> rx.Component:
    """Make a tick box whose whole line can be pressed; never ticked beforehand for a consent."""
    return rx.el.div(
        rx.el.label(
            rx.el.input(
                id=id, name=name or id, type="checkbox", custom_attrs=_attrs(id, hint, error), **props
            ),
            rx.el.span(label),
            class_name="check",
        ),
        *_notes(id, hint, error),
        class_name="field",
    )


def form_error(message: Text | None, *, title: Text | None = None) -> rx.Component:
    """Say above a form what went wrong and what to do; read out at once."""
    body = rx.el.div(
        icon("circle_alert", 20),
        rx.el.div(when(title, rx.el.b(title)), rx.el.p(message)),
        class_name="form-error",
    )
    return rx.el.div(when(message, body), role="alert")


def search_field(
    label: Text,
    *,
    id: str,
    name: str | None = None,
    placeholder: Text | None = None,
    key: Text | None = None,
    **props: Any,
) -> rx.Component:
    """Make the one search box of a page: its label is heard, its placeholder says what it accepts."""
    attrs: dict[str, Any] = {
        "aria-label": label,
        "autoComplete": "off",
        "spellCheck": "false",
        "enterKeyHint": "search",
    }
    if isinstance(key, str):
        attrs["aria-keyshortcuts"] = key
    return rx.el.div(
        icon("search"),
        rx.el.input(
            id=id,
            name=name or id,
            type="text",
            class_name="input",
            placeholder=placeholder if is_set(placeholder) else label,
            custom_attrs=attrs,
            **props,
        ),
        rx.el.kbd(key, class_name="key", custom_attrs={"aria-hidden": "true"})
        if is_set(key)
        else rx.fragment(),
        class_name="search",
    )


class PlainForm(rx.el.Div):
    """A form that the browser itself sends to a route; Reflex's own form always stops that."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


def plain_form(*children: Child, action: str, **props: Any) -> rx.Component:
    """Make a form that is posted as a page load, so that the answer can set a cookie no script reads."""
    return PlainForm.create(*children, action=action, method="post", **props)
