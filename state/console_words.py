"""What the console's states share: errors in words, times taken, texts with a fallback, addresses with filters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import reflex as rx

from app.core.errors import GateError
from state.shell import ShellState

Row = dict[str, str]
PAGE = 50


async def words_of(state: rx.State, error: GateError) -> str:
    """An error of ours in the reader's language, for the form that caused it."""
    shell = await state.get_state(ShellState)
    return await shell._word(f"error.{error.code}", **error.params)


def assign(state: rx.State, **values: Any) -> None:
    """Set vars that differ; Reflex sends a var again even when it is set to what it was."""
    for name, value in values.items():
        if getattr(state, name) != value:
            setattr(state, name, value)


def or_code(words: str, code: str) -> str:
    """A text looked up by code, or the code itself where the catalogue has none."""
    return code if words.endswith(f".{code}") else words


def took(milliseconds: int) -> str:
    """A duration as minutes and seconds, with hours where there are any."""
    seconds = max(0, milliseconds) // 1000
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def day_of(moment: datetime, zone: str) -> tuple[datetime, datetime]:
    """Beginning and end of a moment's day on the site's clock."""
    tz = ZoneInfo(zone)
    local = moment.astimezone(tz)
    start = datetime(local.year, local.month, local.day, tzinfo=tz)
    following = start + timedelta(days=1, hours=2)
    return start, datetime(following.year, following.month, following.day, tzinfo=tz)


def stamp(moment: datetime, zone: str) -> str:
    """Date and time to the second on the site's clock."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def address(path: str, **filters: str | int) -> str:
    """A page's address with the filters that are set."""
    used = {name: value for name, value in filters.items() if value not in ("", 0)}
    return f"{path}?{urlencode(used)}" if used else path


def query(state: rx.State, name: str) -> str:
    """One parameter of the address of the page, as text."""
    return str(dict(state.router.url.query_parameters).get(name, ""))[:64]


def page_number(raw: str) -> int:
    """A page number from the address, 1 for anything else."""
    return min(max(int(raw), 1), 100_000) if raw.isdigit() and len(raw) < 7 else 1
