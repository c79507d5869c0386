"""Consents and faces for the tests: a regular who agreed, with a vector that is known byte by byte."""

from __future__ import annotations

import struct

from sqlmodel import Session, select

from app.core import clock
from app.core.actor import Actor
from app.core.permissions import Role
from app.domain.admission import presenting
from app.domain.admission.arrival import Arrival
from app.domain.admission.evidence import Presented
from app.domain.booking.models import Booking
from app.domain.identity import consents, face_policy, faces
from app.domain.identity.consents import Declared
from app.domain.identity.face_policy import Assessment
from app.domain.identity.models import ConsentRecord, FacesChanged, FaceTemplate
from app.domain.identity.rules import Age, Channel, Purpose
from app.domain.identity.templates import Face
from tests.factories import World, actor, nonce, standing

PACK, DIMENSION = "a1b2c3d4e5f60718", 128
OLDER = Declared(Age.OLDER)
CHILD = Declared(Age.UNDER_14, "周建国", "father")
ASSESSMENT = Assessment("人脸识别个人信息保护影响评估", "2026-02-20", "钱伟", "PIA-2026-03")


def face(number: int = 1) -> Face:
    """A vector that no other number has, of unit length."""
    values = [0.0] * DIMENSION
    values[number % DIMENSION] = 0.6
    values[(number + 1) % DIMENSION] = 0.8
    return Face(PACK, DIMENSION, struct.pack(f"<{DIMENSION}f", *values))


def switch_on(world: World) -> None:
    """Recognising, with the assessment that it needs."""
    world.do(face_policy.save, world.manager, world.site.id, {"recognise": True}, ASSESSMENT)


def shown(world: World, locale: str = "zh-CN") -> consents.Notice:
    """The notice as the page shows it."""
    return consents.notice(Purpose.FACE_RECOGNISE, locale, site=world.site.name, days=365)


def agree(world: World, person_id: str, declared: Declared = OLDER) -> ConsentRecord:
    """A yes, entered at the console."""
    return world.do(consents.give, world.manager, person_id, shown(world), Channel.CONSOLE, declared)


def enrolled(world: World, number: int = 1) -> tuple[Booking, FaceTemplate]:
    """A partner with a running permit who agreed and whose face is stored; recognising is on."""
    switch_on(world)
    booking, _ = standing(world, uid=f"04A1B2{number:02X}")
    agree(world, booking.visitor_id)
    return booking, world.do(faces.enrol, world.manager, booking.visitor_id, face(number))


def owner(world: World, person_id: str) -> Actor:
    """The person, signed in on the own phone."""
    return actor(world.site.id, Role.RESIDENT, person_id=person_id)


def stored(world: World) -> list[FaceTemplate]:
    return list(world.ask(lambda s: s.exec(select(FaceTemplate)).all()))


def heard(world: World) -> list[FacesChanged]:
    """What is announced from now on."""
    said: list[FacesChanged] = []
    world.database.listen(lambda a: said.append(a) if isinstance(a, FacesChanged) else None)
    return said


def change(world: World, row: Booking | ConsentRecord, **values: object) -> None:
    """Set columns of a row behind the services' backs."""

    def work(session: Session) -> None:
        kept = session.get(type(row), row.id)
        for name, value in values.items():
            setattr(kept, name, value)
        session.add(kept)

    world.do(work)


def recognised(world: World, template: FaceTemplate) -> Arrival:
    """The face is seen at the lane."""
    item = Presented("face", template.id, nonce(), clock.now(), "camera")
    return world.do(presenting.present, world.both.id, item)
