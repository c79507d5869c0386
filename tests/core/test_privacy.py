"""What lies on the disk names nobody, opens only with its key and in its place, and shows masked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import SQLModel

from app.core import crypto, keys, masking, search
from app.core.crypto import Keyring, KeysMissing, Unreadable
from app.core.database import Database
from app.core.settings import get_settings
from app.domain.admission import exits, walk_ins
from app.domain.admission import service as admission
from app.domain.booking import links
from app.domain.booking import service as bookings
from app.domain.people.models import Person
from app.runtime.installation import open_installation
from tests.factories import (
    GUEST,
    GUEST_PHONE,
    GUEST_PLATE,
    HOST,
    HOST_PHONE,
    STRANGER,
    STRANGER_PHONE,
    STRANGER_TAIL,
    World,
    admit,
    answer,
    invite,
    let_in,
    make_world,
    see_document,
    walk_in,
)

NAMES = (GUEST, HOST, STRANGER)
NUMBERS = (GUEST_PHONE, HOST_PHONE, STRANGER_PHONE, GUEST_PLATE, GUEST_PLATE[1:], STRANGER_TAIL, "京A·8C56Z")
WORDS = ("掉进河里了", "情绪激动", "他是前夫", "丰巢速运", "本人核对无误")


def live_a_day(world: World) -> None:
    """Everything a guest and a stranger leave behind."""
    booking, _, visit = let_in(world)
    world.do(exits.lose_pass, world.guard, visit.id, world.both.id, WORDS[0], identity_seen=True, paid=True)
    later, _, secret = invite(world)
    world.do(bookings.send_link, world.host, later.id)
    world.do(links.open_link, secret, "0000")
    world.do(links.open_link, secret, GUEST_PHONE[-4:])
    stranger = see_document(
        world, walk_in(world, plate=GUEST_PLATE, company=WORDS[3], document_tail=STRANGER_TAIL)
    )
    asked = world.do(walk_ins.ask_host, world.guard, stranger.id)
    world.do(walk_ins.answer, world.host, asked.id, agree=False, note=WORDS[2])
    world.do(admission.refuse, world.guard, stranger.id, WORDS[1])
    again = see_document(world, walk_in(world))
    answer(world, again, agree=True)
    admit(world, again)
    assert booking.id != later.id


@pytest.mark.req("RE-05")
def test_the_stored_bytes_hold_no_name_phone_plate_document_or_note(sqlite: Database) -> None:
    live_a_day(make_world(sqlite))
    folder = get_settings().data_dir
    files = sorted(folder.glob("gatehouse.db*"))
    assert {file.suffix for file in files} >= {".db", ".db-wal"}
    stored = b"".join(file.read_bytes() for file in files)
    assert "锦绣花园".encode() in stored  # what is not personal is readable, so the search would find it
    spelled = [
        text.encode(coding)
        for text in NAMES + NUMBERS + WORDS
        for coding in ("utf-8", "utf-16-le", "utf-16-be")
    ]
    assert [trace for trace in spelled if trace in stored and len(trace) > 4] == []
    # Four characters may occur by chance in a hex id, so the tail of a document is looked for as a value.
    assert STRANGER_TAIL.encode() not in stored


@pytest.mark.req("RE-05")
def test_no_table_holds_a_personal_value_in_the_clear(world: World) -> None:
    live_a_day(world)
    with world.database.engine.connect() as connection:
        cells = [
            str(cell)
            for table in SQLModel.metadata.sorted_tables
            for row in connection.execute(table.select())
            for cell in row
        ]
    text = "\n".join(cells)
    assert [value for value in NAMES + NUMBERS[:4] + WORDS if value in text] == []


@pytest.mark.req("RE-05")
def test_a_sealed_cell_moved_to_another_row_does_not_open(world: World) -> None:
    first, second = (invite(world, name=name)[0] for name in (GUEST, "另一位"))
    mine, other = world.get(Person, first.visitor_id), world.get(Person, second.visitor_id)
    other.name = mine.name
    with pytest.raises(Unreadable):
        crypto.reveal(other, "name")


@pytest.mark.req("RE-05")
def test_a_sealed_cell_moved_to_another_column_does_not_open(world: World) -> None:
    person = world.get(Person, invite(world)[0].visitor_id)
    person.company = person.name
    with pytest.raises(Unreadable):
        crypto.reveal(person, "company")


@pytest.mark.req("RE-05")
@pytest.mark.parametrize("position", [0, 1, 2, 13, 14, -17, -1])
def test_a_sealed_cell_with_one_bit_changed_does_not_open(position: int) -> None:
    ring = Keyring({1: bytes(32)})
    sealed = bytearray(ring.seal(GUEST, "person|name|1"))
    sealed[position] ^= 1
    with pytest.raises(Unreadable):
        ring.open(bytes(sealed), "person|name|1")


@pytest.mark.req("RE-05")
@pytest.mark.parametrize("length", [0, 1, 2, 14, 29])
def test_a_truncated_cell_does_not_open(length: int) -> None:
    ring = Keyring({1: bytes(32)})
    with pytest.raises(Unreadable):
        ring.open(ring.seal(GUEST, "place")[:length], "place")


@given(st.text(), st.text())
def test_what_is_sealed_opens_in_its_place(text: str, place: str) -> None:
    if any("\ud800" <= c <= "\udfff" for c in text + place):
        return
    ring = Keyring({1: bytes(32)})
    assert ring.open(ring.seal(text, place), place) == text


@pytest.mark.req("RE-05")
def test_a_newer_key_seals_and_the_older_one_still_opens() -> None:
    old = Keyring({1: bytes(32)})
    both = Keyring({1: bytes(32), 2: b"\1" * 32})
    assert both.open(old.seal(GUEST, "place"), "place") == GUEST
    assert both.seal(GUEST, "place")[1] == 2
    assert both.index("phone", "x") == old.index("phone", "x")
    with pytest.raises(Unreadable):
        old.open(both.seal(GUEST, "place"), "place")


@pytest.mark.req("RE-05")
def test_every_field_has_its_own_index_key() -> None:
    ring = Keyring({1: bytes(32)})
    assert ring.index("phone", GUEST_PHONE) != ring.index("search", GUEST_PHONE)
    assert ring.index("phone", GUEST_PHONE) != Keyring({1: b"\1" * 32}).index("phone", GUEST_PHONE)


def spoil(path: Path, how: str) -> None:
    path.chmod(0o600)
    if how == "gone":
        path.unlink()
    elif how == "of another installation":
        path.write_text("00" * 32)
    elif how == "no hex":
        path.write_text("not a key")
    elif how == "too short":
        path.write_text("00" * 31)
    elif how == "readable by others":
        path.chmod(0o644)


@pytest.mark.req("RE-05")
@pytest.mark.parametrize(
    "how", ["gone", "of another installation", "no hex", "too short", "readable by others"]
)
def test_without_the_right_key_file_nothing_starts_and_nothing_is_blank(sqlite: Database, how: str) -> None:
    world = make_world(sqlite)
    person = world.get(Person, invite(world)[0].visitor_id)
    spoil(get_settings().data_dir / keys.KEY_FILE, how)
    with pytest.raises(KeysMissing):
        open_installation()
    assert person.name is not None
    if how == "gone":
        assert not (get_settings().data_dir / keys.KEY_FILE).exists()


@pytest.mark.req("RE-05")
@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三丰", "张**"),
        ("王建", "王*"),
        ("欧阳建国", "欧阳**"),
        ("欧阳修", "欧阳*"),
        ("欧阳", "欧*"),
        ("买买提·吐尔逊", "买**"),
        ("John Smith", "J***"),
        ("𠮷野家", "𠮷**"),
        ("李", "李*"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_a_name_is_masked(name: str, masked: str) -> None:
    assert masking.mask_name(name) == masked


@pytest.mark.req("RE-05")
@pytest.mark.parametrize(
    ("function", "value", "masked"),
    [
        (masking.mask_phone, "13812341234", "138****1234"),
        (masking.mask_phone, "+85298765432", "+85****5432"),
        (masking.mask_phone, "12345", "***45"),
        (masking.mask_phone, "", ""),
        (masking.mask_document, "110101199003071234", "110***********1234"),
        (masking.mask_document, "E12341234", "E****1234"),
        (masking.mask_document, "123X", "****"),
        (masking.mask_plate, "京A8C545", "京A·***45"),
        (masking.mask_plate, "粤BD12345", "粤B·***45"),
        (masking.mask_plate, "", ""),
    ],
)
def test_a_number_is_masked(function, value: str, masked: str) -> None:
    assert function(value) == masked


@pytest.mark.req("RE-05")
@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("周婷婷", "周婷"),
        ("周婷婷", "zhoutingting"),
        ("周婷婷", "ZTT"),
        ("周婷婷", "138 0013 8001"),
        ("周婷婷", "8001"),
        ("周婷婷", "京A·8C56Z"),
        ("周婷婷", "C56Z"),
        ("买买提·吐尔逊", "买买提·吐尔逊"),
        ("买买提·吐尔逊", "买买提吐尔逊"),
        ("John Smith", "john"),
        ("张𡈽生", "张𡈽"),
        ("单雄信", "sxx"),
        ("单雄信", "dxx"),
    ],
)
def test_a_sealed_guest_is_found_by_what_people_type(world: World, name: str, query: str) -> None:
    booking, _, _ = invite(world, name=name)
    invite(world, name="别的人", phone="13700137000", plate="")
    assert world.ask(search.find, world.site.id, query) == [booking.visitor_id]


@pytest.mark.req("RE-05")
def test_a_guest_of_another_site_is_not_found(world: World) -> None:
    invite(make_world(world.database, name="翠湖苑"))
    assert world.ask(search.find, world.site.id, GUEST) == []
