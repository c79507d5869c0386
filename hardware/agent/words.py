"""What the agent's commands say, in the language of the terminal; the program has no catalogue of the application."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path

LANGUAGES = ("zh-CN", "en")
FOLDER = Path(__file__).parent / "words"


def language() -> str:
    """English where the terminal is English, else Chinese."""
    return "en" if os.environ.get("LANG", "").startswith("en") else "zh-CN"


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(locale: str) -> dict[str, str]:
    """All texts of a language."""
    found: dict[str, str] = json.loads((FOLDER / f"{locale}.json").read_text("utf-8"))
    return found


def word(key: str, **values: str | int) -> str:
    """One text; a code without words is shown as it is."""
    return catalogue(language()).get(key, key.rpartition(".")[2]).format(**values)
