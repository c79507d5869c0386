"""Files of the vault that no row names: a crash between picture and row leaves one behind, and nobody would ever forget it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlmodel import Session, SQLModel, select

from app.core import vault
from app.core.types import VaultFile

logger = logging.getLogger(__name__)

# A picture is on the disk a moment before its row is.
SETTLED = timedelta(days=1)


def sweep(session: Session, now: datetime) -> int:
    """Delete what has lain there for a day and has no row; returns how many (RE-04, S-10)."""
    found = list(
        vault.untouched_since(now - SETTLED)
    )  # before the rows are read: what comes later is not looked at
    if not found:
        return 0
    named = _named(session)
    orphans = [path for path in found if path.name not in named]
    for path in orphans:
        path.unlink(missing_ok=True)
    if orphans:
        logger.warning("%s files of the vault were named by no row and were deleted", len(orphans))
    return len(orphans)


def _named(session: Session) -> set[str]:
    names: set[str] = set()
    for table in SQLModel.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, VaultFile):
                names.update(session.connection().execute(select(column).where(column != "")).scalars())
    return names
