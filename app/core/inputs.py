"""What people type, made comparable and checked: names, phones, plates, free text (N-5, N-7, A-4)."""

from __future__ import annotations

import re
import unicodedata

from app.core.errors import InvalidInput

MAX_NAME = 50
MAX_TEXT = 200
PHONE = re.compile(r"1[3-9]\d{9}", re.ASCII)
FOREIGN_PHONE = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
# Area code and number; what stands for a mobile number with a digit missing is none.
LANDLINE = re.compile(r"0(?:10|2\d)\d{8}|0[3-9]\d{2}\d{7,8}|[48]00\d{7}", re.ASCII)
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
# Plates of all places come to a gate: what is odd is told by ``vehicles.rules``, and only what is no plate refused.
PLATE = re.compile(r"[A-Z0-9\u3400-\u9fff]{2,10}")


def clean(value: str) -> str:
    """Trim, fold white space, drop control and format characters (they hide text); 4-byte characters stay."""
    kept = "".join(
        " " if c.isspace() else c
        for c in value
        if c.isspace() or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"}
    )
    return " ".join(unicodedata.normalize("NFC", kept).split())


def _half_width(value: str) -> str:
    return unicodedata.normalize("NFKC", value)


def name(value: str, field: str = "name") -> str:
    """A person's name of 1 to 50 characters."""
    text = clean(value)
    if not text:
        raise InvalidInput("name_missing", field)
    if len(text) > MAX_NAME:
        raise InvalidInput("name_long", field, maximum=MAX_NAME)
    return text


def text(value: str, field: str, maximum: int = MAX_TEXT) -> str:
    """Optional free text up to ``maximum`` characters."""
    cleaned = clean(value)
    if len(cleaned) > maximum:
        raise InvalidInput("text_long", field, maximum=maximum)
    return cleaned


def phone(value: str, field: str = "phone", *, required: bool = True) -> str:
    """A mainland mobile number as 11 digits, a landline with its area code, or a foreign number in E.164 with its plus."""
    raw = re.sub(r"[\s\-()]", "", _half_width(value))
    if not raw and not required:
        return ""
    if not raw:
        raise InvalidInput("phone_missing", field)
    bare = re.sub(r"^(?:\+86|0086|86(?=1[3-9]\d{9}$))", "", raw)
    if PHONE.fullmatch(bare) or LANDLINE.fullmatch(bare) or FOREIGN_PHONE.fullmatch(bare):
        return bare
    # From abroad an area code is dialled without its 0.
    if bare != raw and LANDLINE.fullmatch(f"0{bare}"):
        return f"0{bare}"
    raise InvalidInput("phone_wrong", field)


def digits(value: str) -> str:
    """A short answer in digits, whatever input method typed it."""
    return clean(_half_width(value)).replace(" ", "")


def plate(value: str, field: str = "plate") -> str:
    """An optional licence plate, upper case without separators (GA 36-2018); the forms of other places too."""
    raw = re.sub(r"[\s·•・\-.]", "", _half_width(value)).upper()
    if raw and not PLATE.fullmatch(raw):
        raise InvalidInput("plate_wrong", field)
    return raw


def count(value: str | int, field: str, low: int, high: int) -> int:
    """A whole number within bounds."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise InvalidInput("number_wrong", field, low=low, high=high) from None
    if not low <= number <= high:
        raise InvalidInput("number_wrong", field, low=low, high=high)
    return number


def show_phone(value: str) -> str:
    """A mainland number in the usual groups of 3-4-4."""
    return f"{value[:3]} {value[3:7]} {value[7:]}" if PHONE.fullmatch(value) else value


def show_plate(value: str) -> str:
    """A plate with the dot that stands on the metal."""
    return f"{value[:2]}·{value[2:]}" if len(value) >= 7 and value[0] in PROVINCES else value
