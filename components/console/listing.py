"""The two shapes that most console pages consist of: a list with its pager, and a form in a dialog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx

from components.console.parts import counted_pager, form_acts, open_pager
from components.data import card
from components.feedback import dialog
from components.forms import form_error
from components.kit import Child, Text
from components.tables import Column, table
from components.text import t


def listing(
    columns: Sequence[Column],
    rows: rx.Var,
    cells: Callable[[Any], Sequence[Child]],
    *below: Child,
    caption: Text,
    empty: rx.Component,
    counted: Any = None,
    uncounted: Any = None,
    **props: Any,
) -> rx.Component:
    """Make a card with a table of rows that have an `id`; `below` it, last, the pager of a state, counted or not."""
    grid = table(columns, rows, cells, caption=caption, row_key=lambda row: row["id"], empty=empty)
    pagers: list[Child] = []
    if counted is not None:
        pagers.append(counted_pager(counted))
    if uncounted is not None:
        pagers.append(open_pager(uncounted))
    return card(grid, *below, *pagers, pad=False, **props)


def state_dialog(
    state: Any, name: str, title: Text, *body: Child, prefix: str, wide: bool = False
) -> rx.Component:
    """Make the dialog that is open while the var `dialog` of a state says `name`."""
    return dialog(
        *body,
        id=f"{prefix}-{name}",
        open=state.dialog == name,
        title=title,
        close_label=t("common.close"),
        on_close=state.close,
        close_on_backdrop=False,
        wide=wide,
    )


def form_dialog(
    state: Any,
    name: str,
    title: Text,
    *fields: Child,
    prefix: str,
    on_submit: Any,
    submit: Text | None = None,
    icon_name: str = "check",
) -> rx.Component:
    """Make a form in such a dialog; above it stands the state's `form_error`, below it the two ways out."""
    form = rx.el.form(
        form_error(state.form_error),
        *fields,
        form_acts(t("console.save") if submit is None else submit, state.close, icon_name=icon_name),
        on_submit=on_submit,
        class_name="form",
    )
    return state_dialog(state, name, title, form, prefix=prefix)
