"""Standing permits: filed, given cards, renewed, prolonged and ended by the office (SI-06)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import Session, select

from app.core import clock, crypto, search
from app.core.audit import AuditEntry
from app.core.errors import Conflict, GateError, InvalidInput, NotAllowed, NotFound
from app.core.permissions import Role
from app.domain.access import permit_queries, permits
from app.domain.access import repository as access_rows
from app.domain.access import service as access
from app.domain.access.models import Card
from app.domain.access.rules import CARD_MOVES, CardStatus
from app.domain.admission.rules import Outcome, Reason
from app.domain.booking.models import Booking
from app.domain.booking.service import Invitation
from app.domain.people import service as people
from app.domain.people.models import InboxMessage, Person
from app.domain.records import retention
from app.domain.sites.rules import HolderKind, VisitorKind
from app.runtime import sweeps
from tests.factories import World, actor, admit, invitation, make_world, present, standing
from tests.installation import FakeClock

UID, OTHER_UID = "04A1B2C3D4E580", "04FFEE00112280"
OFFICE = (Role.MANAGER, Role.SERVICE)


def file(world: World, visitor_type: str = VisitorKind.PARTNER, days: int = 30, **changes: object) -> Booking:
    """A partner filed at the console, without a card."""
    site = world.site
    until = permits.end_of_day(permits.today(site) + timedelta(days=days), site)
    form = invitation(world, visitor_type=visitor_type, ends_at=until, name="刘桂芳", **changes)
    return world.do(permits.file_partner, world.manager, form)


def home_permit(world: World, days: int = 365) -> Booking:
    """The resident's own permit."""
    until = permits.end_of_day(permits.today(world.site) + timedelta(days=days), world.site)
    return world.do(permits.grant, world.manager, world.resident.id, world.unit.id, until)


def issue(world: World, booking: Booking, uid: str = UID, label: str = "", **options: bool) -> Card:
    """A card, given out by the manager."""
    return world.do(access.issue_card, world.manager, world.site.id, booking.id, uid, label, **options)


def set_status(world: World, card: Card, status: CardStatus) -> None:
    """What the manager presses."""
    world.do(lambda s: access.set_card_status(s, world.manager, access_rows.card_by_id(s, card.id), status))


def acts(world: World, prefix: str) -> list[str]:
    """What was audited under a prefix, in order."""
    query = select(AuditEntry).where(AuditEntry.site_id == world.site.id).order_by(AuditEntry.seq)  # type: ignore[arg-type]
    return [e.action for e in world.ask(lambda s: s.exec(query).all()) if e.action.startswith(prefix)]


@pytest.mark.req("SI-06", "AD-02")
def test_a_partner_filed_at_the_console_comes_in_with_the_card(world: World) -> None:
    booking = file(world)
    issue(world, booking, "04:a1:b2:c3:d4:e5:80")
    attempt = present(world, UID, "card")
    assert (attempt.outcome, attempt.reasons) == (Outcome.ADMIT, [Reason.STANDING])
    assert acts(world, "card.") == ["card.issue"]
    assert booking.link_hash is None


@pytest.mark.req("SI-06", "AD-02")
def test_residents_and_staff_have_cards_of_their_own_kind(world: World) -> None:
    mine = home_permit(world)
    issue(world, mine)
    worker = world.do(people.add_person, world.site.id, people.STAFF, "周海")
    office = world.do(permits.workplace, world.manager, "物业服务中心")
    until = permits.end_of_day(permits.today(world.site) + timedelta(days=30), world.site)
    theirs = world.do(permits.grant, world.manager, worker.id, office.id, until)
    issue(world, theirs, OTHER_UID)
    assert [mine.visitor_type, theirs.visitor_type] == [HolderKind.RESIDENT, HolderKind.STAFF]
    for uid in (UID, OTHER_UID):
        assert present(world, uid, "card").outcome == Outcome.ADMIT
    assert world.do(permits.workplace, world.manager, "物业服务中心").id == office.id
    assert world.ask(permits.staff_without, world.site.id) == []


