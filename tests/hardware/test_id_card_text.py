"""The text of cards of the resident ID family: all four layouts, their code tables, and what cannot be right."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.drivers.id_card_codes import ETHNIC_GROUPS, Sex
from hardware.drivers.id_card_text import (
    LAYOUTS,
    TEXT_BYTES,
    CardText,
    DocumentKind,
    TextError,
    decode,
    payload,
)
from hardware.simulators.id_cards import SPECIMEN, make_card

KINDS = list(DocumentKind)


def field(text: str, width: int) -> bytes:
    """A field as it lies on a card, written down here once more and not taken from the emulator."""
    raw = text.encode("utf-16-le")
    assert len(raw) <= width
    return raw + b"\x20\x00" * ((width - len(raw)) // 2)


def resident(**changed: str) -> bytes:
    """A resident ID card's text with some fields changed."""
    values = {
        "name": "张三", "sex": "2", "ethnic": "01", "birth": "19491231", "address": "北京市朝阳区样证路1号",
        "number": "11010519491231002X", "issuer": "北京市公安局朝阳分局", "from": "20170305", "to": "20370305",
    } | changed  # fmt: skip
    widths = (30, 2, 4, 16, 70, 36, 30, 16, 16)
    return b"".join(field(values[name], width) for name, width in zip(values, widths, strict=True)) + field(
        "", 36
    )


def test_each_layout_fills_the_text() -> None:
    for kind, layout in LAYOUTS.items():
        assert sum(width for _, width in layout) == TEXT_BYTES, kind


def test_a_resident_id_card_is_read_whole() -> None:
    card = decode(resident())
    assert card == CardText(
        kind=DocumentKind.RESIDENT_ID,
        name="张三",
        sex=Sex.FEMALE,
        birth=date(1949, 12, 31),
        number="11010519491231002X",
        valid_from=date(2017, 3, 5),
        valid_to=date(2037, 3, 5),
        ethnic_code="01",
        address="北京市朝阳区样证路1号",
        issuer="北京市公安局朝阳分局",
    )
    assert card.ethnic_group == "汉"


def test_a_residence_permit_of_hong_kong_macau_taiwan_has_its_permit_number() -> None:
    text = (
        field("陳小文", 30) + field("1", 2) + field("", 4) + field("19900215", 16) + field("广东省深圳市南山区", 70)
        + field("810000199002150019", 36) + field("深圳市公安局", 30) + field("20190601", 16) + field("20240601", 16)
        + field("H12345678", 18) + field("01", 4) + field("", 6) + field("J", 2) + field("", 6)
    )  # fmt: skip
    card = decode(text)
    assert (card.kind, card.name, card.permit_number, card.issue_count) == (
        DocumentKind.HMT_RESIDENCE_PERMIT, "陳小文", "H12345678", "01",
    )  # fmt: skip
    assert (card.ethnic_code, card.ethnic_group, card.faults) == ("", "", frozenset())


def test_a_foreign_permanent_resident_card_of_2017_has_latin_name_and_nationality() -> None:
    text = (
        field("ERIKSSON, ANNA MARIA", 120) + field("2", 2) + field("SWE110074081201", 30) + field("SWE", 6)
        + field("安娜", 30) + field("20180101", 16) + field("20280101", 16) + field("19740812", 16) + field("01", 4)
        + field("1500", 8) + field("I", 2) + field("", 6)
    )  # fmt: skip
    card = decode(text)
    assert (card.kind, card.name_latin, card.name) == (
        DocumentKind.FOREIGN_PERMANENT_RESIDENT_2017, "ERIKSSON, ANNA MARIA", "安娜",
    )  # fmt: skip
    assert (card.number, card.nationality, card.version, card.issuer) == (
        "SWE110074081201",
        "SWE",
        "01",
        "1500",
    )
    assert card.birth == date(1974, 8, 12)
    assert not card.faults


