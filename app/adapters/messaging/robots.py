"""Robots of group chats (WeCom, DingTalk, Feishu): one text to the group that looks after the gate."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sqlmodel import Session

from app.adapters.messaging.http import Answer, Request, ask
from app.core import clock
from app.core.outbox import Message, Outcome, Result
from app.domain.messages import letters
from app.domain.messages.letters import Letter

# What these services answer when a robot speaks too often; it is heard again later.
TOO_OFTEN = {"wecom": {45009}, "dingtalk": {130101, 410100}, "feishu": {9499, 11232}}


@dataclass(frozen=True, slots=True)
class Robot:
    """A group's robot; its address is a secret by itself."""

    kind: str
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)

    def compose(self, session: Session, message: Message) -> Letter | Outcome:
        """The text for the group."""
        return letters.compose(session, message)

    def send(self, message: Message, letter: Letter) -> Outcome:  # noqa: ARG002 - a robot takes no id of ours
        """Say it once; these services know no id of ours, so what went out in doubt may be said twice."""
        answer = ask(self._request(letter.text))
        return answer if isinstance(answer, Outcome) else self._judge(answer)

    def _request(self, text: str) -> Request:
        now = clock.now().timestamp()
        if self.kind == "feishu":
            body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
            if self.secret:
                stamp = str(int(now))
                body |= {"timestamp": stamp, "sign": feishu_sign(stamp, self.secret)}
            return Request("POST", self.url, {}, json=body)
        url = self.url
        if self.kind == "dingtalk" and self.secret:
            stamp = str(int(now * 1000))
            sign = quote(dingtalk_sign(stamp, self.secret), safe="")
            url += f"{'&' if '?' in url else '?'}timestamp={stamp}&sign={sign}"
        return Request("POST", url, {}, json={"msgtype": "text", "text": {"content": text}})

    def _judge(self, answer: Answer) -> Outcome:
        try:
            body = json.loads(answer.body)
            code = int(body["code"] if "code" in body else body["errcode"])
        except (ValueError, KeyError, TypeError):
            return Outcome(Result.LATER, "answer_unreadable", doubtful=True)
        if code == 0:
            return Outcome(Result.SENT)
        return Outcome(Result.LATER if code in TOO_OFTEN[self.kind] else Result.FAILED, f"{self.kind}_{code}")


def dingtalk_sign(stamp: str, secret: str) -> str:
    """HMAC-SHA256 over the time in milliseconds and the secret, keyed by the secret."""
    digest = hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def feishu_sign(stamp: str, secret: str) -> str:
    """HMAC-SHA256 over nothing, keyed by the time in seconds and the secret."""
    return base64.b64encode(hmac.digest(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256)).decode()
