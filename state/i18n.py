"""The reader's language: the whole catalogue is one var, whose Chinese default is compiled into the page."""

from __future__ import annotations

import reflex as rx

from app.core import i18n


class I18nState(rx.State):
    """Language and texts of a tab."""

    known: bool = False  # until then the page shows what it was built with
    locale: str = i18n.DEFAULT
    t: dict[str, str] = i18n.catalogue(i18n.DEFAULT)

    def _use(self, locale: str) -> None:
        if not self.known:
            self.known = True
        if locale != self.locale:
            self.locale = locale
            self.t = i18n.catalogue(locale)

    def _text(self, key: str, /, **params: str | int) -> str:
        return i18n.text(self.locale, key, **params)
