"""Tables of the records' own."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.core.types import UtcDateTime


class RevealNote(SQLModel, table=True):
    """What somebody wrote when unmasking a visitor: sealed, beside the audit entry, gone with the visitor's name."""

    __tablename__ = "reveal_note"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id")
    audit_seq: int = Field(foreign_key="audit_entry.seq", unique=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    note: bytes | None = None
    written_at: datetime = Field(sa_type=UtcDateTime)
