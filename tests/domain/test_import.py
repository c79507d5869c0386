"""One sheet of units and residents: all rows or none, each fault by its row."""

from __future__ import annotations

import contextlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from sqlmodel import func, select

from app.core import crypto
from app.core.errors import GateError, InvalidInput
from app.domain.people import importing
from app.domain.people.importing import ImportRejected, ImportResult, read_rows
from app.domain.people.models import Person
from app.domain.sites import repository as sites
from app.domain.sites.models import Unit
from tests.factories import World

HEADER = "房号,楼栋,姓名,手机,关系\n"
GOOD = (
    HEADER
    + "1栋101,1栋,王小明,13700137001,业主\n1栋101,1栋,王小红,13700137002,家人\n2栋202,2栋,李𠮷,+86 137-0013-7003,租户\n"
)


def run(world: World, data: bytes, filename: str = "residents.csv") -> ImportResult:
    return world.do(importing.import_residents, world.manager, world.site.id, data, filename)


def faults(world: World, data: bytes, filename: str = "residents.csv") -> list[tuple[int, str, str]]:
    with pytest.raises(ImportRejected) as caught:
        run(world, data, filename)
    return [(error.row, error.field, error.code) for error in caught.value.result.errors]


def count(world: World, table: type) -> int:
    return world.ask(lambda session: session.exec(select(func.count()).select_from(table)).one())


def workbook(*rows: tuple[object, ...]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


@pytest.mark.req("SI-01")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_sheet_is_entered_in_either_encoding(world: World, encoding: str) -> None:
    result = run(world, GOOD.encode(encoding))
    assert (result.units, result.people, result.errors) == (2, 3, [])
    unit = world.ask(sites.unit_by_label, world.site.id, "2栋202")
    ((_, person),) = world.ask(importing.repository.members, unit.id)
    assert (crypto.reveal(person, "name"), crypto.reveal(person, "phone")) == ("李𠮷", "13700137003")
    assert {area.name for area in world.ask(sites.areas, world.site.id)} == {"1栋", "2栋"}


@pytest.mark.req("SI-01")
def test_a_workbook_with_numbers_for_phones_is_entered(world: World) -> None:
    data = workbook(("unit", "name", "phone"), (None, None, None), (801, "Ann Lee", 13700137001))
    assert run(world, data, "residents.xlsx").people == 1
    assert world.ask(sites.unit_by_label, world.site.id, "801") is not None


@pytest.mark.req("SI-01")
def test_one_bad_row_changes_nothing_and_every_fault_is_named_by_its_row(world: World) -> None:
    before = (count(world, Unit), count(world, Person))
    data = (
        GOOD
        + ",,没有房号,13700137009,\n3栋301,,,13700137004,\n\n3栋302,,赵六,12345,\n3栋303,,钱七,13700137005,朋友\n"
    )
    assert faults(world, data.encode()) == [
        (5, "unit", "name_missing"),
        (6, "name", "name_missing"),
        (8, "phone", "phone_wrong"),
        (9, "relation", "choice_wrong"),
    ]
    assert (count(world, Unit), count(world, Person)) == before


@pytest.mark.req("SI-01")
def test_the_same_resident_twice_in_one_sheet_is_a_fault(world: World) -> None:
    data = HEADER + "1栋101,,王小明,13700137001,\n1栋101,,王小明,137 0013 7001,\n"
    assert faults(world, data.encode()) == [(3, "phone", "import_twice")]


@pytest.mark.req("SI-01")
def test_a_resident_who_is_there_already_is_a_fault(world: World) -> None:
    run(world, GOOD.encode())
    assert [fault[2] for fault in faults(world, GOOD.encode())] == ["import_known"] * 3
    assert count(world, Person) == 4


@pytest.mark.req("SI-01")
def test_one_person_may_live_in_two_units(world: World) -> None:
    data = HEADER + "1栋101,,王小明,13700137001,\n2栋202,,王小明,13700137001,\n"
    assert run(world, data.encode()).people == 2
    assert count(world, Person) == 2


@pytest.mark.req("SI-01")
@pytest.mark.parametrize(
    ("data", "filename", "code"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0", "a.csv", "file_unreadable"),
        ("房号,姓名\n".encode("utf-16"), "a.csv", "file_unreadable"),
        (b"\xff\xff\xff\xff", "a.csv", "file_unreadable"),
        (b"name;phone\nx;y\n", "a.csv", "import_header"),
        (GOOD.encode(), "a.xlsx", "file_unreadable"),
        (b"PK\x03\x04 no archive", "a.xlsx", "file_unreadable"),
        (b"x" * 5_000_001, "a.csv", "file_large"),
        (b"unit,name,phone\n" + b"\n" * 20_000 + b"1,a,13700137001\n", "a.csv", "import_long"),
        (("房号,姓名\n" + "长" * 200_000).encode(), "a.csv", "file_unreadable"),
    ],
)
def test_what_is_no_such_sheet_is_refused_as_a_whole(
    world: World, data: bytes, filename: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        run(world, data, filename)
    assert caught.value.code == code


@pytest.mark.req("SI-01")
@pytest.mark.parametrize("data", [b"", b"\n\n", HEADER.encode(), workbook(), workbook(("unit", "name"))])
def test_an_empty_sheet_is_a_fault(world: World, data: bytes) -> None:
    filename = "a.xlsx" if data[:2] == b"PK" else "a.csv"
    assert faults(world, data, filename) == [(1, "file", "import_empty")]


@pytest.mark.req("SI-01")
def test_a_workbook_that_unpacks_without_end_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"0" * 120_000_000)
    assert len(out.getvalue()) < importing.MAX_BYTES
    with pytest.raises(InvalidInput) as caught:
        list(read_rows(out.getvalue(), "a.xlsx"))
    assert caught.value.code == "file_large"


WORKBOOK = workbook(("unit", "name", "phone"), ("101", "王小明", "13700137001"))


@given(st.integers(0, len(WORKBOOK) - 1), st.integers(1, 255))
def test_no_damaged_workbook_fails_in_another_way(position: int, change: int) -> None:
    data = bytearray(WORKBOOK)
    data[position] ^= change
    with contextlib.suppress(GateError):
        list(read_rows(bytes(data), "a.xlsx"))


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_no_bytes_make_reading_fail_in_another_way(data: bytes) -> None:
    try:
        list(read_rows(b"unit,name,phone\n" + data, "a.csv"))
        list(read_rows(data, "a.csv"))
    except GateError:
        pass
