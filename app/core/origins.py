"""Whether a browser's request comes from a page of our own (S-22)."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.core.settings import get_settings


def is_own(origin: str, host: str) -> bool:
    """Whether ``origin`` is the ``host`` that was asked, or the public address where a proxy asks under another name.

    The scheme says nothing here: behind a proxy this process does not know by which one the page was loaded.
    """
    asked_from = urlsplit(origin).netloc
    return bool(asked_from) and asked_from in {host, urlsplit(get_settings().public_url).netloc}
