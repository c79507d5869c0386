"""Sending a sheet to the server and showing what came of it, row by row."""

from __future__ import annotations

import reflex as rx

_UPLOAD = rx.asset("client/upload.jsx").importable_path


class SheetUpload(rx.Component):
    """A form that posts one file to a route of ours; the answer is shown below it."""

    library = _UPLOAD
    tag = "SheetUpload"

    action: rx.Var[str]
    accept: rx.Var[str]
    labels: rx.Var[dict[str, str]]
    on_done: rx.EventHandler[rx.event.no_args_event_spec]


sheet_upload = SheetUpload.create
