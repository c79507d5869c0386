"""The requests of the agent: outward only, certificates checked, every answer turned into one of a few outcomes."""

from __future__ import annotations

import random
import ssl
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from hardware.agent.files import Enrolment
    from hardware.agent.spool import Batch

TIMEOUT_SECONDS = 20.0
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
# A computer without a battery may believe that it is 1970: it says so with the largest number that the server takes.
MOST_OFFSET_MS = 2**31 - 1
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ENROL = "/api/v1/agents/enrol"
OWN = "/api/v1/agents/me"
REACHED, AWAY, REFUSED = "reached", "away", "refused"


class Unreachable(Exception):
    """No answer, or one that asks to come back later: try again."""


class Refused(Exception):
    """The server does not know this computer (any more)."""


class Rejected(Exception):
    """The server takes what was sent for wrong; sending it again does not help."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class OutOfStep(Exception):
    """The server counts otherwise; `expected` is the number that is due, 0 for one that came with two bodies."""

    def __init__(self, expected: int) -> None:
        super().__init__(str(expected))
        self.expected = expected


class Pause:
    """Ever longer pauses between tries, spread so that many computers do not come back at one moment."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE_SECONDS

    def seconds(self) -> float:
        """How long to wait now."""
        chosen = self._next * random.uniform(0.8, 1.2)
        self._next = min(self._next * 2, LONGEST_PAUSE_SECONDS)
        return chosen

    def reset(self) -> None:
        """The last try was good."""
        self._next = FIRST_PAUSE_SECONDS


def is_safe(url: str) -> bool:
    """Whether an address is HTTPS, or stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def trust(url: str, ca: str) -> ssl.SSLContext | None:
    """Whom to believe: the system's authorities, or the given file alone; None without TLS."""
    if urlsplit(url).scheme != "https":
        return None
    return ssl.create_default_context(cafile=ca or None)


async def enrol(url: str, code: str, version: str, ca: str) -> dict[str, str]:
    """Exchange a one-time code for this computer's secrets."""
    async with httpx.AsyncClient(
        base_url=url, verify=trust(url, ca) or True, timeout=TIMEOUT_SECONDS, trust_env=False
    ) as http:
        answer = await _ask(http.post(ENROL, json={"code": code, "version": version}))
        return {name: str(answer[name]) for name in ("agent", "label", "secret", "spool_key")}


class Client:
    """The server as one enrolled computer sees it."""

    def __init__(self, enrolment: Enrolment) -> None:
        self._http = httpx.AsyncClient(
            base_url=enrolment.url,
            verify=trust(enrolment.url, enrolment.ca) or True,
            headers={"Authorization": f"Bearer {enrolment.secret}"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )
        self.offset_ms: int | None = None
        self.outcome = AWAY

    async def close(self) -> None:
        """End the connections."""
        await self._http.aclose()

    async def config(self) -> dict[str, Any]:
        """What this computer shall run."""
        return await self._ask(self._http.get(f"{OWN}/config"))

    async def events(self, batch: Batch) -> int:
        """Hand over events; returns the number up to which the stream is recorded."""
        body = {"stream": batch.stream, "events": list(batch.events)}
        answer = await self._ask(self._http.post(f"{OWN}/events", json=body))
        return int(answer["acknowledged"])

    async def health(self, health: dict[str, Any]) -> str:
        """Say how this computer is; returns the revision of the configuration that holds. Compares the clocks."""
        began, left = datetime.now(UTC), time.monotonic()
        answer = await self._ask(
            self._http.post(f"{OWN}/health", json={**health, "offset_ms": self.offset_ms})
        )
        half_way = began.timestamp() + (time.monotonic() - left) / 2
        offset = round((datetime.fromisoformat(answer["time"]).timestamp() - half_way) * 1000)
        self.offset_ms = max(-MOST_OFFSET_MS, min(offset, MOST_OFFSET_MS))
        return str(answer["revision"])

    async def _ask(self, request: Any) -> dict[str, Any]:
        try:
            answer = await _ask(request)
        except Unreachable:
            self.outcome = AWAY
            raise
        except Refused:
            self.outcome = REFUSED
            raise
        self.outcome = REACHED
        return answer


async def _ask(request: Any) -> dict[str, Any]:
    try:
        answer: httpx.Response = await request
    except (httpx.TransportError, OSError) as error:
        raise Unreachable(type(error).__name__) from error
    if answer.is_success:
        try:
            found = answer.json()
        except ValueError as error:  # a proxy's page, not our server
            raise Unreachable("answer") from error
        if isinstance(found, dict):
            return found
        raise Unreachable("answer")
    raise _fault(answer)


def _fault(answer: httpx.Response) -> Exception:
    status = answer.status_code
    try:
        told = answer.json()
        code = str(told["error"])
    except (ValueError, KeyError, TypeError):
        # Whatever stands between answers in its own way; only our server's word counts.
        return Unreachable(str(status))
    if code == "agent_gap":
        return OutOfStep(int(told.get("expected", 0)))
    if code == "agent_conflict":
        return OutOfStep(0)
    if status >= 500 or status == 429:
        return Unreachable(code)
    if status in {401, 403}:
        return Refused(code)
    return Rejected(status, code)
