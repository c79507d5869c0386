"""No test talks to another machine: sockets reach loopback and AF_UNIX only (EV-07)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest


class OutsideConnection(RuntimeError):
    """A test tried to reach another host."""


def is_local(family: int, address: Any) -> bool:
    """Whether an address as given to ``connect`` stays on this machine."""
    if family not in (socket.AF_INET, socket.AF_INET6):
        return family == socket.AF_UNIX
    return is_local_host(str(address[0]))


def is_local_host(host: str) -> bool:
    """Whether a name or number means this machine; another name would be asked for on the network."""
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _guarded(method: Callable[..., Any], address_at: int) -> Callable[..., Any]:
    def call(self: socket.socket, *args: Any) -> Any:
        if not is_local(self.family, args[address_at]):
            raise OutsideConnection(f"a test may reach this machine only, not {args[address_at]!r}")
        return method(self, *args)

    return call


def _guarded_lookup(lookup: Callable[..., Any]) -> Callable[..., Any]:
    def call(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if not is_local_host(name) and name != "0.0.0.0":
            raise OutsideConnection(f"a test may look up this machine only, not {host!r}")
        return lookup(host, *args, **options)

    return call


@pytest.fixture(scope="session", autouse=True)
def socket_guard() -> Iterator[None]:
    """Refuse every connection and datagram that would leave this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name, address_at in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name), address_at))
        patch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
        yield
