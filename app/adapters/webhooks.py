"""The outbox channel of webhooks: signed, ids and masked text only; whoever wants more asks with a key (I-1)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from app.adapters import outward
from app.core import clock, crypto, webhook_signing
from app.core.database import get_database
from app.core.ids import moment_of
from app.core.masking import mask_name
from app.core.outbox import Message, Outcome, Result
from app.domain.booking.models import Booking
from app.domain.integration import hosts
from app.domain.integration.models import OutsideBooking
from app.domain.people.models import Person
from app.domain.sites import webhooks
from app.domain.sites.webhook_rules import Fate, asked_wait, fate


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes out, and where."""

    subscription_id: str
    url: str
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)


class WebhookChannel:
    """Sends one message to one address; the message's id is the same however often it is sent."""

    def compose(self, session: Session, message: Message) -> Letter | Outcome:
        """The signed bytes, or that nobody is there to be told any more."""
        found = webhooks.subscription_of(session, message.channel)
        if found is None or not found.enabled:
            return Outcome(Result.SKIPPED, "stopped")
        now, body = clock.now(), body_of(session, message)
        headers = webhook_signing.headers(webhooks.live_secrets(found, now), message.id, now, body)
        return Letter(found.id, found.url, body, headers)

    def send(self, message: Message, letter: Letter) -> Outcome:  # noqa: ARG002 - the letter says it all
        """Try once; a receiver that says it is gone is told nothing more."""
        answer = outward.post(letter.url, letter.body, letter.headers)
        error = answer.error or f"http_{answer.status}"
        # A repetition bears the same id, so a try that may have got through does no harm.
        match fate(answer):
            case Fate.TAKEN:
                return Outcome(Result.SENT, receipt=str(answer.status))
            case Fate.GONE:
                get_database().write_now(lambda session: webhooks.stop_gone(session, letter.subscription_id))
                return Outcome(Result.FAILED, error)
        return Outcome(Result.LATER, error, retry_after=asked_wait(answer), reached=answer.status > 0)


def body_of(session: Session, message: Message) -> bytes:
    """The bytes of a message; when it happened stands in its id."""
    data: dict[str, Any] = {"site": message.site_id, **message.payload}
    booking = session.get(Booking, data["booking"]) if data.get("booking") else None
    if booking is not None:
        outside = session.get(OutsideBooking, booking.id)
        visitor = session.get(Person, booking.visitor_id)
        data |= {
            "state": str(booking.status),
            "ref": outside.ref if outside else None,
            "version": outside.version if outside else None,
            "host": hosts.ext_id_of(session, booking.site_id, booking.host_id),
            "visitor": mask_name(crypto.reveal(visitor, "name")) if visitor else "",
        }
    told = {
        "type": message.topic,
        "timestamp": moment_of(message.id).isoformat(timespec="milliseconds"),
        "data": data,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
