"""The few parts that run in the browser: thin wrappers around the JSX files of ``assets/client/``."""

from __future__ import annotations

import reflex as rx

_HASHES = "@noble/hashes@2.4.0"
_QR = "uqr@0.1.3"

_one_text = rx.event.passthrough_event_spec(str)


def _file(name: str) -> str:
    """The path by which a bundler imports a file of that folder."""
    return rx.asset(f"client/{name}").importable_path


_PASS_TOKEN = _file("pass_token.js")
_SERVER_CLOCK = _file("server_clock.js")
_DYNAMIC_PASS = _file("dynamic_pass.jsx")
_DESK_KEYS = _file("desk_keys.jsx")
_LIVE_CAMERA = _file("live_camera.jsx")
_SOUNDS = _file("sounds.jsx")
_ELAPSED = _file("elapsed.jsx")
_CLOCK = _file("clock.jsx")
_MODAL = _file("modal.jsx")
_TOASTS = _file("toasts.jsx")
_HAND_OVER = _file("hand_over.jsx")
_ROUTE_LINK = _file("route_link.jsx")
_READER_LANGUAGE = _file("reader_language.jsx")
_OWN_PASS = _file("own_pass.js")
_PASS_STORE = _file("pass_store.js")
_KEPT_PASS = _file("kept_pass.jsx")


class RouteLink(rx.Component):
    """A link inside the app that marks itself with aria-current when it is where we are."""

    library = _ROUTE_LINK
    tag = "RouteLink"

    to: rx.Var[str]
    exact: rx.Var[bool]
    full_load: rx.Var[bool]


class DynamicPass(rx.Component):
    """A visitor's rotating code, drawn and renewed in the browser."""

    library = _DYNAMIC_PASS
    tag = "DynamicPass"
    lib_dependencies: list[str] = [_HASHES, _QR]

    endpoint: rx.Var[str]
    labels: rx.Var[dict[str, str]]


class KeptPass(rx.Component):
    """What stands in for the children while the server is silent: the pass that this phone keeps, if it does."""

    library = _KEPT_PASS
    tag = "KeptPass"
    lib_dependencies: list[str] = [_HASHES, _QR]

    endpoint: rx.Var[str]
    closing: rx.Var[str]
    labels: rx.Var[dict[str, str]]
    answered: rx.Var[bool]
    open: rx.Var[bool]


class DeskKeys(rx.Component):
    """Shortcut keys and keyboard scanners of a desk; draws nothing."""

    library = _DESK_KEYS
    tag = "DeskKeys"

    keymap: rx.Var[dict[str, str]]
    single_keys: rx.Var[bool]
    min_scan: rx.Var[int]
    enabled: rx.Var[bool]
    on_action: rx.EventHandler[_one_text]
    on_scan: rx.EventHandler[_one_text]


class LiveCamera(rx.Component):
    """A live picture from an MJPEG address, with the marks drawn over it that come along."""

    library = _LIVE_CAMERA
    tag = "LiveCamera"

    src: rx.Var[str]
    alt: rx.Var[str]
    labels: rx.Var[dict[str, str]]
    mark_labels: rx.Var[dict[str, str]]
    trouble: rx.Var[str]
    on_pulse: rx.EventHandler[rx.event.no_args_event_spec]


class Sounds(rx.Component):
    """Admit, attention and alarm tones with volume and mute."""

    library = _SOUNDS
    tag = "Sounds"

    cue: rx.Var[str]
    nonce: rx.Var[int]
    volume: rx.Var[float]
    labels: rx.Var[dict[str, str]]
    controls: rx.Var[bool]


class Elapsed(rx.Component):
    """Time since a server moment, ticking in the browser."""

    library = _ELAPSED
    tag = "Elapsed"

    start: rx.Var[int]
    server_now: rx.Var[int]
    offset: rx.Var[int]
    stop: rx.Var[int]
    count_down: rx.Var[bool]


class Clock(rx.Component):
    """Date and time of a site in its time zone."""

    library = _CLOCK
    tag = "Clock"

    locale: rx.Var[str]
    time_zone: rx.Var[str]
    server_now: rx.Var[int]
    offset: rx.Var[int]
    seconds: rx.Var[bool]
    date: rx.Var[bool]


class Modal(rx.Component):
    """A native modal dialog that follows a value."""

    library = _MODAL
    tag = "Modal"

    open: rx.Var[bool]
    label_id: rx.Var[str]
    close_on_backdrop: rx.Var[bool]
    on_close: rx.EventHandler[rx.event.no_args_event_spec]


class Toasts(rx.Component):
    """Short notices from a list held by a state."""

    library = _TOASTS
    tag = "Toasts"

    items: rx.Var[list[dict[str, str]]]
    labels: rx.Var[dict[str, str]]
    on_dismiss: rx.EventHandler[_one_text]
    on_undo: rx.EventHandler[_one_text]


class HandOver(rx.Component):
    """A button that copies or shares a text; reports copied, shared or failed."""

    library = _HAND_OVER
    tag = "HandOver"

    text: rx.Var[str]
    share: rx.Var[bool]
    on_done: rx.EventHandler[_one_text]


class ReaderLanguage(rx.Component):
    """Shows the page once it speaks the reader's language; draws nothing itself."""

    library = _READER_LANGUAGE
    tag = "ReaderLanguage"

    locale: rx.Var[str]
    known: rx.Var[bool]


dynamic_pass = DynamicPass.create
kept_pass = KeptPass.create
reader_language = ReaderLanguage.create
desk_keys = DeskKeys.create
live_camera = LiveCamera.create
sounds = Sounds.create
elapsed = Elapsed.create
clock = Clock.create
modal = Modal.create
toasts = Toasts.create
hand_over = HandOver.create

__all__ = [
    "Clock",
    "DeskKeys",
    "DynamicPass",
    "Elapsed",
    "KeptPass",
    "LiveCamera",
    "Modal",
    "ReaderLanguage",
    "RouteLink",
    "Sounds",
    "Toasts",
    "clock",
    "desk_keys",
    "dynamic_pass",
    "elapsed",
    "kept_pass",
    "live_camera",
    "modal",
    "reader_language",
    "sounds",
    "toasts",
]
