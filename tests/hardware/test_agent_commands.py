"""The commands on a lane's computer, and whom the agent trusts (ID-01)."""

from __future__ import annotations

import ast
import json
import ssl
import string
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hardware.agent import VERSION, client, files, words
from hardware.agent.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
ANSWER = {"agent": "a1", "label": "East", "secret": "gha_secret", "spool_key": "00" * 32}


class Enrolling(BaseHTTPRequestHandler):
    """Answers an enrolment as the server does."""

    status, told = 200, ANSWER

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(self.told).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Any]:
    opened: list[ThreadingHTTPServer] = []

    def start(status: int = 200, told: dict[str, str] | None = None, certificate: Path | None = None) -> str:
        handler = type("Handler", (Enrolling,), {"status": status, "told": told or ANSWER})
        made = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            made.socket = context.wrap_socket(made.socket, server_side=True)
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        opened.append(made)
        return f"http{'s' if certificate else ''}://localhost:{made.server_address[1]}"

    yield start
    for made in opened:
        made.shutdown()
        made.server_close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine's own, with its key in the same file."""
    path = tmp_path / "own.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + [
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            str(path),
            "-out",
            str(tmp_path / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text("ascii") + (tmp_path / "cert.pem").read_text("ascii"), "ascii")
    return path


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")


def enrol(folder: Path, url: str, *more: str) -> int:
    return main(["enrol", url, "ABCDE-FGHJK-LMNPQ-RSTUV", "--data", str(folder), *more])


def test_the_enrolment_is_for_its_owner_alone_and_says_nothing_in_logs(tmp_path: Path, serve: Any) -> None:
    folder = tmp_path / "data"
    assert enrol(folder, serve()) == 0
    assert (folder / files.ENROLMENT_FILE).stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0
    kept = files.load_enrolment(folder)
    assert (kept.agent, kept.secret) == ("a1", "gha_secret")
    assert "secret=" not in repr(kept)
    assert "00" * 32 not in repr(kept)


def test_enrolling_anew_keeps_the_key_of_what_waits(tmp_path: Path, serve: Any) -> None:
    assert enrol(tmp_path, serve()) == 0
    assert enrol(tmp_path, serve(told={**ANSWER, "secret": "gha_new", "spool_key": "11" * 32})) == 0
    kept = files.load_enrolment(tmp_path)
    assert (kept.secret, kept.spool_key) == ("gha_new", "00" * 32)


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (403, "agent_code_wrong", "did not take the code"),
        (429, "too_many", "cannot be reached"),
        (422, "input_wrong", "did not take the request"),
        (503, "database_busy", "cannot be reached"),
    ],
)
def test_each_refusal_is_told_in_words(
    tmp_path: Path, serve: Any, capsys: pytest.CaptureFixture[str], status: int, error: str, said: str
) -> None:
    assert enrol(tmp_path, serve(status, {"error": error})) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / files.ENROLMENT_FILE).exists()


def test_a_certificate_nobody_vouches_for_is_refused(
    tmp_path: Path, serve: Any, certificate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = serve(certificate=certificate)
    assert enrol(tmp_path, url) == 1
    assert "cannot be reached" in capsys.readouterr().err
    assert enrol(tmp_path, url, "--ca", str(tmp_path / "cert.pem")) == 0
    assert files.load_enrolment(tmp_path).ca == str(tmp_path / "cert.pem")
    # The name counts too: the certificate is for localhost.
    assert enrol(tmp_path, url.replace("localhost", "127.0.0.1"), "--ca", str(tmp_path / "cert.pem")) == 1


def test_a_certificate_file_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.pem").write_text("", "ascii")
    for name in ("absent.pem", "empty.pem"):
        assert enrol(tmp_path, "https://localhost:1", "--ca", str(tmp_path / name)) == 1
        assert name in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://gate.example.com", "not encrypted"),
        ("ftp://gate.example.com", "no address"),
        ("gate.example.com", "no address"),
        ("https://", "no address"),
        ("https://gate.example.com/page", "no address"),
    ],
)
def test_an_unsafe_or_wrong_address_is_refused_before_anything_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, said: str
) -> None:
    assert enrol(tmp_path, url) == 1
    assert said in capsys.readouterr().err


def test_without_an_enrolment_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("run", "status"):
        assert main([command, "--data", str(tmp_path / "none")]) == 1
        assert "no enrolment" in capsys.readouterr().err


def test_a_second_agent_in_the_folder_is_refused(
    tmp_path: Path, serve: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert enrol(tmp_path, serve()) == 0
    with files.only_one(tmp_path):
        assert main(["run", "--data", str(tmp_path)]) == 1
        assert "already" in capsys.readouterr().err
        assert enrol(tmp_path, serve()) == 1
    assert main(["status", "--data", str(tmp_path)]) == 1
    assert "not running" in capsys.readouterr().out


def test_a_kept_configuration_opens_with_its_own_key_only(tmp_path: Path) -> None:
    files.save_config(tmp_path, bytes(32), {"devices": [{"settings": {"source": "rtsp://user:pw@cam"}}]})
    assert b"rtsp" not in (tmp_path / files.CONFIG_FILE).read_bytes()
    assert files.load_config(tmp_path, bytes(32)) is not None
    assert files.load_config(tmp_path, b"\x01" * 32) is None
    (tmp_path / files.CONFIG_FILE).write_bytes(b"short")
    assert files.load_config(tmp_path, bytes(32)) is None


def test_pauses_grow_and_end_somewhere() -> None:
    pause = client.Pause()
    chosen = [pause.seconds() for _ in range(12)]
    assert chosen[0] < 0.5
    assert all(seconds <= client.LONGEST_PAUSE_SECONDS * 1.2 for seconds in chosen)
    assert min(chosen[-3:]) >= client.LONGEST_PAUSE_SECONDS * 0.8
    pause.reset()
    assert pause.seconds() < 0.5


def test_the_version_is_that_of_the_product() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["version"] == VERSION


@pytest.mark.req("EV-01")
def test_both_languages_have_every_word_that_is_asked_for() -> None:
    chinese, english = (words.catalogue(locale) for locale in words.LANGUAGES)
    assert chinese.keys() == english.keys()
    for key in chinese:
        names = [
            sorted(n for _, n, _, _ in string.Formatter().parse(text[key]) if n)
            for text in (chinese, english)
        ]
        assert names[0] == names[1], key
    asked = {
        str(node.args[0].value)
        for path in (ROOT / "hardware" / "agent").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"word", "say"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert len(asked) > 10
    assert asked <= chinese.keys()
