"""`python -m hardware.agent enrol URL CODE | run | status`: the commands of a lane's computer."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sqlite3
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

from hardware.agent import VERSION, client, files
from hardware.agent.service import SPOOL_FILE, Agent
from hardware.agent.words import word

MODELS = os.environ.get("GATEHOUSE_AGENT_MODELS", "")
FACE_PACK = os.environ.get("GATEHOUSE_AGENT_FACE_PACK", "")
DATA = Path(os.environ.get("GATEHOUSE_AGENT_DATA", "agent-data"))


class CommandError(Exception):
    """Something the person at the keyboard must be told."""


def say(key: str, **values: str | int) -> None:
    """Print one text."""
    sys.stdout.write(word(key, **values) + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    folder = Path(options.data).absolute()
    try:
        return int(options.function(options, folder) or 0)
    except CommandError as error:
        told = str(error)
    except files.NotEnrolled:
        told = word("error.not_enrolled", path=str(folder))
    except files.AlreadyRunning:
        told = word("error.already_running", path=str(folder))
    except sqlite3.Error as error:
        told = word("error.spool", path=str(folder / SPOOL_FILE), what=str(error))
    except OSError as error:
        told = word("error.file", path=str(error.filename or folder), what=error.strerror or str(error))
    sys.stderr.write(told + "\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hardware.agent", description=word("description"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, function in (("enrol", _enrol), ("run", _run), ("status", _status)):
        sub = commands.add_parser(name, help=word(f"help.{name}"))
        sub.add_argument("--data", default=str(DATA), help=word("help.data", path=str(DATA)))
        sub.set_defaults(function=function)
        if name == "enrol":
            sub.add_argument("url", help=word("help.url"))
            sub.add_argument("code", help=word("help.code"))
            sub.add_argument("--ca", default="", help=word("help.ca"))
            sub.add_argument("--plain-http", action="store_true", help=word("help.plain_http"))
        if name == "run":
            sub.add_argument("--models", default=MODELS, help=word("help.models"))
            sub.add_argument("--face-pack", default=FACE_PACK, help=word("help.face_pack"))
    return parser


def _enrol(options: argparse.Namespace, folder: Path) -> None:
    url, ca = options.url.rstrip("/"), str(Path(options.ca).absolute()) if options.ca else ""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.path:
        raise CommandError(word("error.address", url=url))
    if not client.is_safe(url) and not options.plain_http:
        raise CommandError(word("error.plain_http", url=url))
    if files.is_running(folder):
        raise CommandError(word("error.running"))
    try:
        given = asyncio.run(client.enrol(url, options.code, VERSION, ca))
    except ssl.SSLError as error:
        raise CommandError(word("error.ca", path=ca)) from error
    except FileNotFoundError as error:
        raise CommandError(word("error.ca", path=ca)) from error
    except client.Unreachable as error:
        raise CommandError(word("error.unreachable", what=str(error))) from error
    except client.Refused as error:
        raise CommandError(word("error.refused")) from error
    except client.Rejected as error:
        raise CommandError(word("error.rejected", what=str(error))) from error
    files.save_enrolment(folder, _merged(folder, url, ca, given))
    say("enrolled", label=given["label"], path=str(folder))


def _merged(folder: Path, url: str, ca: str, given: dict[str, str]) -> files.Enrolment:
    """The new enrolment; what waits in the folder's spool must open afterwards, so its key stays."""
    try:
        spool_key = files.load_enrolment(folder).spool_key
    except files.NotEnrolled:
        spool_key = given["spool_key"]
    return files.Enrolment(url, given["agent"], given["label"], ca, given["secret"], spool_key)


def _run(options: argparse.Namespace, folder: Path) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request would fill the disk
    files.load_enrolment(folder)
    with files.only_one(folder):
        agent = Agent(folder, Path(options.models).absolute() if options.models else None, options.face_pack)
        say("running", path=str(folder))
        asyncio.run(_until_told(agent))
        say("stopped", count=agent.left)


async def _until_told(agent: Agent) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(agent.run())
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


def _status(_: argparse.Namespace, folder: Path) -> int:
    enrolment = files.load_enrolment(folder)
    say("status.who", label=enrolment.label, url=enrolment.url)
    found = files.load_status(folder)
    if not files.is_running(folder) or found is None:
        say("status.stopped")
        return 1
    say("status.running", at=str(found["at"]))
    say(f"status.{found['server']}", offset=int(found["offset_ms"] or 0))
    say("status.waiting", count=int(found["waiting"]))
    if found["trouble"]:
        say("status.trouble", what=word(f"trouble.{found['trouble']}"))
    faces = found.get("faces", "no_pack")
    say("status.faces", what=word(f"faces.{faces}"))
    for device in found["devices"]:
        status = word(f"device.{device['status']}")
        say("status.device", id=device["id"], status=status, detail=device["detail"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
