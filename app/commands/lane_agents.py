"""Lane computers on the command line: made for lanes that are named as for a lane's key, listed, renewed, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.commands import lane_keys
from app.core.actor import SYSTEM
from app.core.errors import Conflict, NotFound
from app.domain.sites import agents
from app.domain.sites import repository as sites


@dataclass(frozen=True, slots=True)
class Listed:
    """One computer as the list shows it."""

    id: str
    site: str
    label: str
    seen: str
    waiting: int
    version: str


def make(session: Session, label: str, lanes: Sequence[str]) -> str:
    """A new computer for the lanes so called; returns its one-time code."""
    known = lane_keys.every(session)
    chosen = []
    for words in lanes:
        found = [lane for lane in known if lane.is_called(words)]
        if not found:
            raise NotFound("lane_unknown")
        if len(found) > 1:
            raise Conflict("lane_ambiguous", lane=words)
        chosen.append(found[0].id)
    return agents.create(session, SYSTEM, label, chosen)[1]


def every(session: Session) -> list[Listed]:
    """All computers in use, of all sites."""
    return [
        Listed(
            agent.id,
            site.name,
            agent.label,
            f"{agent.seen_at:%Y-%m-%d %H:%M} UTC" if agent.seen_at else "—",
            agent.waiting,
            agent.version or "—",
        )
        for site in sites.sites(session)
        for agent in agents.of_site(session, site.id)
    ]
