"""A visitor's own phone at a lane: the form behind the lane's code, then how it goes on (AD-06)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import clock, i18n
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError
from app.core.i18n import text
from app.core.ids import new_id
from app.core.limiter import Limiter
from app.core.permissions import Right
from app.core.settings import get_settings
from app.domain.admission import repository as admission
from app.domain.admission import self_registration as registering
from app.domain.admission.lane_codes import SHAPE
from app.domain.admission.self_models import SelfRegistration, SelfStatus
from app.domain.booking import links
from app.domain.booking import repository as bookings
from app.domain.sites import repository as sites
from app.runtime.live import live
from state import tabs
from state.guard import action
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

Row = dict[str, str]

submit_limit = Limiter(lambda: (20, timedelta(minutes=10)))
# A code is shown for a minute; more people than this do not stand before one screen, but one phone may pretend to.
code_limit = Limiter(lambda: (10, timedelta(minutes=20)))

KEPT = ("name", "phone", "company", "plate")
# What the visitor wants kept stays on the phone and nowhere else (AD-09); the form is drawn after the answer that shows it.
REMEMBER = "localStorage.setItem('gatehouse_me', JSON.stringify(%s))"
FORGET = "localStorage.removeItem('gatehouse_me')"
FILL = """(() => {
  let frames = 120;
  const values = JSON.parse(localStorage.getItem('gatehouse_me') || '{}');
  const fill = () => {
    for (const [id, value] of Object.entries(values)) {
      const input = document.querySelector(`#register-form input[name=${CSS.escape(id)}]`);
      if (!input) continue;
      if (!input.value) input.value = value;
      delete values[id];
      const keep = document.querySelector('#register-form input[name=keep]');
      if (keep) keep.checked = true;
    }
    if (Object.keys(values).length && frames--) requestAnimationFrame(fill);
  };
  fill();
})()"""


class RegisterState(rx.State):
    """A visitor's tab at a lane."""

    follow: str = rx.LocalStorage("", name="gatehouse_registration")
    answered: bool = False
    fault: str = ""
    site: str = ""
    lane: str = ""
    demo: bool = False
    visitor_type: str = registering.KINDS[0]
    rules: dict[str, str] = {}
    form_error: str = ""
    error_field: str = ""
    number: str = ""
    step: str = ""
    words: str = ""
    hint: str = ""
    link: str = ""
    open_code: str = ""
    _code: str = ""
    _nonce: str = ""
    _all_rules: dict[str, dict[str, str]] = {}

    @action(Right.PUBLIC)
    async def enter(self) -> Any:
        """Load of the page: a registration that still runs, else the form that the scanned code opens."""
        self.form_error = self.error_field = self.fault = self.step = self.link = ""
        given = str(dict(self.router.url.query_parameters).get("code", ""))
        await self._follow()
        self.answered = True
        if self.step and (not given or self.step in OPEN_STEPS):
            return None
        self.step, self._code, self._nonce = "", given if SHAPE.fullmatch(given) else "", new_id()
        code = self._code
        try:
            opened = await get_database().read(lambda s: registering.look(s, code))
        except GateError as error:
            self.fault, self._code = error.code, ""
            return None
        self.site, self.lane, self.demo = opened.site.name, opened.lane.name, opened.site.demo
        self._all_rules = {
            kind: {name: str(rule) for name, rule in rules.items()} for kind, rules in opened.rules.items()
        }
        self.rules = self._all_rules[self.visitor_type]
        return rx.call_script(FILL)

    @action(Right.PUBLIC)
    async def choose_type(self, visitor_type: str) -> None:
        """Another kind of visitor is asked for other things."""
        if visitor_type in self._all_rules:
            self.visitor_type, self.rules = visitor_type, self._all_rules[visitor_type]

    @action(Right.PUBLIC)
    async def submit(self, form: dict[str, Any]) -> Any:
        """Put it into the guard's list."""
        self.form_error = self.error_field = ""
        values = {key: str(value) for key, value in form.items()} | {"visitor_type": self.visitor_type}
        code, nonce, locale = self._code, self._nonce, await locale_of(self)
        try:
            submit_limit.hit(_address(self))
            if code:
                code_limit.hit(code)
            made = await get_database().write(
                lambda s: registering.submit(s, code, values, nonce, locale, agreed=bool(form.get("agreed")))
            )
        except GateError as error:
            self.form_error = text(locale, f"error.{error.code}", **error.params)
            self.error_field = getattr(error, "field", "")
            return None
        self.follow = made.secret
        await self._follow()
        if form.get("keep"):
            kept = {name: values[name] for name in KEPT if values.get(name)}
            # "</" must not end the script that carries it.
            return rx.call_script(REMEMBER % json.dumps(kept).replace("<", "\\u003c"))
        return rx.call_script(FORGET)

    @action(Right.PUBLIC)
    async def withdraw(self) -> None:
        """Take it back before a guard took it."""
        secret = self.follow
        await get_database().write(lambda s: registering.withdraw(s, secret))
        await self._follow()
        await notify(self, "ok", "register.withdrawn")

    async def _follow(self) -> None:
        shown = await self._look()
        topics = {f"self:{shown['id']}"} if shown else set()
        if shown and shown["attempt"]:
            topics.add(f"attempt:{shown['attempt']}")
        if topics and topics != live.watching(self.router.session.client_token):
            tabs.watch(self, frozenset(topics), Right.PUBLIC, RegisterState._update)
            shown = await self._look()  # what happened before the tab was listening is told to nobody
        if not shown:
            self.follow = self.step = ""
            return
        self.site, self.demo, self.number = shown["site"], bool(shown["demo"]), shown["number"]
        self.step, self.words, self.hint = shown["step"], shown["words"], shown["hint"]
        self.link, self.open_code = shown["link"], shown["open_code"]

    async def _look(self) -> Row:
        secret, locale = self.follow[:100], await locale_of(self)
        return await get_database().read(lambda s: _shown(s, secret, locale))

    async def _update(self, _actor: Actor, _changed: frozenset[str]) -> None:
        await self._follow()

    def _signed_out(self) -> None:
        self.step = ""


