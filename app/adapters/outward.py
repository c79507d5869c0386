"""Calling addresses that a manager typed in (S-22): https and public, or a private network that the operator allowed.

A name is looked up once and the connection goes to the very address that was judged, so that a name cannot answer
differently the second time. Redirects are not followed, proxies of the environment are not used.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from app.core.settings import get_settings
from app.domain.sites.webhook_rules import Answer

logger = logging.getLogger(__name__)

SECONDS = 5.0
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Refused(Exception):
    """An address that is not called; the text is the code of why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the address that was judged, and the name it goes by."""

    url: str
    host: str
    name: str


def allowed_networks() -> tuple[Network, ...]:
    """The private networks that the operator allowed; one that is none allows nothing."""
    found: list[Network] = []
    for part in get_settings().webhook_networks.split(","):
        if not part.strip():
            continue
        try:
            found.append(ipaddress.ip_network(part.strip(), strict=False))
        except ValueError:
            logger.warning("GATEHOUSE_WEBHOOK_NETWORKS holds what is no network")
    return tuple(found)


def fault(scheme: str, addresses: list[Address], allowed: tuple[Network, ...]) -> str:
    """Why these addresses are not called, empty where they are: every one of them has to be fit."""
    if not addresses:
        return "name_unknown"
    for address in addresses:
        plain = _plain(address)
        if any(plain.version == network.version and plain in network for network in allowed):
            continue
        if scheme != "https":
            return "needs_https"
        local = getattr(plain, "is_site_local", False)  # an old range of IPv6 that counts as global
        if local or not plain.is_global or plain.is_multicast or plain.is_reserved:
            return "private_address"
    return ""


def _plain(address: Address) -> Address:
    """An IPv4 address that is wrapped in an IPv6 one, as itself."""
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def resolve(url: str, allowed: tuple[Network, ...]) -> Target:
    """Look an address up and judge it; raises ``Refused``."""
    parts = urlsplit(url)
    name, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused("name_unknown") from error
    addresses = [ipaddress.ip_address(str(item[4][0]).partition("%")[0]) for item in found]
    if code := fault(parts.scheme, addresses, allowed):
        raise Refused(code)
    literal = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])
    query = f"?{parts.query}" if parts.query else ""
    return Target(f"{parts.scheme}://{literal}:{port}{parts.path or '/'}{query}", parts.netloc, name)


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send one message from a thread of its own and say what came back; never raises for what the other side does."""
    try:
        target = resolve(url, allowed_networks())
    except Refused as error:
        return Answer(error=str(error))
    # A loop of its own: only there a limit holds for the whole exchange, however slowly it drips.
    return asyncio.run(_post(target, body, headers))


async def _post(target: Target, body: bytes, headers: dict[str, str]) -> Answer:
    sent = {"User-Agent": "Gatehouse", "Content-Type": "application/json", **headers, "Host": target.host}
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient(timeout=SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream(
                "POST",
                target.url,
                content=body,
                headers=sent,
                extensions={"sni_hostname": target.name},
            ) as answer,
        ):
            # What it says beside its status is nobody's business, and may never end.
            return Answer(answer.status_code, retry_after=answer.headers.get("retry-after", ""))
    except (TimeoutError, httpx.TimeoutException):
        return Answer(error="timeout")
    except httpx.HTTPError as error:
        text = str(error).upper()
        return Answer(error="tls" if "SSL" in text or "CERTIFICATE" in text else "unreachable")
