"""Finding sealed people: every searchable spelling is stored as a keyed hash (RE-05)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, insert
from sqlmodel import Field, Session, SQLModel, col, select

from app.core import clock, crypto
from app.core.chinese import Style, pinyin
from app.core.inputs import clean
from app.core.types import UtcDateTime

FIELD = "search"
MAX_SPELLINGS = 8


class SearchToken(SQLModel, table=True):
    """One way to find one object: a keyed hash of a spelling within a site."""

    __tablename__ = "search_token"
    token: bytes = Field(primary_key=True)
    object_id: str = Field(primary_key=True, index=True)
    site_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)


def _fold(value: str) -> str:
    return clean(value).casefold().replace(" ", "").replace("·", "")


def name_spellings(name: str) -> set[str]:
    """The name, its beginnings from two characters on, its pinyin and initials, heteronyms included."""
    folded = _fold(name)
    spellings = {folded[:n] for n in range(2, len(folded) + 1)} | {folded}
    if any("\u4e00" <= c <= "\u9fff" for c in folded):
        readings = pinyin(folded, style=Style.NORMAL, heteronym=True)
        spellings |= set(_combined(readings))
        spellings |= set(_combined([list(dict.fromkeys(r[:1] for r in each)) for each in readings]))
    return {s for s in spellings if s}


def _combined(readings: Sequence[Sequence[str]]) -> list[str]:
    """Every way to say the characters one after the other, the commonest first, up to a number that a table can bear."""
    found = [""]
    for each in readings:
        found = [head + reading for head in found for reading in each][:MAX_SPELLINGS]
    return found


def phone_spellings(phone: str) -> set[str]:
    """The whole number and its last four digits."""
    return {phone, phone[-4:]} if len(phone) >= 7 else set()


def plate_spellings(plate: str) -> set[str]:
    """The whole plate, without its province, and its last four characters."""
    return {plate.casefold(), plate[1:].casefold(), plate[-4:].casefold()} if plate else set()


def tokens_of(site_id: str, spellings: Iterable[str]) -> list[bytes]:
    """The hashes that spellings lead to, for a query of one's own; one character alone leads nowhere."""
    return _tokens(site_id, (folded for s in spellings if len(folded := _fold(s)) >= 2))


def _tokens(site_id: str, spellings: Iterable[str]) -> list[bytes]:
    ring = crypto.keyring()
    return [ring.index(FIELD, f"{site_id}|{s}") for s in sorted(set(spellings))]


def put(session: Session, site_id: str, object_id: str, spellings: Iterable[str]) -> None:
    """Replace the spellings by which ``object_id`` is found."""
    session.connection().execute(delete(SearchToken).where(col(SearchToken.object_id) == object_id))
    add(session, site_id, object_id, spellings)


def add(session: Session, site_id: str, object_id: str, spellings: Iterable[str]) -> None:
    """Add the spellings of a new object."""
    now = clock.now()
    rows = [
        {"token": token, "object_id": object_id, "site_id": site_id, "created_at": now}
        for token in _tokens(site_id, spellings)
    ]
    if rows:
        session.connection().execute(insert(SearchToken), rows)


def remove(session: Session, object_id: str) -> None:
    """Forget an object; part of every erasure (L-10)."""
    session.connection().execute(delete(SearchToken).where(col(SearchToken.object_id) == object_id))


def find(session: Session, site_id: str, query: str, limit: int = 100) -> list[str]:
    """Ids of the objects that one spelling leads to, newest first."""
    folded = _fold(query)
    if len(folded) < 2:
        return []
    statement = (
        select(SearchToken.object_id)
        .where(col(SearchToken.token).in_(_tokens(site_id, [folded])))
        .order_by(col(SearchToken.object_id).desc())
        .limit(limit)
    )
    return list(session.exec(statement).all())
