"""Who asks: resolved once at the edge from a session, passed to every service."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from app.core.errors import NotAllowed, NotSignedIn
from app.core.permissions import RIGHTS, Right, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a part of the system, with the roles it holds at one site."""

    kind: str = "anonymous"
    account_id: str = ""
    person_id: str = ""
    session_id: str = ""
    site_id: str = ""
    roles: frozenset[Role] = field(default_factory=frozenset)
    locale: str = ""
    ip: str = ""
    booking_id: str = ""
    lane_id: str = ""
    agent_id: str = ""
    limits: frozenset[Right] | None = None  # of a key: what of its role's rights it was given

    @property
    def role_text(self) -> str:
        """The roles as the audit log names them."""
        return ",".join(sorted(self.roles)) or self.kind

    def has(self, right: Right) -> bool:
        """Whether any role of this actor carries ``right``."""
        if right is Right.PUBLIC:
            return True
        if right is Right.SIGNED_IN:
            return bool(self.session_id)
        if self.limits is not None and right not in self.limits:
            return False
        return any(right in RIGHTS[role] for role in self.roles)

    def require(self, right: Right, site_id: str | None = None) -> None:
        """Raise unless the actor holds ``right``, and holds it at ``site_id`` when one is given."""
        if not self.has(right):
            raise NotAllowed("not_allowed") if self.session_id else NotSignedIn("not_signed_in")
        if site_id is not None and site_id != self.site_id:
            raise NotAllowed("not_allowed")


ANONYMOUS = Actor()
SYSTEM = Actor(kind="system")

_current: ContextVar[Actor] = ContextVar("actor", default=ANONYMOUS)


def set_current(actor: Actor) -> None:
    """Bind the actor of the running event or request."""
    _current.set(actor)


def current_actor() -> Actor:
    """The actor of the running event or request; anonymous when none was bound."""
    return _current.get()