@pytest.mark.parametrize(
    ("first", "rest", "name"),
    [
        ("ERIKSSON, ANNA MARIA", "", "ERIKSSON, ANNA MARIA"),
        ("WOLFESCHLEGELSTEINHAUSENBERGERDORFF", ", HUBERT", "WOLFESCHLEGELSTEINHAUSENBERGERDORFF, HUBERT"),
        # 35 characters, the last of them the space before the next given name.
        ("WOLFESCHLEGELSTEINHAUSEN, ADOLPHUS ", "HUBERT", "WOLFESCHLEGELSTEINHAUSEN, ADOLPHUS HUBERT"),
    ],
)
def test_the_card_of_2023_goes_on_with_a_long_name_in_a_second_field(
    first: str, rest: str, name: str
) -> None:
    text = (
        field("安娜", 30) + field("2", 2) + field("00", 4) + field("19740812", 16) + field(first, 70)
        + field("911124197408120024", 36) + field("", 30) + field("20231201", 16) + field("20331201", 16)
        + field(rest, 22) + field("SWE", 6) + field("Y", 2) + field("001", 6)
    )  # fmt: skip
    card = decode(text)
    assert (card.kind, card.name_latin, card.issue_count, card.previous_reference) == (
        DocumentKind.FOREIGN_PERMANENT_RESIDENT_2023, name, "00", "001",
    )  # fmt: skip
    assert not card.faults


def test_valid_for_ever_has_no_end() -> None:
    card = decode(resident(to="长期"))
    assert (card.long_term, card.valid_to, card.faults) == (True, None, frozenset())
    assert "valid_to" not in payload(card)
    assert payload(card)["long_term"] == "1"


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"birth": "20010229"}, "birth"),
        ({"birth": "19000229"}, "birth"),
        ({"birth": "20011301"}, "birth"),
        ({"birth": "00000101"}, "birth"),
        ({"birth": ""}, "birth"),
        ({"birth": "2001022"}, "birth"),
        ({"birth": "２００１０２２８"}, "birth"),
        ({"from": "20170230"}, "valid_from"),
        ({"to": "永久"}, "valid_to"),
        ({"to": "长"}, "valid_to"),
        ({"to": "20370231"}, "valid_to"),
        ({"sex": "3"}, "sex"),
        ({"sex": ""}, "sex"),
        ({"number": ""}, "number"),
        ({"name": ""}, "name"),
        ({"name": "张\x07三"}, "name"),
        ({"address": "路\x001号"}, "address"),
    ],
)
def test_what_cannot_be_right_is_named_and_the_rest_is_read(changed: dict[str, str], fault: str) -> None:
    card = decode(resident(**changed))
    assert card.faults == {fault}
    assert payload(card)["faults"] == fault
    if fault in {"birth", "valid_from", "valid_to"}:
        assert getattr(card, fault) is None
    if fault == "sex":
        assert card.sex is Sex.UNKNOWN
    if fault != "number":
        assert card.number == "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "sex"), [("0", Sex.UNKNOWN), ("1", Sex.MALE), ("2", Sex.FEMALE), ("9", Sex.NOT_STATED)]
)
def test_sex_is_told_by_the_table(text: str, sex: Sex) -> None:
    card = decode(resident(sex=text))
    assert (card.sex, card.faults) == (sex, frozenset())


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("01", "汉"), ("05", "维吾尔"), ("10", "朝鲜"), ("22", "畲"), ("30", "土"), ("33", "羌"), ("44", "俄罗斯"),
        ("49", "京"), ("56", "基诺"), ("97", "其他"), ("98", "外国血统中国籍人士"), ("", ""), ("57", ""), ("00", ""),
        ("99", ""), ("xx", ""),
    ],
)  # fmt: skip
def test_an_ethnic_code_that_no_table_has_is_kept_and_no_fault(code: str, group: str) -> None:
    card = decode(resident(ethnic=code))
    assert (card.ethnic_code, card.ethnic_group, card.faults) == (code, group, frozenset())


def test_the_table_has_all_groups() -> None:
    assert len(ETHNIC_GROUPS) == 58
    assert len(set(ETHNIC_GROUPS.values())) == 58


