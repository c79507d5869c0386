"""Mail by a real SMTP server: what gets there, and what a server's refusals mean."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.adapters.messaging import mail
from app.adapters.messaging.mail import Mail, calendar_text
from app.core.outbox import Message, Outcome, Result
from app.domain.messages.letters import Calendar, Letter
from tests.adapters.mail_server import Handler, server
from tests.installation import FakeClock

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
VISIT = Calendar("b-1", START, START + timedelta(hours=2), "锦绣花园, 8栋1203", cancelled=False)
LETTER = Letter("pass_link", "guest@visitor.test", "锦绣花园访客邀请", "周*您好：\nhttp://x/v/1", {}, VISIT)
MESSAGE = Message("m-1", "email", "pass_link", "site", {}, 1)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate for localhost that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def login(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"gate", b"pw")
    return AuthResult(success=good, handled=False)


@pytest.mark.req("EV-06")
def test_an_invitation_arrives_as_plain_text_with_a_calendar_entry(fake_clock: FakeClock) -> None:
    with server(Handler()) as running:
        outcome = running.mail.send(MESSAGE, LETTER)
    assert outcome == Outcome(Result.SENT, receipt="2.0.0 Ok: queued as 4F2A")
    [(sender, receivers, got)] = running.handler.mails
    assert (sender, receivers) == ("gate@site.test", ["guest@visitor.test"])
    assert (got["subject"], got["message-id"]) == ("锦绣花园访客邀请", "<m-1@site.test>")
    assert got.get_body().get_content().split() == ["周*您好：", "http://x/v/1"]  # type: ignore[union-attr]
    [part] = got.iter_attachments()
    assert (part.get_content_type(), part.get_filename()) == ("text/calendar", "visit.ics")
    assert "DTSTART:20260302T060000Z" in part.get_payload(decode=True).decode()  # type: ignore[union-attr]


def test_a_sender_that_is_refused_is_the_operators_to_mend_and_the_mail_waits(fake_clock: FakeClock) -> None:
    with server(Handler(mail="553 5.7.1 sender not owned")) as running:
        outcome = running.mail.send(MESSAGE, LETTER)
    assert outcome == Outcome(Result.LATER, "smtp_553", reached=False)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_encrypted_and_after_a_login(
    certificate: ssl.SSLContext, fake_clock: FakeClock, security: str
) -> None:
    options: dict[str, object] = {"ssl_context": certificate, "auth_require_tls": False}
    if security == "starttls":
        options = {"tls_context": certificate, "require_starttls": True, "auth_required": True}
    with server(Handler(), security, "gate", authenticator=login, **options) as running:
        assert running.mail.send(MESSAGE, LETTER).result is Result.SENT
        wrong = replace(running.mail, password="other")
        assert wrong.send(MESSAGE, LETTER) == Outcome(Result.LATER, "login_refused", reached=False)
    assert len(running.handler.mails) == 1


def test_nothing_is_said_in_the_clear_where_encryption_was_asked_for(fake_clock: FakeClock) -> None:
    with server(Handler(), "starttls", "gate") as running:
        assert running.mail.send(MESSAGE, LETTER) == Outcome(Result.LATER, "not_supported", reached=False)
    assert running.handler.mails == []


def test_a_certificate_nobody_vouches_for_is_refused(
    certificate: ssl.SSLContext, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with server(Handler(), "starttls", tls_context=certificate) as running:
        assert running.mail.send(MESSAGE, LETTER).error == "certificate_wrong"
    assert running.handler.mails == []


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"rcpt": "550 5.1.1 no such user"}, Outcome(Result.FAILED, "smtp_550")),
        ({"rcpt": "450 4.2.0 greylisted"}, Outcome(Result.LATER, "smtp_450")),
        ({"data": "554 5.7.1 spam"}, Outcome(Result.FAILED, "smtp_554")),
        ({"data": "452 4.3.1 full"}, Outcome(Result.LATER, "smtp_452")),
    ],
)
def test_what_a_refusal_means(fake_clock: FakeClock, answers: dict[str, str], outcome: Outcome) -> None:
    with server(Handler(**answers)) as running:
        assert running.mail.send(MESSAGE, LETTER) == outcome


def test_a_server_that_is_not_there_or_says_nothing_is_tried_later(
    fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        silent = Mail("127.0.0.1", port, "none", "", "", "gate@site.test")
        assert silent.send(MESSAGE, LETTER) == Outcome(Result.LATER, "unreachable", reached=False)
    assert silent.send(MESSAGE, LETTER) == Outcome(Result.LATER, "unreachable", reached=False)


def test_a_calendar_entry_is_folded_escaped_and_can_be_taken_back(fake_clock: FakeClock) -> None:
    long = replace(VISIT, place="锦绣花园" * 20 + "; 8栋, 1203\nX", cancelled=True)
    text = calendar_text(long, "T")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    unfolded = text.replace("\r\n ", "")
    assert "LOCATION:" + "锦绣花园" * 20 + "\\; 8栋\\, 1203 X\r\n" in unfolded
    assert "METHOD:CANCEL" in unfolded
    assert "STATUS:CANCELLED" in unfolded
