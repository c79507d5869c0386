"""The script in every page's head that keeps a page hidden until it speaks the reader's language (EV-01)."""

from __future__ import annotations

import json
from pathlib import Path

from app.core import i18n

SOURCE = Path(__file__).resolve().parents[2] / "assets" / "client" / "early_language.js"
# A page that has not got its texts by then is shown in the language it was built in.
PATIENCE_MS = 3000


def script(title_keys: list[str]) -> str:
    """The call of the script with the titles of all pages, by language and by the title they were built with."""
    titles = {
        locale: {i18n.text(i18n.DEFAULT, key): i18n.text(locale, key) for key in title_keys}
        for locale in i18n.LOCALES
    }
    values = ", ".join(json.dumps(value, ensure_ascii=False) for value in (titles, i18n.DEFAULT, PATIENCE_MS))
    lines = [line for line in SOURCE.read_text("utf-8").splitlines() if not line.lstrip().startswith("//")]
    return "({})({});".format("\n".join(lines), values.replace("</", "<\\/"))
