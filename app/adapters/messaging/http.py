"""One request to a configured host within seconds, and what its answer or its silence means for a message."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from app.core.outbox import Outcome, Result

SECONDS = 5.0
MOST_BYTES = 65_536
LONGEST_WAIT = 86_400


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; the body is JSON, a form, or nothing."""

    method: str
    url: str
    headers: dict[str, str]
    json: Any = None
    form: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer with a status of 200 to 299."""

    status: int
    body: bytes


def ask(request: Request, seconds: float = SECONDS) -> Answer | Outcome:
    """The answer, or the outcome of a request that got none or a bad one; follows no redirection and no proxy setting."""
    ends = time.monotonic() + seconds
    try:
        with (
            httpx.Client(timeout=seconds, trust_env=False, follow_redirects=False) as client,
            client.stream(
                request.method, request.url, headers=request.headers, json=request.json, data=request.form
            ) as response,
        ):
            body = b""
            for part in response.iter_raw():
                body += part
                if len(body) > MOST_BYTES or time.monotonic() > ends:
                    return Outcome(Result.LATER, "answer_endless", doubtful=True, reached=False)
            return _judge(response, body)
    except (httpx.ConnectError, httpx.ConnectTimeout):
        return Outcome(Result.LATER, "unreachable", reached=False)
    except httpx.TimeoutException:
        return Outcome(Result.LATER, "timeout", doubtful=True, reached=False)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        return Outcome(Result.LATER, "address_wrong", reached=False)
    except httpx.HTTPError:
        return Outcome(Result.LATER, "broken_off", doubtful=True, reached=False)


def _judge(response: httpx.Response, body: bytes) -> Answer | Outcome:
    status = response.status_code
    code = f"http_{status}"
    if 200 <= status < 300:
        return Answer(status, body)
    if status == 429:
        wait = _wait(response.headers.get("retry-after", ""))
        return Outcome(Result.LATER, code, retry_after=wait, reached=False)
    if status >= 500:  # it may have taken the message before it fell over
        return Outcome(
            Result.LATER,
            code,
            retry_after=_wait(response.headers.get("retry-after", "")),
            doubtful=True,
            reached=False,
        )
    if status in {401, 403, 404, 407, 408}:  # what an operator can mend; the messages wait for it
        return Outcome(Result.LATER, code, reached=False)
    return Outcome(Result.FAILED, code)


def _wait(value: str) -> timedelta | None:
    return timedelta(seconds=min(int(value), LONGEST_WAIT)) if value.isascii() and value.isdigit() else None
