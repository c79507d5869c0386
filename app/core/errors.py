"""One root error; subclasses say what the caller can do. The text lives in the catalogue under ``error.<code>``."""

from __future__ import annotations


class GateError(Exception):
    """Something the user must be told, as a code with parameters, never as a sentence."""

    status = 400

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class InvalidInput(GateError):
    """The input must be changed; ``field`` names the form field."""

    status = 422

    def __init__(self, code: str, field: str = "", **params: str | int) -> None:
        super().__init__(code, **params)
        self.field = field


class NotAllowed(GateError):
    """The actor lacks the right; asking again does not help."""

    status = 403


class NotSignedIn(NotAllowed):
    """No valid session: sign in first."""

    status = 401


class NotFound(GateError):
    """There is no such thing, or the actor must not learn that there is."""

    status = 404


class Conflict(GateError):
    """Somebody else was faster; look at the present state."""

    status = 409


class TooMany(GateError):
    """A limit was reached; try again later."""

    status = 429


class Retryable(GateError):
    """A passing fault (database busy, disk full); the same call may succeed later."""

    status = 503
