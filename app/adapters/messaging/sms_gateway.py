"""Text messages by any gateway with an HTTP interface, described in a TOML file (docs/messages.md).

Many gateways send again what they are handed again. So where an answer failed to come, the gateway is asked for the
message's receipt first; one that cannot be asked gets nothing a second time unless it is said to know ids it has seen.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from sqlmodel import Session

from app.adapters.messaging.http import Answer, Request, ask
from app.core.outbox import Message, Outcome, Result
from app.core.settings import SettingError
from app.domain.messages import letters
from app.domain.messages.letters import Letter
from app.domain.messages.rules import fill

NAMES = ("id", "phone", "text", "event", "template", "params", "secret")
METHODS = ("GET", "POST")


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a gateway and how its answer is read: where a value stands, and which values mean what."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    json: Any = field(repr=False)
    form: Mapping[str, str] | None = field(repr=False)
    code: str
    good: frozenset[str]
    again: frozenset[str]
    receipt: str


@dataclass(frozen=True, slots=True)
class SmsGateway:
    """A described gateway."""

    sending: Call
    asking: Call | None
    idempotent: bool
    templates: Mapping[str, str]
    secret: str = field(repr=False)

    def compose(self, session: Session, message: Message) -> Letter | Outcome:
        """The text and the number."""
        return letters.compose(session, message)

    def send(self, message: Message, letter: Letter) -> Outcome:
        """Send once; after a try in doubt only if the gateway does not have the message already."""
        values = self._values(message, letter)
        if message.doubtful and not self.idempotent:
            known = self._known(values)
            if known is not None:
                return known
        answer = ask(_request(self.sending, values))
        if isinstance(answer, Outcome):
            return answer
        code, receipt = _read(self.sending, answer)
        if code is None:
            return Outcome(Result.LATER, "answer_unreadable", doubtful=True)
        if code in self.sending.good:
            return Outcome(Result.SENT, receipt=receipt)
        result = Result.LATER if code in self.sending.again else Result.FAILED
        return Outcome(result, f"gateway_{_plain(code)}")

    def _known(self, values: Mapping[str, str]) -> Outcome | None:
        """What the gateway says of an earlier try; None when it never had the message, so that it can be sent."""
        if self.asking is None:
            return Outcome(Result.FAILED, "doubtful", doubtful=True)
        answer = ask(_request(self.asking, values))
        if isinstance(answer, Outcome):
            return Outcome(Result.LATER, "receipt_unknown", doubtful=True, reached=answer.reached)
        code, receipt = _read(self.asking, answer)
        if code is None:
            return Outcome(Result.LATER, "receipt_unknown", doubtful=True)
        if code in self.asking.good:
            return Outcome(Result.SENT, receipt=receipt)
        if code in self.asking.again:  # the gateway has no such message
            return None
        return Outcome(Result.FAILED, f"gateway_{_plain(code)}")

    def _values(self, message: Message, letter: Letter) -> dict[str, str]:
        return {
            "id": message.id,
            "phone": letter.to,
            "text": letter.text,
            "event": letter.event,
            "template": self.templates.get(letter.event, ""),
            "params": json.dumps(letter.values, ensure_ascii=False, sort_keys=True),
            "secret": self.secret,
        }


def load(path: Path, secret: str) -> SmsGateway:
    """The gateway described in a file; raises ``SettingError`` naming what is wrong with it."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingError(f"{path}: {type(error).__name__}") from error
    try:
        templates = {str(event): str(code) for event, code in given.get("templates", {}).items()}
        return SmsGateway(
            _call(given["send"], "retry"),
            _call(given["query"], "unknown") if "query" in given else None,
            bool(given.get("idempotent", False)),
            templates,
            secret,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingError(f"{path}: {type(error).__name__}: {error}") from error


def _call(given: Mapping[str, Any], again: str) -> Call:
    url, method = str(given["url"]), str(given.get("method", "POST"))
    if urlsplit(url).scheme not in {"http", "https"} or "{" in urlsplit(url).netloc:
        raise ValueError("url")
    if method not in METHODS:
        raise ValueError("method")
    texts = {str(key): str(value) for key, value in given.get("headers", {}).items()}
    form = given.get("form")
    call = Call(
        method,
        url,
        texts,
        given.get("json"),
        None if form is None else {str(key): str(value) for key, value in form.items()},
        str(given["code"]),
        frozenset(str(value) for value in given["success"]),
        frozenset(str(value) for value in given.get(again, [])),
        str(given.get("receipt", "")),
    )
    _request(
        call, dict.fromkeys(NAMES, "")
    )  # a placeholder that is none shows here, not at the first message
    return call


def _request(call: Call, values: Mapping[str, str]) -> Request:
    quoted = {name: quote(value, safe="") for name, value in values.items()}
    return Request(
        call.method,
        fill(call.url, quoted),
        {name: _line(fill(text, values)) for name, text in call.headers.items()},
        json=_filled(call.json, values),
        form=None if call.form is None else {k: fill(v, values) for k, v in call.form.items()},
    )


def _filled(node: Any, values: Mapping[str, str]) -> Any:
    """A JSON document with its texts filled; whatever a value holds, it stays inside its text."""
    if isinstance(node, str):
        return fill(node, values)
    if isinstance(node, Mapping):
        return {key: _filled(value, values) for key, value in node.items()}
    return [_filled(value, values) for value in node] if isinstance(node, list) else node


def _line(text: str) -> str:
    return " ".join(text.split())


def _read(call: Call, answer: Answer) -> tuple[str | None, str]:
    """The code in an answer and its receipt; no code when the answer is none that was described."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return None, ""
    code = _at(body, call.code)
    receipt = _at(body, call.receipt) if call.receipt else ""
    return code, (receipt or "")[:120]


def _at(node: Any, path: str) -> str | None:
    for step in path.split("."):
        if isinstance(node, list) and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
        elif isinstance(node, dict) and step in node:
            node = node[step]
        else:
            return None
    return None if isinstance(node, dict | list) else str(node)


def _plain(code: str) -> str:
    """A foreign code as one of ours: short, and nothing in it but letters, digits, dots and lines."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in code)[:40]
