"""The picture a visitor adds for one visit: by separate consent alone, deleted with the visit and with the consent (BK-04)."""

from __future__ import annotations

import hashlib
import logging

import pytest
from sqlmodel import select

from app.core import vault
from app.core.audit import AuditEntry
from app.core.errors import Conflict, GateError, InvalidInput, NotAllowed, NotFound
from app.core.permissions import Role
from app.domain.access import invitations
from app.domain.admission import checkouts, exits
from app.domain.admission.models import EvidenceRow
from app.domain.booking.models import Booking, BookingPhoto
from app.domain.booking.rules import BookingStatus
from app.domain.identity import booking_photos, consents, face_policy, repository, rules
from app.domain.identity.consents import Declared
from app.domain.identity.models import ConsentRecord
from app.domain.identity.rules import FILING_PEOPLE, TERMS, Channel, Purpose, Terms
from app.domain.records import retention
from app.domain.sites.models import SitePolicy
from app.runtime import sweeps
from tests.domain.faces_at_hand import CHILD, change
from tests.domain.photos_at_hand import OLDER, PICTURE, add, files, gone, kept, visitor, withdraw
from tests.factories import GUEST, World, actor, admit, invite, let_in, make_world, show_code
from tests.installation import FakeClock


def consent_of(world: World, booking: Booking) -> ConsentRecord:
    found = world.ask(repository.newest_consent, booking.visitor_id, Purpose.FACE_VISIT)
    assert found is not None
    return found


def nothing_left(world: World) -> bool:
    return kept(world) == [] and files() == []


# --- adding -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("BK-04", "ID-06")
@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_picture_hangs_on_a_consent_of_its_own_to_what_was_shown(world: World, locale: str) -> None:
    booking, _, _ = invite(world)
    row = add(world, booking, locale=locale)
    consent = consent_of(world, booking)
    shown = world.ask(booking_photos.notice, world.site.id, locale).text
    assert world.site.name in shown
    assert "{" not in shown
    assert (row.consent_id, consent.purpose, consent.channel) == (
        consent.id,
        Purpose.FACE_VISIT,
        Channel.LINK,
    )
    assert (consent.notice_version, consent.notice_locale) == (TERMS[Purpose.FACE_VISIT].version, locale)
    assert consent.notice_hash == hashlib.sha256(shown.encode()).digest()
    assert consent.data_classes == ["face_picture"]
    assert vault.get(row.file_id) == PICTURE
    (path,) = files()
    assert PICTURE[:30] not in path.read_bytes()


@pytest.mark.req("BK-04", "ID-06")
@pytest.mark.parametrize(
    ("declared", "field"),
    [
        (Declared(), "age"),
        (Declared(rules.Age.UNDER_14), "guardian_relation"),
        (Declared(rules.Age.UNDER_14, " ", "mother"), "guardian"),
    ],
)
def test_without_age_or_guardian_nothing_is_put_down(world: World, declared: Declared, field: str) -> None:
    booking, _, _ = invite(world)
    with pytest.raises(InvalidInput) as refused:
        add(world, booking, declared=declared)
    assert refused.value.field == field
    assert kept(world) == []
    assert world.ask(repository.newest_consent, booking.visitor_id, Purpose.FACE_VISIT) is None


@pytest.mark.req("ID-06")
def test_for_a_child_the_guardian_agrees_and_is_kept_sealed(world: World) -> None:
    booking, _, _ = invite(world)
    add(world, booking, declared=CHILD)
    row = consent_of(world, booking)
    assert (row.guardian_relation, CHILD.guardian.encode() in (row.guardian or b"")) == ("father", False)


def test_another_picture_takes_the_place_of_the_first_with_its_consent(world: World) -> None:
    booking, _, _ = invite(world)
    first = add(world, booking)
    second = add(world, booking, b"\xff\xd8 another " * 40)
    assert [row.id for row in kept(world)] == [second.id]
    assert [path.name for path in files()] == [second.file_id]
    assert world.get(ConsentRecord, first.consent_id).withdrawn_at is not None


@pytest.mark.req("ID-06")
def test_where_nothing_is_compared_no_picture_is_asked_for(world: World) -> None:
    booking, _, _ = invite(world)
    world.do(face_policy.save, world.manager, world.site.id, {"verify": False})
    with pytest.raises(Conflict, match="photo_not_asked"):
        add(world, booking)
    assert kept(world) == []


