"""HTTPS by the two settings: pages, cookie, socket and live picture all work, and the cookie stays on HTTPS."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import expect

from tests.e2e.pages import NewContext
from tests.e2e.server import Server, make_server, remove


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this machine that nobody else has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


@pytest.fixture
def secure(certificate: tuple[Path, Path]) -> Iterator[Server]:
    """A server that speaks HTTPS by itself."""
    made = make_server(GATEHOUSE_TLS_CERTIFICATE=str(certificate[0]), GATEHOUSE_TLS_KEY=str(certificate[1]))
    made.start()
    yield made
    remove(made)


@pytest.mark.req("EV-05", "AD-01")
def test_the_desk_works_over_https(secure: Server, new_context: NewContext) -> None:
    context = new_context(base_url=secure.url, ignore_https_errors=True, locale="zh-CN")
    page = context.new_page()
    page.goto("/login/")
    page.fill("#username", "guard")
    page.fill("#password", secure.password("guard"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/desk/?$"))
    page.get_by_role("button", name="东门 · 1 号道").click()
    expect(page.locator(".verdict h1")).to_have_text("请出示通行码或刷卡")
    (cookie,) = [cookie for cookie in context.cookies() if cookie["name"] == "gatehouse"]
    assert (cookie["secure"], cookie["httpOnly"]) == (True, True)
    answer = context.request.get("/login/")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