@pytest.mark.parametrize("name", ["𠮷野", "㐂", "𤭢𬀪𫢸", "阿卜杜热合曼·吐尔逊·艾合买提", "\ue1a3某"])
def test_names_with_rare_characters_stay_whole(name: str) -> None:
    card = decode(resident(name=name))
    assert (card.name, card.faults) == (name, frozenset())


def test_a_name_cut_inside_a_character_is_marked() -> None:
    # Eight characters of four bytes need 32 bytes; the field has 30.
    text = ("𠮷" * 8).encode("utf-16-le")[:30] + resident()[30:]
    card = decode(text)
    assert card.name == "𠮷" * 7 + "\N{REPLACEMENT CHARACTER}"
    assert card.faults == {"name"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "text_length"),
        (resident()[:-1], "text_length"),
        (resident() + b" \0", "text_length"),
        (resident()[:248] + "Q".encode("utf-16-le") + resident()[250:], "text_type"),
        (resident()[:248] + b"\x00\xd8" + resident()[250:], "text_type"),
        (bytes(256), "text_type"),
    ],
)
def test_what_no_card_holds_is_refused_by_code(text: bytes, code: str) -> None:
    with pytest.raises(TextError) as caught:
        decode(text)
    assert caught.value.code == code
    assert caught.value.args == (code,)


def test_a_record_does_not_show_the_person() -> None:
    card = decode(resident())
    shown = f"{card!r} {card} {SPECIMEN!r}"
    assert not [
        value
        for value in payload(card).values()
        if len(value) > 1 and value in shown.replace("resident_id", "")
    ]


def test_an_event_carries_text_and_leaves_out_what_is_empty() -> None:
    assert payload(decode(resident(ethnic="", issuer=""))) == {
        "kind": "resident_id",
        "name": "张三",
        "sex": "female",
        "birth": "1949-12-31",
        "number": "11010519491231002X",
        "valid_from": "2017-03-05",
        "valid_to": "2037-03-05",
        "address": "北京市朝阳区样证路1号",
    }


letters = st.sampled_from([b" \0", b"J\0", b"I\0", b"Y\0"])


@given(st.binary(min_size=248, max_size=248), letters, st.binary(min_size=6, max_size=6))
@settings(max_examples=500, deadline=None)
def test_any_text_with_a_known_letter_is_decoded(start: bytes, letter: bytes, end: bytes) -> None:
    card = decode(start + letter + end)
    for value in payload(card).values():
        value.encode("utf-8")
        assert "\0" not in value


@given(st.binary(max_size=300) | st.binary(min_size=256, max_size=256))
@settings(max_examples=500, deadline=None)
def test_nothing_else_than_its_own_error_comes_out(text: bytes) -> None:
    known = len(text) == TEXT_BYTES and text[248:250] in {b" \0", b"J\0", b"I\0", b"Y\0"}
    with nullcontext() if known else pytest.raises(TextError):
        decode(text)


characters = st.characters(
    exclude_categories=["Cs", "Cc"], exclude_characters=" \u3000\N{REPLACEMENT CHARACTER}"
)


@given(
    st.sampled_from(KINDS), st.text(characters, min_size=1, max_size=7), st.dates(min_value=date(1900, 1, 1))
)
@settings(max_examples=300, deadline=None)
def test_what_the_emulator_writes_is_read_back(kind: DocumentKind, name: str, day: date) -> None:
    day_text = day.strftime("%Y%m%d").rjust(8, "0")
    values = {
        "name": name,
        "sex": "1",
        "birth": day_text,
        "number": "1",
        "valid_from": day_text,
        "valid_to": day_text,
    }
    card = decode(make_card(kind, values).text)
    assert (card.kind, card.name, card.birth, card.valid_from, card.valid_to) == (kind, name, day, day, day)
    assert not card.faults


def test_the_emulators_specimen_is_the_standards_example() -> None:
    assert decode(SPECIMEN.text).number == "11010519491231002X"
    with pytest.raises(KeyError):
        make_card(DocumentKind.RESIDENT_ID, {"nationality": "SWE"})
