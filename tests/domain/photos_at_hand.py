"""Visitors who add a picture, for the tests: the actor behind a link, the picture as stored bytes, what is left of it."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import select

from app.core import clock, vault
from app.core.actor import Actor
from app.core.permissions import Role
from app.core.settings import get_settings
from app.domain.admission import faces
from app.domain.admission.face_evidence import BOOKING_PHOTO
from app.domain.admission.models import Attempt
from app.domain.booking.models import Booking, BookingPhoto, PhotoGone
from app.domain.identity import booking_photos
from app.domain.identity.consents import Declared
from app.domain.identity.rules import Age
from tests.factories import World, nonce

PICTURE = b"\xff\xd8\xff a face of this visit alone " * 50
OLDER = Declared(Age.OLDER)


def visitor(booking: Booking) -> Actor:
    """The browser of a visitor who proved the link and the phone."""
    roles = frozenset({Role.VISITOR})
    return Actor(kind="visitor", session_id="0" * 64, roles=roles, booking_id=booking.id)


def add(
    world: World,
    booking: Booking,
    picture: bytes = PICTURE,
    declared: Declared = OLDER,
    *,
    checked: bool = True,
    locale: str = "zh-CN",
) -> BookingPhoto:
    """The visitor ticks the box and sends a picture."""
    file_id = vault.put(picture)
    return world.do(booking_photos.add, visitor(booking), file_id, locale, declared, checked=checked)


def withdraw(world: World, booking: Booking) -> None:
    """One tap on the visitor's page."""
    world.do(booking_photos.withdraw, visitor(booking))


def kept(world: World) -> list[BookingPhoto]:
    return list(world.ask(lambda session: session.exec(select(BookingPhoto)).all()))


def files() -> list[Path]:
    """What the vault holds."""
    return [path for path in (get_settings().data_dir / "vault").rglob("*") if path.is_file()]


def gone(world: World) -> list[PhotoGone]:
    """What is announced from now on."""
    said: list[PhotoGone] = []
    world.database.listen(lambda a: said.append(a) if isinstance(a, PhotoGone) else None)
    return said


def compared(world: World, attempt: Attempt, outcome: str, source: str = BOOKING_PHOTO) -> bool:
    """What the engine says of the live picture and the visitor's, or a document's with an empty source."""
    return world.do(
        faces.record_comparison, attempt.id, outcome, nonce(), "camera", clock.now(), source=source
    )
