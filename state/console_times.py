"""The times of a site's policy in words: what can be set, within which limits, and what was changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.core.i18n import text
from app.domain.sites.rules import LIMITS, Checkout
from app.domain.sites.times import minute_of

if TYPE_CHECKING:
    from app.domain.sites.models import SitePolicy

CLOCK = "nightly_minute"


def clock(minute: int) -> str:
    """A time of day from minutes after midnight."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def shown(policy: SitePolicy, locale: str) -> dict[str, Any]:
    """The form's fields, each with its present value, its limits and why it matters."""
    return {
        "times": [
            {
                "id": name,
                "key": f"{name}-{getattr(policy, name)}",
                "label": text(locale, f"console.time.{name}"),
                "hint": text(locale, f"console.time_hint.{name}", low=limit.low, high=limit.high),
                "value": str(getattr(policy, name)),
                "low": str(limit.low),
                "high": str(limit.high),
            }
            for name, limit in LIMITS.items()
            if name != CLOCK
        ],
        "checkout": policy.checkout,
        "checkouts": [[mode.value, text(locale, f"console.checkout.{mode}")] for mode in Checkout],
        "nightly": clock(policy.nightly_minute),
    }


def read(form: Mapping[str, Any]) -> dict[str, str | int]:
    """The numbers of a form that was sent; raises ``InvalidInput`` for a time of day that is none."""
    wanted: dict[str, str | int] = {name: str(form[name]) for name in LIMITS if name in form}
    if CLOCK in wanted:
        wanted[CLOCK] = minute_of(str(form[CLOCK]))
    return wanted


def told(details: Mapping[str, Any], locale: str) -> str:
    """One change as the history tells it."""
    field = str(details.get("field", ""))
    before, after = (_value(field, details.get(key), locale) for key in ("from", "to"))
    return text(
        locale,
        "console.policy.told_time",
        field=text(locale, f"console.time.{field}"),
        before=before,
        after=after,
    )


def _value(field: str, value: Any, locale: str) -> str:
    if field == "checkout":
        return text(locale, f"console.checkout.{value}")
    return clock(value) if field == CLOCK and isinstance(value, int) else str(value)
