"""Adding a picture of one's face from a phone: the form around the camera of the phone itself."""

from __future__ import annotations

import reflex as rx

_PHOTO_FORM = rx.asset("client/photo_form.jsx").importable_path


class PhotoForm(rx.Component):
    """A form that posts one picture and whatever fields are its children to a route of ours; faults are told in it."""

    library = _PHOTO_FORM
    tag = "PhotoForm"

    action: rx.Var[str]
    labels: rx.Var[dict[str, str]]
    on_done: rx.EventHandler[rx.event.no_args_event_spec]


photo_form = PhotoForm.create