@pytest.mark.parametrize("state", [s for s in BookingStatus if s != BookingStatus.APPROVED])
def test_no_picture_is_taken_once_the_visitor_has_come_or_will_not(
    world: World, state: BookingStatus
) -> None:
    booking, _, _ = invite(world)
    change(world, booking, status=state)
    with pytest.raises(Conflict, match="photo_not_asked"):
        add(world, booking)


def test_nobody_but_the_visitor_adds_or_withdraws(world: World) -> None:
    booking, _, _ = invite(world)
    add(world, booking)
    consent = consent_of(world, booking)
    other, _, _ = invite(world, name="陈静")
    for role in (Role.RESIDENT, Role.GUARD, Role.AUDITOR, Role.ADMIN):
        somebody = actor(world.site.id, role, person_id=world.resident.id)
        for act in (
            lambda: world.do(booking_photos.add, somebody, "0" * 32, "en", OLDER, checked=True),  # noqa: B023
            lambda: world.do(booking_photos.withdraw, somebody),  # noqa: B023
            lambda: world.do(consents.withdraw, somebody, consent.id, Channel.LINK),  # noqa: B023
        ):
            with pytest.raises(NotAllowed):
                act()
    with pytest.raises(NotAllowed):
        world.do(consents.withdraw, visitor(other), consent.id, Channel.LINK)
    world.do(booking_photos.withdraw, visitor(other))  # has none: nothing happens
    assert len(kept(world)) == 1