@pytest.mark.req("SI-06")
def test_nobody_is_told_of_the_own_coming_home(world: World, fake_clock: FakeClock) -> None:
    from app.adapters.channels import CHANNELS
    from app.core import outbox

    issue(world, home_permit(world))
    admit(world, present(world, UID, "card"))
    assert world.do(outbox.deliver_due, clock.now(), CHANNELS) > 0
    assert world.ask(lambda s: s.exec(select(InboxMessage)).all()) == []


@pytest.mark.req("SI-06")
def test_a_resident_gets_a_permit_for_an_own_unit_only_and_one_at_a_time(world: World) -> None:
    elsewhere = world.do(permits.workplace, world.manager, "别人家")
    until = clock.now() + timedelta(days=3)
    with pytest.raises(InvalidInput) as caught:
        world.do(permits.grant, world.manager, world.resident.id, elsewhere.id, until)
    assert caught.value.code == "unit_missing"
    home_permit(world)
    with pytest.raises(Conflict) as twice:
        home_permit(world)
    assert twice.value.code == "permit_exists"


@pytest.mark.req("SI-06")
def test_a_visitor_is_granted_no_permit_of_a_resident(world: World) -> None:
    booking = file(world)
    with pytest.raises(NotAllowed):
        world.do(permits.grant, world.manager, booking.visitor_id, world.unit.id, clock.now() + timedelta(1))


@pytest.mark.req("SI-06")
@pytest.mark.parametrize(
    ("visitor_type", "days", "code"),
    [
        (VisitorKind.PARTNER, 366, ""),
        (VisitorKind.PARTNER, 367, "window_days"),
        (VisitorKind.SERVICE, 365, ""),  # one visit takes an hour, the courier is filed for a year
        (VisitorKind.TEMPORARY_WORKER, 30, ""),
        (VisitorKind.TEMPORARY_WORKER, 32, "window_days"),
        (VisitorKind.GUEST, 1, "choice_wrong"),
        (HolderKind.STAFF, 1, "choice_wrong"),
    ],
)
def test_a_permit_lasts_as_long_as_its_type_allows(
    world: World, visitor_type: str, days: int, code: str
) -> None:
    form = invitation(world, visitor_type=visitor_type, ends_at=clock.now() + timedelta(days=days))
    if not code:
        assert world.do(permits.file_partner, world.manager, form).status == "approved"
        return
    with pytest.raises(GateError) as caught:
        world.do(permits.file_partner, world.manager, form)
    assert caught.value.code == code


@pytest.mark.req("SI-06")
def test_a_permit_holds_to_the_end_of_its_last_day_on_the_sites_clock(
    world: World, fake_clock: FakeClock
) -> None:
    issue(world, file(world, days=0))
    fake_clock.move(hours=13, minutes=59)  # 23:59 in Shanghai
    assert present(world, UID, "card").outcome == Outcome.ADMIT
    fake_clock.move(minutes=1, seconds=1)
    assert present(world, UID, "card", lane=world.entry).reasons == [Reason.TOO_LATE]


@pytest.mark.req("AD-02")
@pytest.mark.parametrize("status", [CardStatus.ACTIVE, CardStatus.BLOCKED, CardStatus.LOST])
@pytest.mark.parametrize("typed", [UID, "80E5D4C3B2A104"])
def test_the_card_of_somebody_else_is_refused_until_it_is_handed_back(
    world: World, status: CardStatus, typed: str
) -> None:
    holder, other = file(world), file(world, phone="13900139077")
    card = issue(world, holder)
    if status is not CardStatus.ACTIVE:
        set_status(world, card, status)
    with pytest.raises(Conflict) as caught:
        issue(world, other, typed)
    assert caught.value.code == "card_taken"
    set_status(world, card, CardStatus.RETURNED)
    issue(world, other, typed, backwards=typed != UID)
    attempt = present(world, UID, "card")
    assert (attempt.booking_id, attempt.outcome) == (other.id, Outcome.ADMIT)


