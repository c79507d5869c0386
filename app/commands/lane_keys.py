"""Naming a lane on the command line: by id, or by as much of site, entrance and lane as tells it apart."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from app.core.actor import SYSTEM
from app.core.errors import Conflict, NotFound
from app.domain.people import lane_keys
from app.domain.sites import repository as sites


@dataclass(frozen=True, slots=True)
class LaneName:
    """A lane with the names it goes by."""

    id: str
    site: str
    entrance: str
    lane: str

    def is_called(self, words: str) -> bool:
        """Whether ``words`` are the id, or the last of ``site/entrance/lane`` separated by slashes."""
        parts = [part.strip() for part in words.split("/")]
        return words == self.id or parts == [self.site, self.entrance, self.lane][-len(parts) :]


def every(session: Session) -> list[LaneName]:
    """All lanes of all sites."""
    return [
        LaneName(lane.id, site.name, door.name, lane.name)
        for site in sites.sites(session)
        for lane, door in sites.lanes(session, site.id)
    ]


def make(session: Session, words: str, label: str) -> str:
    """A new key of the lane so called; raises ``NotFound`` for none and ``Conflict`` for several."""
    found = [lane for lane in every(session) if lane.is_called(words)]
    if not found:
        raise NotFound("lane_unknown")
    if len(found) > 1:
        raise Conflict("lane_ambiguous", lane=words)
    return lane_keys.create(session, SYSTEM, found[0].id, label)
