"""The catalogues: zh-CN first, en complete. Codes become words here and nowhere else (EV-01)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

DEFAULT = "zh-CN"
LOCALES = (DEFAULT, "en")
FOLDER = Path(__file__).parent / "catalogue"
WEEKDAYS = {
    "zh-CN": "周一 周二 周三 周四 周五 周六 周日".split(),
    "en": "Mon Tue Wed Thu Fri Sat Sun".split(),
}


@lru_cache(maxsize=len(LOCALES))
def catalogue(locale: str) -> dict[str, str]:
    """All texts of one locale; an unknown locale gets the default's."""
    folder = FOLDER / (locale if locale in LOCALES else DEFAULT)
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        texts.update(json.loads(path.read_text("utf-8")))
    return texts


def text(locale: str, key: str, /, **params: str | int) -> str:
    """One text with its ``{placeholders}`` filled; the key itself when it is unknown."""
    found = catalogue(locale).get(key, key)
    return found.format(**params) if params else found


def pick_locale(*wishes: str) -> str:
    """The first supported locale among wishes such as a user's choice or an Accept-Language header."""
    for wish in wishes:
        for part in wish.split(","):
            code = part.split(";")[0].strip()
            if code in LOCALES:
                return code
            if code[:2] == "zh":
                return DEFAULT
            if code[:2] == "en":
                return "en"
    return DEFAULT


def format_time(moment: datetime, zone: str) -> str:
    """Hours and minutes on the site's clock."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def format_date(moment: datetime, zone: str, locale: str) -> str:
    """A full date as locals write it, with the weekday."""
    local = moment.astimezone(ZoneInfo(zone))
    day = WEEKDAYS[locale if locale in WEEKDAYS else DEFAULT][local.weekday()]
    if locale == "en":
        return f"{day} {local.day} {local:%b %Y}"
    return f"{local.year}年{local.month}月{local.day}日 {day}"


def format_window(start: datetime, end: datetime, now: datetime, zone: str, locale: str) -> str:
    """A visit's window, short: today, tomorrow or a date, and 次日 where it runs past midnight."""
    tz = ZoneInfo(zone)
    first, last, today = start.astimezone(tz), end.astimezone(tz), now.astimezone(tz).date()
    if first.date() == today:
        day = text(locale, "time.today")
    elif first.date() == today + timedelta(days=1):
        day = text(locale, "time.tomorrow")
    else:
        day = f"{first:%b} {first.day}" if locale == "en" else f"{first.month}月{first.day}日"
    gap = (last.date() - first.date()).days
    tail = f"{last:%H:%M}"
    if gap == 1:
        tail = text(locale, "time.next_day", time=tail)
    elif gap > 1:
        date = f"{last:%b} {last.day}" if locale == "en" else f"{last.month}月{last.day}日"
        tail = f"{date} {tail}"
    return f"{day} {first:%H:%M} – {tail}"


def format_money(fen: int) -> str:
    """Integer fen as yuan."""
    return f"¥{fen // 100:,}.{fen % 100:02d}"