@pytest.mark.req("AD-02")
def test_a_card_that_this_person_has_is_named_as_such(world: World) -> None:
    booking = file(world)
    issue(world, booking)
    with pytest.raises(Conflict) as caught:
        issue(world, booking)
    assert caught.value.code == "card_own"


@pytest.mark.req("AD-02")
@pytest.mark.parametrize(
    ("status", "reason"),
    [(CardStatus.BLOCKED, Reason.CARD_BLOCKED), (CardStatus.LOST, Reason.PASS_LOST)],
)
def test_a_card_out_of_use_is_refused_at_the_gate_and_serves_again_when_let(
    world: World, status: CardStatus, reason: Reason
) -> None:
    card = issue(world, file(world))
    set_status(world, card, status)
    attempt = present(world, UID, "card")
    assert (attempt.outcome, attempt.reasons) == (Outcome.REFUSE, [reason])
    set_status(world, card, CardStatus.ACTIVE)
    assert present(world, UID, "card", lane=world.entry).outcome == Outcome.ADMIT
    assert acts(world, "card.") == ["card.issue", f"card.{status}", "card.active"]


@pytest.mark.req("AD-02")
def test_a_card_takes_no_step_that_its_state_forbids(world: World) -> None:
    booking = file(world)
    for number, start in enumerate(CardStatus):
        for step in CardStatus:
            if step in CARD_MOVES[start]:
                continue
            card = issue(world, booking, f"04A1B2C{number}")
            if start is not CardStatus.ACTIVE:
                set_status(world, card, start)
            with pytest.raises(Conflict) as caught:
                set_status(world, card, step)
            assert caught.value.code == "card_state"
            if start is not CardStatus.RETURNED:
                set_status(world, card, CardStatus.RETURNED)


@pytest.mark.req("AD-02", "RE-05")
def test_of_a_card_only_the_end_of_its_number_is_kept_readable(world: World) -> None:
    card = issue(world, file(world), label="A-017 王阿姨")
    assert crypto.reveal(card, "label") == "A-017 王阿姨"
    with world.database.engine.connect() as connection:
        cells = [cell for row in connection.execute(select(Card.__table__)) for cell in row]  # type: ignore[attr-defined]
    shown = " ".join(bytes(c).hex() if isinstance(c, bytes | memoryview) else str(c) for c in cells)
    assert "E580" in shown
    for secret in (UID, UID.lower(), "A-017", "王阿姨", "王阿姨".encode().hex()):
        assert secret not in shown


@pytest.mark.req("SI-06", "AD-02")
def test_an_ended_permit_lets_nobody_in_and_blocks_its_cards(world: World) -> None:
    booking = file(world)
    card = issue(world, booking)
    waiting = present(world, UID, "card")
    world.do(permits.end, world.manager, booking.id)
    with pytest.raises(GateError):
        admit(world, waiting)
    attempt = present(world, UID, "card", lane=world.entry)
    assert attempt.outcome == Outcome.REFUSE
    assert set(attempt.reasons) == {Reason.BOOKING_CANCELLED, Reason.CARD_BLOCKED}
    assert world.get(Card, card.id).status == CardStatus.BLOCKED
    world.do(permits.end, world.manager, booking.id)
    assert acts(world, "permit.") == ["permit.end"]
    with pytest.raises(Conflict):
        issue(world, booking, OTHER_UID)
    with pytest.raises(Conflict):
        world.do(permits.prolong, world.manager, booking.id, clock.now() + timedelta(days=9))


