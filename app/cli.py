"""The operator's commands: ``python -m app.cli COMMAND`` or ``gatehouse COMMAND``."""

from __future__ import annotations

import argparse
import getpass
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from app.commands.errors import CommandError, words
from app.core import audit, clock, i18n, keys
from app.core.actor import SYSTEM
from app.core.database import get_database
from app.core.errors import GateError
from app.core.permissions import Role
from app.core.settings import Settings, get_settings

LOCALE = i18n.DEFAULT if not os.environ.get("LANG", "").startswith("en") else "en"


def say(code: str, /, **params: str | int) -> None:
    """Print one text of the catalogue."""
    sys.stdout.write(i18n.text(LOCALE, f"cli.{code}", **params) + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="gatehouse", description=i18n.text(LOCALE, "cli.description"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (function, extra) in COMMANDS.items():
        sub = commands.add_parser(name, help=i18n.text(LOCALE, f"cli.help_{name.replace('-', '_')}"))
        extra(sub)
        sub.set_defaults(function=function)
    options = parser.parse_args(arguments)
    try:
        get_settings()
    except ValueError as error:  # it names the variable, its value and its bounds
        sys.stderr.write(i18n.text(LOCALE, "cli.setting_wrong", what=str(error)) + "\n")
        return 1
    try:
        return int(options.function(options) or 0)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:
        told = words(error, LOCALE, get_settings().data_dir)
        if told is None:
            raise
        sys.stderr.write(told + "\n")
    return 1


def _open() -> Settings:
    from app.runtime.installation import open_installation

    open_installation(migrate=True)
    return get_settings()


def _open_as_it_is() -> Settings:
    """Open what is there and change nothing of it: no schema, no key, no new database."""
    from app.commands import dumps
    from app.runtime.installation import open_installation

    settings = get_settings()
    if dumps.is_empty(settings):
        raise CommandError("nothing_here", path=str(settings.data_dir))
    open_installation()
    return settings


def _run(_: argparse.Namespace) -> int:
    """Everything for a newcomer: demo data, pages, addresses, server."""
    os.environ["GATEHOUSE_DEMO"] = "1"
    get_settings.cache_clear()
    _demo(argparse.Namespace(reset=False))
    return _serve(argparse.Namespace())


def _serve(_: argparse.Namespace) -> int:
    from app.commands import frontend
    from app.runtime import demo
    from app.runtime.installation import needs_setup, setup_token
    from app.runtime.only_one import is_served

    settings = _open()
    if is_served(settings.data_dir):
        say("already_serving", path=str(settings.data_dir))
        return 1
    if not _port_free(settings):
        say("port_taken", port=settings.port)
        return 1
    if _build(argparse.Namespace()):
        return 1
    scheme = "https" if settings.tls_certificate else "http"
    say("address", address=f"{scheme}://localhost:{settings.port}")
    for host in _addresses():
        say("address_network", address=f"{scheme}://{host}:{settings.port}")
    if settings.demo:
        for line in demo.kept_sign_in(settings.data_dir):
            role = i18n.text(LOCALE, f"role.{line.role}")
            say("sign_in", role=role, name=line.name, username=line.username, password=line.password)
    elif get_database().read_now(needs_setup):
        say("setup", token=setup_token(settings.data_dir))
    if not settings.uses_tls:
        say("plain_http")
    get_database().close()
    frontend.serve(settings)
    return 0


def _port_free(settings: Settings) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            return False
    return True


def _addresses() -> list[str]:
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    except OSError:
        return []
    return sorted(host for host in found if not host.startswith("127."))


def _build(_: argparse.Namespace) -> int:
    from app.commands import frontend

    if not frontend.is_built():
        say("building")
    try:
        frontend.build()
    except frontend.BuildFailed as error:
        sys.stderr.write(str(error) + "\n")
        say("build_failed")
        return 1
    return 0


def _demo(options: argparse.Namespace) -> int:
    from app.runtime import demo

    folder = get_settings().data_dir
    if options.reset and folder.exists():
        if not (folder / demo.SIGN_IN_FILE).exists():
            say("demo_not_demo", path=str(folder))
            return 1
        shutil.rmtree(folder)
    settings = _open()
    database = get_database()
    if not database.read_now(demo.exists):
        demo.keep_sign_in(settings.data_dir, database.write_now(demo.create))
        say("demo_made")
    return 0


def _init(_: argparse.Namespace) -> int:
    from app.runtime.installation import needs_setup, setup_token

    settings = _open()
    say("initialised", path=str(settings.data_dir))
    if get_database().read_now(needs_setup):
        say("setup", token=setup_token(settings.data_dir))
    return 0


def _migrate(_: argparse.Namespace) -> int:
    _open()
    say("migrated")
    return 0


def _create_user(options: argparse.Namespace) -> int:
    from app.domain.people import service
    from app.domain.sites import repository as sites

    _open()
    password = sys.stdin.readline().rstrip("\n") if options.password_stdin else getpass.getpass()

    def work(session: object) -> None:
        found = [s for s in sites.sites(session) if options.site in {"", s.name, s.id}]  # type: ignore[arg-type]
        if len(found) != 1:
            raise GateError("site_unknown")
        person = service.add_person(session, found[0].id, service.STAFF, options.name)  # type: ignore[arg-type]
        roles = [Role(role) for role in options.role]
        service.create_account(session, SYSTEM, found[0].id, person, options.username, password, roles)  # type: ignore[arg-type]

    get_database().write_now(work)
    say("user_made", username=options.username)
    return 0


def _lane_key(options: argparse.Namespace) -> int:
    from app.commands import lane_keys

    _open()
    if not options.lane:
        found = get_database().read_now(lane_keys.every)
        say("lane_which" if found else "lane_none")
        for lane in found:
            say("lane", id=lane.id, site=lane.site, entrance=lane.entrance, lane=lane.lane)
        return 0 if found else 1
    secret = get_database().write_now(lambda s: lane_keys.make(s, options.lane, options.label))
    say("lane_key", key=secret)
    return 0


def _lane_agent(options: argparse.Namespace) -> int:
    from app.commands import lane_agents
    from app.domain.sites import agents

    settings = _open()
    database = get_database()
    if options.action == "list":
        for found in database.read_now(lane_agents.every):
            say(
                "lane_agent_line",
                id=found.id,
                site=found.site,
                label=found.label,
                seen=found.seen,
                waiting=found.waiting,
                version=found.version,
            )
    elif options.action == "revoke":
        database.write_now(lambda s: agents.revoke(s, SYSTEM, options.name))
        say("lane_agent_revoked")
    else:
        code = database.write_now(
            lambda s: (
                lane_agents.make(s, options.name, options.lane)
                if options.action == "create"
                else agents.renew(s, SYSTEM, options.name)
            )
        )
        say("lane_agent_code", code=code, command=agents.command(settings.base_url, code))
    return 0


def _devices(options: argparse.Namespace) -> int:
    from app.domain.sites import repository as sites
    from app.runtime import devices

    _open()
    text = Path(options.file).read_text("utf-8")

    def work(session: object) -> int:
        found = [s for s in sites.sites(session) if options.site in {"", s.name, s.id}]  # type: ignore[arg-type]
        if len(found) != 1:
            raise GateError("site_unknown")
        return devices.import_toml(session, SYSTEM, text, found[0].id)  # type: ignore[arg-type]

    say("devices_imported", count=get_database().write_now(work))
    return 0


def _backup(options: argparse.Namespace) -> int:
    from app.commands import safekeeping

    settings = _open_as_it_is()
    _clear_up_when_stopped()
    target = Path(options.file).absolute()
    count = safekeeping.backup(settings, get_database(), target, with_key=options.with_key)
    say("backed_up", path=str(target), count=count)
    say("backup_with_key" if options.with_key else "backup_key")
    return 0


def _restore(options: argparse.Namespace) -> int:
    from app.commands import safekeeping

    _clear_up_when_stopped()
    restored = safekeeping.restore(get_settings(), Path(options.file).absolute())
    at = f"{datetime.fromisoformat(restored.at):%Y-%m-%d %H:%M} UTC"
    say("restored", count=restored.files, at=at)
    if restored.missing_pictures:
        say("restored_without_pictures", count=restored.missing_pictures)
    say("restored_since", at=at)
    return 0


def _rotate_keys(_: argparse.Namespace) -> int:
    from app.commands import rotation

    settings = _open_as_it_is()
    rotated = rotation.rotate(get_database(), settings.data_dir)
    say("rotated", count=rotated.count, path=str(settings.data_dir / keys.KEY_FILE))
    say("rotated_kept", path=str(rotated.retired))
    return 0


def _clear_up_when_stopped() -> None:
    """Have SIGTERM unwind the command, which takes away what it has begun."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _verify_audit(_: argparse.Namespace) -> int:
    settings = _open_as_it_is()
    faults = get_database().read_now(lambda session: list(audit.verify(session, settings.data_dir)))
    for fault in faults:
        say("audit_fault", seq=fault.seq, kind=fault.kind)
    if not faults:
        say("audit_good", count=get_database().read_now(audit.head)[0])
    return 1 if faults else 0


def _accept_clock(_: argparse.Namespace) -> int:
    """Vouch for the clock as it stands, after one that had run ahead by mistake was mended."""
    settings = _open_as_it_is()
    if clock.current().trusted():
        say("clock_good")
        return 0
    get_database().write_now(lambda session: audit.record(session, SYSTEM, clock.ACCEPTED, "clock", "system"))
    say("clock_accepted", path=str(settings.data_dir))
    return 0


def _models(options: argparse.Namespace) -> int:
    from app.commands import face_models

    data_dir = get_settings().data_dir
    if options.action == "list":
        return face_models.show(data_dir, say)
    if options.action == "check":
        return face_models.check(data_dir, options.target, say)
    return face_models.take(data_dir, Path(options.target), options.name, options.accept_licence, say)


def _evaluate(options: argparse.Namespace) -> int:
    from app.commands import face_evaluation_report

    out = Path(options.out or "evaluation").absolute()
    return face_evaluation_report.run(
        get_settings().data_dir, Path(options.folder), options.far, out, options.pack, say
    )


def _doctor(_: argparse.Namespace) -> int:
    from app.commands import doctor

    worst = 0
    for check in doctor.examine(get_settings()):
        mark = {"ok": "✓", "warn": "!", "bad": "✗"}[check.level]
        why = i18n.text(LOCALE, f"cli.doctor_{check.name}_{check.code}") if check.code else ""
        sys.stdout.write(
            f" {mark} {i18n.text(LOCALE, f'cli.doctor_{check.name}')}{'  ' + why if why else ''}\n"
        )
        worst = max(worst, int(check.level == "bad"))
    return worst


def _none(_: argparse.ArgumentParser) -> None:
    pass


def _demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reset", action="store_true")


def _restore_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file")


def _user_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("username")
    parser.add_argument("--name", required=True)
    parser.add_argument("--role", action="append", required=True, choices=[role.value for role in Role])
    parser.add_argument("--site", default="")
    parser.add_argument("--password-stdin", action="store_true")


def _device_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["import"])
    parser.add_argument("file")
    parser.add_argument("--site", default="")


def _lane_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lane", nargs="?", default="")
    parser.add_argument("--label", default="lane")


def _agent_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["create", "list", "renew", "revoke"])
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--lane", action="append", default=[])


def _backup_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file")
    parser.add_argument("--with-key", action="store_true")


def _models_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["list", "check", "import"])
    parser.add_argument("target", nargs="?", default="")
    parser.add_argument("--name", default="")
    parser.add_argument("--accept-licence", action="store_true")


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder")
    parser.add_argument("--far", type=float, default=0.0001)
    parser.add_argument("--out", default="")
    parser.add_argument("--pack", default="")


Command = tuple[Callable[[argparse.Namespace], int], Callable[[argparse.ArgumentParser], None]]
COMMANDS: dict[str, Command] = {
    "run": (_run, _none),
    "serve": (_serve, _none),
    "build": (_build, _none),
    "init": (_init, _none),
    "demo": (_demo, _demo_options),
    "migrate": (_migrate, _none),
    "create-user": (_create_user, _user_options),
    "lane-key": (_lane_key, _lane_options),
    "lane-agent": (_lane_agent, _agent_options),
    "devices": (_devices, _device_options),
    "backup": (_backup, _backup_options),
    "restore": (_restore, _restore_options),
    "rotate-keys": (_rotate_keys, _none),
    "verify-audit": (_verify_audit, _none),
    "accept-clock": (_accept_clock, _none),
    "models": (_models, _models_options),
    "evaluate": (_evaluate, _evaluate_options),
    "doctor": (_doctor, _none),
}

if __name__ == "__main__":
    sys.exit(main())
