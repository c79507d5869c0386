"""Machine-readable zones: ICAO's specimens, what typing does to them, and which fields then fail."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.identity.mrz import Mrz, MrzField, parse
from app.domain.identity.mrz_lines import LAYOUTS, MrzError, MrzFormat, check_digit
from tests.domain.mrz_specimens import SPECIMENS, TD1, TD1_LONG, TD2, TD3, digit, write

TODAY = date(2026, 11, 22)
ANNA = ("UTO", "ERIKSSON", "ANNA MARIA", "UTO", date(1974, 8, 12), "F", date(2012, 4, 15))
PETER = ("UTO", "STEVENSON", "PETER JOHN", "UTO", date(1934, 7, 12), "M", date(1995, 7, 12))
WHERE = {"td3": MrzFormat.TD3, "td2": MrzFormat.TD2, "td1": MrzFormat.TD1}


def person(zone: Mrz) -> tuple[object, ...]:
    return (zone.issuer, zone.surname, zone.given_names, zone.nationality, zone.birth, zone.sex, zone.expiry)


@pytest.mark.parametrize(
    ("name", "kind", "code", "number", "optional", "who"),
    [
        ("td3", MrzFormat.TD3, "P", "L898902C3", "ZE184226B", ANNA),
        ("td1", MrzFormat.TD1, "I", "D23145890", "", ANNA),
        ("td2", MrzFormat.TD2, "I", "D23145890", "", ANNA),
        ("td1_long", MrzFormat.TD1, "I", "D23145890734", "", PETER),
        ("td2_long", MrzFormat.TD2, "I", "D23145890734", "", PETER),
    ],
)
def test_the_specimens_are_read_whole(
    name: str, kind: MrzFormat, code: str, number: str, optional: str, who: tuple[object, ...]
) -> None:
    zone = parse(SPECIMENS[name], TODAY)
    assert (zone.format, zone.code, zone.number, zone.optional) == (kind, code, number, optional)
    assert person(zone) == who
    assert (zone.holds, zone.repaired, zone.name_cut) == (True, frozenset(), False)


def lines(text: str, *changes: tuple[int, int, str]) -> str:
    """A zone with pieces overwritten: line, column, text."""
    split = [list(line) for line in text.splitlines()]
    for line, column, new in changes:
        split[line][column : column + len(new)] = new
    return "\n".join("".join(line) for line in split)


@pytest.mark.parametrize(
    "typed",
    [
        TD3.lower(),
        TD3.replace("\n", "\r\n\r\n") + "\n",
        TD3.replace("\n", ""),
        TD3.replace("<", "＜"),
        TD3.replace("<<", "«"),
        TD3.replace("<<", "《"),
        "  P<UTO ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<  \n L898902C3 6 UTO 740812 2 F 120415 9 ZE184226B<<<<< 1 0",
        # Fillers left out at the name's end, fillers typed as spaces.
        "P<UTOERIKSSON<<ANNA<MARIA\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
        "P UTOERIKSSON  ANNA MARIA\nL898902C36UTO7408122F1204159ZE184226B     10",
        TD3.replace("<", " "),
        TD3.replace("\n", "").replace("<", " "),
        "Ｐ＜ＵＴＯＥＲＩＫＳＳＯＮ＜＜ＡＮＮＡ＜ＭＡＲＩＡ\nＬ８９８９０２Ｃ３６ＵＴＯ７４０８１２２Ｆ１２０４１５９ＺＥ１８４２２６Ｂ＜＜＜＜＜１０",
    ],
)
def test_however_it_is_typed_it_is_the_same_passport(typed: str) -> None:
    assert parse(typed, TODAY) == parse(TD3, TODAY)


def test_a_card_without_its_trailing_fillers_is_the_same_card() -> None:
    typed = "I<UTOD231458907\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON  ANNA MARIA"
    assert parse(typed, TODAY) == parse(TD1, TODAY)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "empty", 0),
        (" \n\n\t", "empty", 0),
        ("P<UTOERIKSSON<<ANNA<MARIA", "line_count", 0),
        ("A\nB\nC\nD", "line_count", 0),
        (lines(TD3)[:-1], "line_length", 2),
        (TD3 + "0", "line_length", 2),
        ("P<UTO" + "A" * 50 + "\n" + TD3.splitlines()[1], "line_length", 1),
        (TD1.replace("UTO<<<<<<<<<<<6", "UTO<<<<<<<<<<6"), "line_length", 2),
        (TD3.replace("ANNA", "ÅNNA"), "character", 1),
        (TD3.replace("ZE", "张三"), "character", 2),
        (TD3.replace("<<<<<10", "<<<<-10"), "character", 2),
        ("V" + TD3[1:], "visa", 0),
    ],
)
def test_what_has_not_the_shape_of_a_zone_is_refused_by_code(text: str, code: str, line: int) -> None:
    with pytest.raises(MrzError) as caught:
        parse(text, TODAY)
    assert (caught.value.code, caught.value.line) == (code, line)


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        (lines(TD3, (1, 0, "M")), {"number", "composite"}),
        (lines(TD3, (1, 9, "7")), {"number", "composite"}),
        (lines(TD3, (1, 13, "750812")), {"birth", "composite"}),
        (lines(TD3, (1, 21, "120416")), {"expiry", "composite"}),
        (lines(TD3, (1, 28, "ZF")), {"optional", "composite"}),
        (lines(TD3, (1, 43, "1")), {"composite"}),
        (lines(TD3, (1, 20, "X")), {"sex"}),
        (lines(TD3, (1, 10, "U7O")), {"nationality"}),
        (lines(TD3, (0, 2, "U7O")), {"issuer"}),
        (lines(TD3, (0, 0, "I")), {"code"}),
        (lines(TD3, (0, 6, "7")), {"name"}),
        (lines(TD3, (0, 5, "<" * 20)), {"name"}),
        (lines(TD1, (0, 5, "E")), {"number", "composite"}),
        (lines(TD1, (1, 18, "B")), {"composite"}),
        (lines(TD1, (1, 0, "7413122")), {"birth", "composite"}),
        (lines(TD1_LONG, (0, 17, "5")), {"number", "composite"}),
        (lines(TD2, (1, 0, "<" * 10)), {"number", "composite"}),
    ],
)
def test_exactly_the_fields_that_are_wrong_fail(text: str, failed: set[str]) -> None:
    zone = parse(text, TODAY)
    assert zone.failed == failed
    assert not zone.holds


def test_two_neighbours_exchanged_are_noticed() -> None:
    assert parse(lines(TD3, (1, 1, "98")), TODAY).failed == {"number", "composite"}


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        (lines(TD3, (1, 5, "O")), {"number"}),
        (lines(TD3, (1, 15, "O8")), {"birth"}),
        (lines(TD3, (1, 23, "O")), {"expiry"}),
        (lines(TD3, (1, 43, "O")), {"composite"}),
        (lines(TD3, (1, 10, "UT0")), {"nationality"}),
        (lines(TD3, (0, 2, "UT0")), {"issuer"}),
        (lines(TD3, (0, 5, "ERIKSS0N")), {"name"}),
        (lines(TD3, (1, 13, "74O8I22F12O4I59")), {"birth", "expiry"}),
        (lines(TD1, (0, 13, "O")), {"number"}),
    ],
)
def test_letters_taken_for_digits_are_put_right_and_named(text: str, repaired: set[str]) -> None:
    zone = parse(text, TODAY)
    assert (zone.failed, zone.repaired) == (frozenset(), repaired)
    assert person(zone) == ANNA


def test_a_number_that_could_be_put_right_in_two_ways_fails() -> None:
    # With three doubtful characters at places of the same weight any one of them would do.
    number = "O23056089"
    text = write("td3", number, "740812", "F", "120415", "ERIKSSON<<ANNA")
    zone = parse(lines(text, (1, 0, "0")), TODAY)
    assert zone.failed == {"number", "composite"}
    assert zone.repaired == frozenset()
    assert zone.number == "023056089"


def test_a_number_of_doubtful_characters_only_is_not_guessed() -> None:
    text = write("td3", "0" * 9, "740812", "F", "120415", "ERIKSSON<<ANNA")
    assert parse(lines(text, (1, 0, "O")), TODAY).failed == {"number", "composite"}


@pytest.mark.parametrize(
    ("birth", "born"),
    [
        ("261122", date(2026, 11, 22)),
        ("261123", date(1926, 11, 23)),
        ("000229", date(2000, 2, 29)),
        ("010229", None),
        ("991231", date(1999, 12, 31)),
        ("7408<<", None),
        ("74<<<<", None),
        ("<<<<<<", None),
    ],
)
def test_nobody_was_born_after_today_and_parts_may_be_unknown(birth: str, born: date | None) -> None:
    zone = parse(write("td3", "L898902C3", birth, "F", "300101", "ERIKSSON<<ANNA"), TODAY)
    assert zone.birth == born
    assert zone.failed == ({"birth"} if birth == "010229" else set())


@pytest.mark.parametrize("birth", ["74081<", "<<0812", "74<812"])
def test_an_unknown_part_is_a_whole_part_from_the_right(birth: str) -> None:
    assert parse(write("td3", "L898902C3", birth, "F", "300101", "A<<B"), TODAY).failed == {"birth"}


@pytest.mark.parametrize(
    ("expiry", "ends"),
    [
        ("361122", date(2036, 11, 22)),
        ("950712", date(1995, 7, 12)),
        ("750101", date(2075, 1, 1)),
        ("780101", date(1978, 1, 1)),
        ("000229", date(2000, 2, 29)),
    ],
)
def test_a_document_ends_within_fifty_years_of_today(expiry: str, ends: date) -> None:
    assert parse(write("td3", "L898902C3", "740812", "F", expiry, "A<<B"), TODAY).expiry == ends


def test_a_document_without_an_end_fails_there() -> None:
    zone = parse(write("td3", "L898902C3", "740812", "F", "<<<<<<", "A<<B"), TODAY)
    assert (zone.expiry, zone.failed) == (None, {"expiry"})


@pytest.mark.parametrize("check", ["<", "0"])
def test_empty_optional_data_may_have_no_check_digit(check: str) -> None:
    text = write("td3", "L898902C3", "740812", "F", "300101", "A<<B")
    assert parse(lines(text, (1, 42, check)), TODAY).holds


@pytest.mark.parametrize(
    ("names", "surname", "given", "cut"),
    [
        ("MMAMMA", "MMAMMA", "", False),
        ("VAN<DER<MUELLEN<<JAN", "VAN DER MUELLEN", "JAN", False),
        ("ZHANG<<SAN", "ZHANG", "SAN", False),
        ("A" * 39, "A" * 39, "", True),
        ("PAPANDROPOULOUS<<JONATHOON<ALEC<CHRISTOP", "PAPANDROPOULOUS", "JONATHOON ALEC CHRISTO", True),
    ],
)
def test_names_are_told_apart_and_a_full_field_is_marked(
    names: str, surname: str, given: str, *, cut: bool
) -> None:
    zone = parse(write("td3", "L898902C3", "740812", "F", "300101", names), TODAY)
    assert (zone.surname, zone.given_names, zone.name_cut, zone.failed) == (surname, given, cut, frozenset())


def test_germany_is_one_letter() -> None:
    zone = parse(write("td1", "C01X00T47", "640812", "<", "310228", "MUSTERMANN<<ERIKA", state="D"), TODAY)
    assert (zone.issuer, zone.nationality, zone.sex, zone.failed) == ("D", "D", "", frozenset())


def test_a_zone_does_not_show_the_person() -> None:
    shown = repr(parse(TD3, TODAY))
    assert not [secret for secret in ("ERIKSSON", "ANNA", "L898902C3", "1974") if secret in shown]


def test_each_layout_covers_its_zone_once() -> None:
    for kind, layout in LAYOUTS.items():
        spans = [
            layout.code, layout.issuer, layout.names, layout.number, layout.nationality, layout.birth, layout.expiry,
            layout.optional, layout.second_optional,
        ]  # fmt: skip
        checks = [layout.number.stop, layout.birth.stop, layout.expiry.stop, layout.sex, layout.composite]
        if layout.optional_check is not None:
            checks.append(layout.optional_check)
        places = sorted([at for span in spans for at in span] + checks)
        assert places == list(range(layout.width * layout.lines)), kind


letters = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=9)
known = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=9)
births = st.dates(date(1927, 1, 1), TODAY)
expiries = st.dates(date(1980, 1, 1), date(2070, 1, 1))
kinds = st.sampled_from(sorted(WHERE))


def six(day: date) -> str:
    return day.strftime("%y%m%d")


@given(kinds, known, births, st.sampled_from("MF<"), expiries, letters, letters, known.map(lambda t: t[:7]))
@settings(max_examples=500, deadline=None)
def test_what_is_written_is_read_back(
    kind: str, number: str, born: date, sex: str, ends: date, surname: str, given: str, optional: str
) -> None:
    text = write(kind, number, six(born), sex, six(ends), f"{surname}<<{given}", optional)
    zone = parse(text, TODAY)
    assert (zone.format, zone.number, zone.birth, zone.expiry) == (WHERE[kind], number, born, ends)
    assert (zone.surname, zone.given_names, zone.optional) == (surname, given, optional)
    assert (zone.sex, zone.failed, zone.repaired) == (sex.replace("<", ""), frozenset(), frozenset())


@given(kinds, known, births, expiries, st.data())
@settings(max_examples=500, deadline=None)
def test_one_wrong_digit_in_what_is_checked_never_passes(
    kind: str, number: str, born: date, ends: date, data: st.DataObject
) -> None:
    text = write(kind, number, six(born), "F", six(ends), "A<<B").replace("\n", "")
    layout = LAYOUTS[WHERE[kind]]
    at = data.draw(st.sampled_from([*layout.birth, *layout.expiry]))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != text[at]]))
    field = MrzField.BIRTH if at in layout.birth else MrzField.EXPIRY
    assert field in parse(text[:at] + wrong + text[at + 1 :], TODAY).failed


@given(st.text() | st.text("ABC019<O \n", min_size=70, max_size=95) | st.text("<", min_size=72, max_size=90))
@settings(max_examples=1000, deadline=None)
def test_nothing_else_than_its_own_error_comes_out(text: str) -> None:
    try:
        zone = parse(text, TODAY)
    except MrzError:
        return
    assert isinstance(zone, Mrz)


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<", max_size=50))
def test_the_check_digit_is_that_of_the_book(text: str) -> None:
    assert check_digit(text) == digit(text)
