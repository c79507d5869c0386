"""How personal data look to those who need not see them (S-11): masked on the server, never in the browser."""

from __future__ import annotations

COMPOUND_SURNAMES = frozenset(
    "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 长孙 宇文 司徒 夏侯 端木 百里 南宫 独孤 申屠 轩辕".split()
)


def mask_name(name: str) -> str:
    """First character, two for a compound surname, the first letter of a Latin name."""
    name = name.strip()
    if not name:
        return ""
    if name[0].isascii():
        return name[0] + "***"
    keep = 2 if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else 1
    return name[:keep] + "*" * max(1, min(len(name) - keep, 2))


def mask_phone(phone: str) -> str:
    """Three first and four last digits; of anything short only the last two."""
    if len(phone) < 8:
        return "*" * max(0, len(phone) - 2) + phone[-2:]
    return phone[:3] + "****" + phone[-4:]


def mask_document(number: str) -> str:
    """Three and four characters of an 18-digit number, first and last four of any other."""
    if len(number) == 18:
        return number[:3] + "*" * 11 + number[-4:]
    if len(number) < 6:
        return "*" * len(number)
    return number[0] + "****" + number[-4:]


def mask_plate(plate: str) -> str:
    """Province, office and the last two characters."""
    return plate if len(plate) < 5 else f"{plate[:2]}·***{plate[-2:]}"
