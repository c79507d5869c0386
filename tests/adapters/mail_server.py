"""A real SMTP server on loopback that keeps what it gets, and refuses when it is told to."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.adapters.messaging.mail import Mail


class Handler:
    """Keeps what it gets; ``answers`` by the step of the conversation that is refused."""

    def __init__(self, **answers: str) -> None:
        self.mails: list[tuple[str, list[str], EmailMessage]] = []
        self.answers = answers

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if "mail" in self.answers:
            return self.answers["mail"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if "rcpt" in self.answers:
            return self.answers["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        parsed = message_from_bytes(envelope.content, policy=default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append((envelope.mail_from or "", envelope.rcpt_tos, parsed))
        return self.answers.get("data", "250 2.0.0 Ok: queued as 4F2A")


@dataclass
class Running:
    handler: Handler
    mail: Mail


@contextmanager
def server(handler: Handler, security: str = "none", user: str = "", **options: object) -> Iterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port, **options)  # type: ignore[arg-type]
    controller.start()
    try:
        yield Running(
            handler,
            Mail(
                "localhost" if security != "none" else "127.0.0.1",
                port,
                security,
                user,
                "pw",
                "门岗 <gate@site.test>",
            ),
        )
    finally:
        controller.stop()
