"""Hears of arrivals that did not fit and looks whether they are the late way out of a visit closed by itself (AD-16)."""

from __future__ import annotations

from app.core.database import Database
from app.domain.admission import checkouts
from app.domain.admission.models import LaneChanged

DOUBTFUL = {"attention", "alarm"}


def listen(database: Database) -> None:
    """Have every doubtful arrival looked at once it is recorded; all others cost nothing."""

    def heard(announcement: object) -> None:
        if not isinstance(announcement, LaneChanged) or announcement.cue not in DOUBTFUL:
            return
        attempt_id = announcement.attempt_id
        if database.read_now(lambda session: checkouts.closed_unseen(session, attempt_id)) is not None:
            database.write_now(lambda session: checkouts.recognise(session, attempt_id))

    database.listen(heard)
