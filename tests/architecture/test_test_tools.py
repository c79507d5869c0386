"""The tests' own tools do what the other tests rely on."""

from __future__ import annotations

import json
import socket

import pytest

from tests.plugins.sockets import OutsideConnection

INI = "[pytest]\nmarkers =\n    req(*ids): requirements\n"
RUN = ("-p", "tests.plugins.requirements", "-p", "no:cacheprovider", "-p", "no:anyio")


@pytest.mark.req("EV-07")
def test_a_test_cannot_reach_another_host() -> None:
    with socket.socket() as stream, pytest.raises(OutsideConnection):
        stream.connect(("192.0.2.1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as datagram, pytest.raises(OutsideConnection):
        datagram.sendto(b"x", ("192.0.2.1", 53))
    with socket.socket(socket.AF_INET6) as stream, pytest.raises(OutsideConnection):
        stream.connect_ex(("2001:db8::1", 80, 0, 0))
    with pytest.raises(OutsideConnection):
        socket.getaddrinfo("gate.example.com", 443)


def test_a_test_can_reach_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        assert client.getpeername() == server.getsockname()
    assert socket.getaddrinfo("localhost", 80)


def test_an_unknown_requirement_stops_the_collection(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    pytester.makepyfile("import pytest\n@pytest.mark.req('ZZ-99')\ndef test_it(): pass")
    result = pytester.runpytest(*RUN)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*names what docs/requirements.md does not have*", "*test_it: ZZ-99*"])


def test_only_a_test_that_passed_proves_its_requirement(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    pytester.makepyfile(
        "import pytest\n"
        "@pytest.mark.req('AD-03', 'AD-22')\ndef test_passes(): pass\n"
        "@pytest.mark.req('AD-03')\ndef test_fails(): assert False\n"
        "@pytest.mark.req('AD-03')\ndef test_skips(): pytest.skip('no reader')\n"
        "@pytest.fixture\ndef broken():\n    yield\n    raise OSError\n"
        "@pytest.mark.req('AD-03')\ndef test_breaks_at_its_end(broken): pass\n"
        "def test_proves_nothing(): pass\n"
    )
    pytester.runpytest(*RUN)
    report = json.loads((pytester.path / "build" / "requirements-report.json").read_text("utf-8"))
    assert {name.rpartition("::")[2]: test for name, test in report["tests"].items()} == {
        "test_passes": {"ids": ["AD-03", "AD-22"], "outcome": "passed"},
        "test_fails": {"ids": ["AD-03"], "outcome": "failed"},
        "test_skips": {"ids": ["AD-03"], "outcome": "skipped"},
        "test_breaks_at_its_end": {"ids": ["AD-03"], "outcome": "failed"},
    }


def test_a_database_starts_empty_and_is_this_tests_own(postgres_url: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE here (id int)")
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("here",)]


def test_a_page_opens_in_the_wanted_shape(new_page) -> None:
    page = new_page(viewport=(360, 780), locale="en", color_scheme="dark")
    page.goto("data:text/html,<title>gate</title>")
    shape = "[innerWidth, navigator.language, matchMedia('(prefers-color-scheme: dark)').matches]"
    assert page.evaluate(shape) == [360, "en", True]