@pytest.mark.req("SI-06")
def test_a_permit_that_ran_out_lives_again_when_it_is_prolonged(world: World, fake_clock: FakeClock) -> None:
    booking = file(world, days=0)
    issue(world, booking)
    fake_clock.move(days=2)
    world.do(sweeps.expire)
    assert world.get(Booking, booking.id).status == "expired"
    assert present(world, UID, "card").outcome == Outcome.REFUSE
    world.do(permits.prolong, world.manager, booking.id, clock.now() + timedelta(days=9))
    assert present(world, UID, "card", lane=world.entry).outcome == Outcome.ADMIT
    with pytest.raises(InvalidInput) as caught:
        world.do(permits.prolong, world.manager, booking.id, clock.now() + timedelta(days=900))
    assert caught.value.code == "window_days"


@pytest.mark.req("SI-06")
@pytest.mark.parametrize("role", list(Role))
def test_the_office_and_the_supervisor_renew_a_worker_and_nobody_else(world: World, role: Role) -> None:
    booking, _ = standing(world, VisitorKind.TEMPORARY_WORKER, UID)
    who = actor(world.site.id, role)
    if role not in {*OFFICE, Role.SUPERVISOR}:
        with pytest.raises(NotAllowed):
            world.do(permits.renew_today, who, booking.id)
        return
    world.do(permits.renew_today, who, booking.id)
    assert world.get(Booking, booking.id).renewed_on == date(2026, 3, 2)
    assert present(world, UID, "card").outcome == Outcome.ADMIT
    assert acts(world, "booking.renew") == ["booking.renew"]


@pytest.mark.req("SI-06")
def test_a_renewal_reaches_the_worker_who_waits_at_the_gate(world: World) -> None:
    from app.domain.booking.models import BookingChanged

    booking, _ = standing(world, VisitorKind.TEMPORARY_WORKER, UID)
    told: list[object] = []
    world.database.listen(told.append)
    world.do(permits.renew_today, world.supervisor, booking.id)
    assert [one.booking_id for one in told if isinstance(one, BookingChanged)] == [booking.id]


@pytest.mark.req("SI-06")
def test_renewing_today_means_the_day_at_the_site(world: World, fake_clock: FakeClock) -> None:
    booking, _ = standing(world, VisitorKind.TEMPORARY_WORKER, UID)
    fake_clock.move(hours=15)  # 17:00 in London, already tomorrow in Shanghai
    world.do(permits.renew_today, world.manager, booking.id)
    assert world.get(Booking, booking.id).renewed_on == date(2026, 3, 3)


@pytest.mark.req("SI-06")
def test_what_needs_no_renewal_or_is_over_is_not_renewed(world: World) -> None:
    partner, worker = file(world), file(world, VisitorKind.TEMPORARY_WORKER)
    with pytest.raises(Conflict) as needless:
        world.do(permits.renew_today, world.manager, partner.id)
    world.do(permits.end, world.manager, worker.id)
    with pytest.raises(Conflict) as over:
        world.do(permits.renew_today, world.manager, worker.id)
    assert [needless.value.code, over.value.code] == ["renewal_needless", "permit_over"]


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("role", list(Role))
def test_only_the_office_files_prolongs_and_ends(world: World, role: Role) -> None:
    booking = file(world)
    who, until = actor(world.site.id, role), clock.now() + timedelta(days=2)
    form: Invitation = invitation(world, visitor_type=VisitorKind.PARTNER)
    calls = [
        (permits.file_partner, (form,)),
        (permits.grant, (world.resident.id, world.unit.id, until)),
        (permits.prolong, (booking.id, until)),
        (permits.workplace, ("工程部",)),
        (permits.end, (booking.id,)),
    ]
    for service, given in calls:
        if role in OFFICE:
            world.do(service, who, *given)
        else:
            with pytest.raises(NotAllowed):
                world.do(service, who, *given)