OPEN_STEPS = frozenset({"waiting", "asked", "agreed"})
ENDED = {
    SelfStatus.TURNED_AWAY: "turned_away",
    SelfStatus.WITHDRAWN: "withdrawn",
    SelfStatus.EXPIRED: "expired",
}
CLOSED = {"admitted": "admitted", "refused": "refused", "set_aside": "expired"}
CONSENTS = {"agreed": "agreed", "declined": "declined", "timed_out": "unanswered"}
SHOWN_FOR = timedelta(hours=12)


def _shown(session: Session, secret: str, locale: str) -> Row:
    """Where a registration stands, in words; nothing of what was entered."""
    row = registering.followed(session, secret)
    if row is None or clock.now() - row.created_at > SHOWN_FOR:
        return {}
    site = sites.site(session, row.site_id)
    step, link, open_code = _step(session, row)
    return {
        "id": row.id,
        "attempt": row.attempt_id or "",
        "site": site.name,
        "demo": "1" if site.demo else "",
        "number": f"{row.number:02d}",
        "step": step,
        "words": text(locale, f"register.step.{step}"),
        "hint": text(
            locale,
            f"register.hint.{step}{'_code' if open_code else ''}",
            time=i18n.format_time(row.created_at, site.time_zone),
        ),
        "link": link,
        "open_code": open_code,
    }


def _step(session: Session, row: SelfRegistration) -> tuple[str, str, str]:
    """How far it is, the link to the pass once inside, and what opens it for who gave no phone."""
    if row.status != SelfStatus.TAKEN:
        return ENDED.get(SelfStatus(row.status), "waiting"), "", ""
    attempt = admission.attempt(session, row.attempt_id or "")
    if attempt.status == "admitted" and attempt.booking_id:
        booking = bookings.booking(session, attempt.booking_id)
        if links.end_of(session, booking) is not None:
            return "admitted", "", ""
        return "admitted", f"/v/{links.link_secret(booking)}", links.open_code(session, booking)
    if attempt.status in CLOSED:
        return CLOSED[attempt.status], "", ""
    consent = admission.consent_of(session, attempt.id)
    return CONSENTS.get(consent.status, "asked") if consent else "asked", "", ""


def _address(state: rx.State) -> str:
    """The address of the browser behind a socket; proxies are believed only as far as the settings say."""
    hops = get_settings().trusted_proxy_hops
    chain = [
        part.strip()
        for part in state.router.headers.raw_headers.get("x-forwarded-for", "").split(",")
        if part.strip()
    ]
    return chain[-hops] if hops and len(chain) >= hops else state.router.session.client_ip
