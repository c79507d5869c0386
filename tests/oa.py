"""Another system of the site: it signs what it asks, as its manual would say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
from standardwebhooks import Webhook

from app.core import webhook_signing
from app.core.permissions import SCOPES, Right
from app.domain.integration import keys
from app.domain.integration.keys import Issued
from tests.factories import GUEST, GUEST_PHONE, World

_numbers = count(1)
EVERYTHING = sorted(SCOPES)


def issue(world: World, *scopes: str, label: str = "OA") -> Issued:
    """A key of the world's site."""
    return world.do(keys.issue, world.manager, label, scopes or EVERYTHING)


def integration(world: World, *scopes: Right) -> Any:
    """The actor behind a new key, for services."""
    made = issue(world, *scopes)
    return world.ask(keys.resolve, made.bearer).actor


def visit(world: World, **changes: Any) -> dict[str, Any]:
    """The body of a request for a visit in an hour."""
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "schema": "visit.request.v1",
        "version": 1,
        "host": {"unit": world.unit.label, "name": "欧阳建国"},
        "visitor": {"name": GUEST, "phone": GUEST_PHONE},
        "from": (now + timedelta(hours=1)).isoformat(),
        "to": (now + timedelta(hours=3)).isoformat(),
        "purpose": "meeting",
        **changes,
    }


class Oa:
    """A client with a key; ``sign_with`` and ``at`` make it err. Several threads may ask at once."""

    def __init__(self, client: httpx.Client, issued: Issued) -> None:
        self.issued = issued
        self.client = client

    def headers(
        self, body: bytes, *, message_id: str = "", at: datetime | None = None, sign_with: str = ""
    ) -> dict[str, str]:
        """What a signed request carries; the signature is the reference library's."""
        name, moment = message_id or f"msg_{next(_numbers)}", at or datetime.now(UTC)
        signature = Webhook(sign_with or self.issued.signing).sign(name, moment, body.decode())
        return {
            "Authorization": f"Bearer {self.issued.bearer}",
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": signature,
        }

    def sign(self, body: bytes) -> dict[str, str]:
        """The three headers of the signature alone; of any bytes, where the reference library takes text only."""
        return webhook_signing.headers(
            [self.issued.signing], f"msg_{next(_numbers)}", datetime.now(UTC), body
        )

    def send(
        self, method: str, path: str, body: Any = None, *, idempotency_key: str = "", **options: Any
    ) -> httpx.Response:
        """One signed request; ``more`` headers replace those that were made."""
        more: dict[str, str] = options.pop("more", {})
        data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        made = {**self.headers(data, **options), **more}
        if idempotency_key:
            made["Idempotency-Key"] = idempotency_key
        return self.client.request(method, f"/api/v1{path}", content=data, headers=made)

    def book(self, body: dict[str, Any], **options: Any) -> httpx.Response:
        """Ask for a visit."""
        return self.send("POST", "/bookings", body, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Ask a question, which needs no signature."""
        headers = {"Authorization": f"Bearer {self.issued.bearer}", **options.pop("headers", {})}
        return self.client.get(f"/api/v1{path}", headers=headers, **options)
