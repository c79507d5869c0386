"""Migrations run against the database of the settings, or against a connection handed in by the caller."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, create_engine
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

import app.domain.models  # noqa: F401 - fills the metadata
from app.core.settings import get_settings


def _plain(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write plain column types into migrations, so that an old one runs whatever our classes become."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return {"DateTime": "sa.DateTime()", "Text": "sa.Text()"}.get(type(item.impl).__name__, "sa.String()")
    return False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=_plain,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    url = context.config.get_main_option("sqlalchemy.url") or get_settings().database_url
    with create_engine(url).connect() as opened:
        _run(opened)
        opened.commit()
