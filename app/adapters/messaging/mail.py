"""Mail by SMTP: plain text, an invitation with a calendar entry, the server's answer as receipt."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from sqlmodel import Session

from app.core import clock
from app.core.outbox import Message, Outcome, Result
from app.domain.messages import letters
from app.domain.messages.letters import Calendar, Letter

SECONDS = 5.0


# Nothing but ASCII on the line: a relay that knows no 8BITMIME takes it as well.
PLAIN = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server and how to speak with it."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)
    sender: str

    def compose(self, session: Session, message: Message) -> Letter | Outcome:
        """The text and the address."""
        return letters.compose(session, message)

    def send(self, message: Message, letter: Letter) -> Outcome:
        """Hand one mail over; a second try carries the same Message-ID, by which mail programs fold the two."""
        # Until the receiver is named, a refusal is about the server or the sender: an operator mends it, and mails wait.
        written, named, handing = self._write(message, letter), False, False
        try:
            server = self._open()
            try:
                if self.user:
                    server.login(self.user, self.password)
                _expect(server.mail(parseaddr(self.sender)[1]))
                named = True
                _expect(server.rcpt(letter.to))
                handing = True
                code, answer = server.data(written.as_bytes(policy=PLAIN))
                _expect((code, answer))
            finally:
                with suppress(
                    OSError, smtplib.SMTPException
                ):  # however it says goodbye, what was said stands
                    server.quit()
                server.close()
            return Outcome(Result.SENT, receipt=answer.decode("ascii", "replace")[:120])
        except smtplib.SMTPNotSupportedError:
            return Outcome(Result.LATER, "not_supported", reached=False)
        except smtplib.SMTPAuthenticationError:
            return Outcome(Result.LATER, "login_refused", reached=False)
        except smtplib.SMTPResponseException as error:
            final = named and 500 <= error.smtp_code < 600 and error.smtp_code != 530
            code_word = f"smtp_{error.smtp_code}"
            return Outcome(Result.FAILED if final else Result.LATER, code_word, reached=named)
        except ssl.SSLError:
            return Outcome(Result.LATER, "certificate_wrong", reached=False)
        except (OSError, smtplib.SMTPException):
            error_code = "broken_off" if handing else "unreachable"
            return Outcome(Result.LATER, error_code, doubtful=handing, reached=False)

    def _open(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        try:
            server.ehlo_or_helo_if_needed()
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
                server.ehlo_or_helo_if_needed()
        except BaseException:
            server.close()
            raise
        return server

    def _write(self, message: Message, letter: Letter) -> EmailMessage:
        mail = EmailMessage(policy=PLAIN)
        domain = parseaddr(self.sender)[1].partition("@")[2] or "localhost"
        mail["From"], mail["To"], mail["Subject"] = self.sender, letter.to, " ".join(letter.subject.split())
        mail["Message-ID"], mail["Date"] = f"<{message.id}@{domain}>", format_datetime(clock.now())
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text + "\n")
        if letter.calendar is not None:
            mail.add_attachment(
                calendar_text(letter.calendar, letter.subject).encode(),
                maintype="text",
                subtype="calendar",
                filename="visit.ics",
                params={"method": "CANCEL" if letter.calendar.cancelled else "PUBLISH", "charset": "utf-8"},
            )
        return mail


def _expect(answer: tuple[int, bytes]) -> None:
    if not 200 <= answer[0] < 300:
        raise smtplib.SMTPResponseException(*answer)


def calendar_text(entry: Calendar, title: str) -> str:
    """A visit as RFC 5545 wants it; the same uid at each change, so that a calendar moves the entry."""
    now = clock.now()
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Gatehouse//EN",
        f"METHOD:{'CANCEL' if entry.cancelled else 'PUBLISH'}",
        "BEGIN:VEVENT",
        f"UID:{entry.uid}@gatehouse",
        f"SEQUENCE:{int(now.timestamp())}",
        f"DTSTAMP:{_stamp(now)}",
        f"DTSTART:{_stamp(entry.starts_at)}",
        f"DTEND:{_stamp(entry.ends_at)}",
        f"SUMMARY:{_escape(title)}",
        f"LOCATION:{_escape(entry.place)}",
        f"STATUS:{'CANCELLED' if entry.cancelled else 'CONFIRMED'}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_fold(line)}\r\n" for line in lines)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escape(text: str) -> str:
    for sign in "\\;,":
        text = text.replace(sign, "\\" + sign)
    return " ".join(text.splitlines())


def _fold(line: str) -> str:
    """Lines of at most 75 octets, cut between characters."""
    parts, size = [""], 0
    for character in line:
        width = len(character.encode())
        if size + width > 73:
            parts.append("")
            size = 0
        parts[-1] += character
        size += width
    return "\r\n ".join(parts)