@pytest.mark.req("SI-04")
def test_the_office_of_another_site_reaches_no_permit_here(world: World) -> None:
    booking = file(world)
    card = issue(world, booking)
    stranger = make_world(world.database, name="翠湖苑").manager
    until = clock.now() + timedelta(days=2)
    for work in (
        lambda s: permits.file_partner(s, stranger, invitation(world, visitor_type=VisitorKind.PARTNER)),
        lambda s: permits.grant(s, stranger, world.resident.id, world.unit.id, until),
        lambda s: permits.prolong(s, stranger, booking.id, until),
        lambda s: permits.end(s, stranger, booking.id),
        lambda s: access.issue_card(s, stranger, stranger.site_id, booking.id, OTHER_UID),
        lambda s: access.set_card_status(s, stranger, access_rows.card_by_id(s, card.id), CardStatus.BLOCKED),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            world.do(work)
    assert world.get(Booking, booking.id).status == "approved"


@pytest.mark.req("SI-06")
def test_an_invitation_is_no_permit_and_is_not_reached_here(world: World) -> None:
    from tests.factories import invite

    booking, _, _ = invite(world)
    with pytest.raises(NotFound):
        world.do(permits.end, world.manager, booking.id)
    with pytest.raises(Conflict):
        issue(world, booking)


@pytest.mark.req("SI-06")
def test_permits_are_found_by_unit_name_phone_and_card(world: World) -> None:
    partner = file(world, phone="13900139077")
    issue(world, partner)
    home_permit(world)

    def find(needle: str, *, ended: bool = False) -> list[str]:
        rows = world.ask(permit_queries.permits, world.site.id, 50, 0, needle, ended=ended)
        assert world.ask(permit_queries.count, world.site.id, needle, ended=ended) == len(rows)
        return sorted(booking.id for booking, _, _ in rows)

    assert len(find("")) == len(find(world.unit.label)) == 2
    for needle in ("刘桂芳", "lgf", "9077", UID, "04 a1 b2 c3 d4 e5 80", str(int(UID, 16))):
        assert find(needle) == [partner.id], needle
    assert find("无此人") == []
    world.do(permits.end, world.manager, partner.id)
    assert partner.id not in find("")
    assert find("", ended=True) == [partner.id]


@pytest.mark.req("SI-06")
def test_cards_in_use_are_counted_by_person(world: World) -> None:
    booking = home_permit(world)
    held = lambda: world.ask(permit_queries.held_by, [world.resident.id])  # noqa: E731
    assert held() == {world.resident.id: 0}
    card = issue(world, booking)
    issue(world, booking, OTHER_UID)
    assert held() == {world.resident.id: 2}
    set_status(world, card, CardStatus.LOST)
    assert held() == {world.resident.id: 1}
    world.do(permits.end, world.manager, booking.id)
    assert held() == {}


@pytest.mark.req("RE-04")
def test_forgetting_takes_the_partner_and_the_words_on_the_card_but_no_resident(
    world: World, fake_clock: FakeClock
) -> None:
    partner, mine = file(world, days=1), home_permit(world, days=1)
    card = issue(world, partner, label="王阿姨")
    issue(world, mine, OTHER_UID)
    for uid in (UID, OTHER_UID):
        admit(world, present(world, uid, "card"))
        fake_clock.move(minutes=5)
        admit(world, present(world, uid, "card"))
    for booking in (partner, mine):
        world.do(permits.end, world.manager, booking.id)
    fake_clock.move(days=200)

    def purge(session: Session) -> int:
        return int(retention.purge(session, world.site.id, clock.now()))

    for _ in range(20):
        if not world.do(purge):
            break
    else:
        pytest.fail("forgetting finds something to do for ever")
    assert world.get(Person, partner.visitor_id).erased_at is not None
    assert world.get(Card, card.id).label is None
    assert world.ask(search.find, world.site.id, "刘桂芳") == []
    kept = world.get(Person, world.resident.id)
    assert kept.erased_at is None
    assert crypto.reveal(kept, "name") == "欧阳建国"