def test_acts_are_audited_and_nothing_of_it_is_shown(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    booking, _, _ = invite(world)
    row = add(world, booking)
    withdraw(world, booking)
    entries = world.ask(lambda s: s.exec(select(AuditEntry).order_by(AuditEntry.seq)).all())  # type: ignore[arg-type]
    said = [(e.action, e.actor, e.reason) for e in entries if e.action.startswith(("photo", "privacy"))]
    assert said == [
        ("privacy.consent", "visitor", ""),
        ("photo.add", "visitor", ""),
        ("photo.delete", "visitor", "withdrawn"),
        ("privacy.withdraw", "visitor", ""),
    ]
    assert row.file_id not in caplog.text + "".join(str(e.details) for e in entries)
    assert GUEST not in caplog.text


# --- the end of it ----------------------------------------------------------------------------------------------------


@pytest.mark.req("BK-04", "ID-06")
def test_withdrawn_with_one_tap_it_is_gone_from_the_disk_at_once(world: World) -> None:
    booking, _, _ = invite(world)
    row = add(world, booking)
    said = gone(world)
    withdraw(world, booking)
    assert nothing_left(world)
    assert [(one.booking_id, one.photo_id) for one in said] == [(booking.id, row.id)]
    assert consent_of(world, booking).withdrawn_channel == Channel.LINK
    withdraw(world, booking)
    with pytest.raises(NotFound):
        vault.get(row.file_id)


@pytest.mark.req("BK-04")
@pytest.mark.parametrize("end", ["cancel", "leave", "close", "expire", "erase", "console"])
def test_with_the_visit_the_picture_ends(world: World, fake_clock: FakeClock, end: str) -> None:
    booking, issued, _ = invite(world)
    add(world, booking)
    if end == "cancel":
        world.do(invitations.cancel, world.host, booking.id)
    elif end in {"leave", "close"}:
        visit = admit(world, show_code(world, issued))
        assert len(kept(world)) == 1  # inside it still serves
        if end == "leave":
            world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
        else:
            policy = world.get(SitePolicy, world.site.id)
            assert policy.checkout != "off"
            assert world.do(checkouts.close_overdue, fake_clock.move(days=5))
    elif end == "expire":
        fake_clock.move(hours=6)
        assert world.do(sweeps.expire)
    elif end == "erase":
        change(world, booking, status=BookingStatus.EXPIRED)
        world.do(retention.erase_person, booking.visitor_id, fake_clock.now())
    else:
        world.do(consents.withdraw, world.manager, consent_of(world, booking).id, Channel.CONSOLE)
    assert nothing_left(world)


@pytest.mark.req("BK-04", "ID-06")
@pytest.mark.parametrize("why", ["time", "state", "policy", "notice"])
def test_what_has_no_reason_to_be_there_is_swept(
    world: World, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    other = make_world(world.database, name="别处")
    stays, _, _ = invite(other, name="陆远")
    booking, _, _ = invite(world)
    add(world, booking)
    survivor = add(other, stays) if why in {"policy", "state"} else None
    assert world.do(booking_photos.sweep, fake_clock.now()) == 0
    assert kept(world)
    if why == "time":
        fake_clock.move(hours=4, minutes=31)
    elif why == "state":
        change(world, booking, status="something new")
    elif why == "policy":
        world.do(face_policy.save, world.manager, world.site.id, {"verify": False})
    else:
        terms = {**TERMS, Purpose.FACE_VISIT: Terms(TERMS[Purpose.FACE_VISIT].classes, "2099-01")}
        monkeypatch.setattr(rules, "TERMS", terms)
        monkeypatch.setattr(repository, "TERMS", terms)
    assert world.ask(booking_photos.usable, booking.id) is None
    assert world.do(booking_photos.sweep, fake_clock.now()) == 1
    assert [row.id for row in kept(world)] == ([survivor.id] if survivor else [])
    assert [path.name for path in files()] == ([survivor.file_id] if survivor else [])
    assert world.do(booking_photos.sweep, fake_clock.now()) == 0


def test_a_visit_that_goes_on_keeps_it_until_the_way_out(world: World, fake_clock: FakeClock) -> None:
    booking, issued, _ = invite(world)
    add(world, booking)
    admit(world, show_code(world, issued))
    assert world.do(booking_photos.sweep, fake_clock.move(hours=6)) == 0
    assert world.do(booking_photos.sweep, fake_clock.move(hours=12)) == 1


def test_an_act_that_fails_leaves_no_picture_that_can_be_shown(world: World) -> None:
    booking, _, _ = invite(world)
    row = add(world, booking)

    def fails(session: object) -> None:
        booking_photos.withdraw(session, visitor(booking))  # type: ignore[arg-type]
        raise Conflict("attempt_closed")

    with pytest.raises(GateError):
        world.do(fails)
    # The row came back, the file did not: nobody is shown anything, and the next act ends both.
    assert [one.id for one in kept(world)] == [row.id]
    with pytest.raises(NotFound):
        vault.get(row.file_id)
    withdraw(world, booking)
    assert nothing_left(world)


@pytest.mark.req("ID-06")
def test_pictures_count_among_the_people_whose_face_is_stored(world: World) -> None:
    assert FILING_PEOPLE
    booking, _, _ = invite(world)
    before = world.ask(repository.count_people)
    add(world, booking)
    assert world.ask(repository.count_people) == before + 1


# --- the equal way ----------------------------------------------------------------------------------------------------


@pytest.mark.req("BK-04", "ID-06")
@pytest.mark.parametrize("risk", ["low", "medium", "high"])
def test_who_adds_no_picture_gets_in_as_who_does(world: World, risk: str) -> None:
    place = world if risk == "medium" else make_world(world.database, risk, name=f"{risk}园")
    without, issued, _ = invite(place)
    first = show_code(place, issued)
    added, other_issued, _ = invite(place, name="陈静")
    add(place, added)
    second = show_code(place, other_issued)
    assert (first.outcome, first.reasons, first.missing) == (second.outcome, second.reasons, second.missing)
    # To have said no leaves nothing behind that could ever be held against anybody.
    assert (
        place.ask(lambda s: s.exec(select(BookingPhoto).where(BookingPhoto.booking_id == without.id)).all())
        == []
    )
    assert place.ask(repository.consents_of, without.visitor_id) == []
    assert not place.ask(lambda s: s.exec(select(EvidenceRow).where(EvidenceRow.kind == "face")).all())


def test_whoever_is_inside_cannot_add_one_but_can_withdraw(world: World) -> None:
    booking, issued, _ = invite(world)
    add(world, booking)
    admit(world, show_code(world, issued))
    with pytest.raises(Conflict, match="photo_not_asked"):
        add(world, booking)
    withdraw(world, booking)
    assert kept(world) == []
    inside, _, _ = let_in(world, name="陆远")
    with pytest.raises(Conflict):
        add(world, inside)
