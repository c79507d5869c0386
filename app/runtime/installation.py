"""Opening an installation: folders, schema, keys, and the first account."""

from __future__ import annotations

import secrets
from pathlib import Path

from sqlmodel import Session

from app.core import clock, crypto, keys, migrations
from app.core.actor import SYSTEM
from app.core.database import Database, configure, get_database
from app.core.errors import Conflict, NotAllowed
from app.core.permissions import Role
from app.core.settings import Settings, get_settings
from app.domain.admission import repository as admission
from app.domain.people import repository as people
from app.domain.people import service as people_service
from app.domain.people.models import Account
from app.domain.sites import service as sites_service

SETUP_FILE = "setup-token"


def open_installation(settings: Settings | None = None, *, migrate: bool = False) -> Database:
    """Open the database and load the keys; with ``migrate`` bring the schema up to date first.

    Raises ``KeysMissing`` rather than starting with keys that cannot open what is stored.
    """
    settings = settings or get_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = configure(settings.database_url)
    if migrate:
        migrations.upgrade(database.engine)
    database.write_now(lambda session: keys.load(session, settings.data_dir))
    clock.current().observe(database.read_now(admission.newest_moment))
    return database


def setup_token(folder: Path) -> str:
    """The one-time word that the first-run page asks for; kept in a file only its owner reads."""
    path = folder / SETUP_FILE
    if path.exists() and (kept := path.read_text("ascii").strip()):
        return kept
    token = "-".join(secrets.token_hex(2) for _ in range(4))
    path.touch(mode=0o600)
    path.write_text(token + "\n", "ascii")
    return token


def needs_setup(session: Session) -> bool:
    """Whether nobody can sign in yet."""
    return people.count_accounts(session) == 0


def first_run(
    session: Session, token: str, site_name: str, site_kind: str, name: str, username: str, password: str
) -> Account:
    """Make the first site and its manager; works once, and only with the word printed at the start (EV-05)."""
    folder = get_settings().data_dir
    if not needs_setup(session):
        raise Conflict("setup_done")
    if not secrets.compare_digest(token.strip().encode(), setup_token(folder).encode()):
        raise NotAllowed("setup_token_wrong")
    site = sites_service.create_site(session, SYSTEM, site_name, site_kind)
    person = people_service.add_person(session, site.id, people_service.STAFF, name)
    account = people_service.create_account(
        session, SYSTEM, site.id, person, username, password, [Role.ADMIN], must_change=False
    )
    (folder / SETUP_FILE).unlink(missing_ok=True)
    return account


def is_open() -> bool:
    """Whether keys are loaded in this process."""
    try:
        crypto.keyring()
    except crypto.KeysMissing:
        return False
    get_database()
    return True
