"""Building the pages, only when their sources changed, and starting the server on what was built.

The two variables with leading underscores are internal to Reflex 0.10.1, which is therefore pinned exactly; they
stand in this one place, and ``tests/e2e`` fails when an upgrade changes them.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from app.commands import offline_pass
from app.core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".web" / "build" / "client"
STAMP = ROOT / ".web" / "gatehouse.built"
LOCK = ROOT / "build" / "frontend.lock"
SOURCES = (
    "app/app.py",
    "app/commands/offline_pass.py",
    "app/core/catalogue",
    "app/pages",
    "components",
    "state",
    "assets",
    "rxconfig.py",
    "requirements",
)
# While pages are prerendered there is no location; the address is not used then.
ORIGIN = '(globalThis.location?.origin??"http://localhost")'
PATCHED_CHUNKS = 2


class BuildFailed(Exception):
    """The pages could not be built; carries the end of the builder's output."""


def fingerprint() -> str:
    """A hash over everything that the built pages depend on."""
    digest = hashlib.sha256()
    for name in SOURCES:
        path = ROOT / name
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts and file.is_file():
                digest.update(str(file.relative_to(ROOT)).encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def environment() -> dict[str, str]:
    """The environment in which Reflex asks no other host for news, and keeps compiled modules in ``build/``."""
    env = dict(os.environ)
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])
    env |= {
        "REFLEX_USE_NPM": "1",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "PYTHONPYCACHEPREFIX": str(ROOT / "build" / "pycache"),
    }
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling everything at each start takes seconds
    return env


def _build_environment() -> dict[str, str]:
    """The same for a build, which needs the npm registry and nothing else."""
    env = environment()
    npm = shutil.which("npm", path=env["PATH"])
    if npm and "NPM_CONFIG_REGISTRY" not in env:
        asked = subprocess.run(
            [npm, "config", "get", "registry"], env=env, capture_output=True, text=True, check=False
        )
        if asked.returncode == 0 and asked.stdout.strip().startswith("http"):
            # Named outright, Reflex need not measure which of several registries answers fastest.
            env["NPM_CONFIG_REGISTRY"] = asked.stdout.strip().rstrip("/")
    return env


def is_built() -> bool:
    """Whether the pages on disk belong to the present sources."""
    return BUILT.is_dir() and STAMP.exists() and STAMP.read_text("ascii") == fingerprint()


def build() -> bool:
    """Build the pages when their sources changed; False when there was nothing to do. Raises ``BuildFailed``."""
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two starts at once must not build into the same folder
        return False if is_built() else _build()


def _build() -> bool:
    STAMP.unlink(missing_ok=True)
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    done = subprocess.run(
        command, cwd=ROOT, env=_build_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or not BUILT.is_dir():
        raise BuildFailed((done.stdout + done.stderr)[-4000:])
    _use_own_origin()
    try:
        offline_pass.complete(BUILT)
    except offline_pass.WorkerChanged as error:
        raise BuildFailed(str(error)) from error
    STAMP.write_text(fingerprint(), "ascii")
    return True


def _use_own_origin() -> None:
    """Have the pages talk to wherever they were loaded from, on any host, port and scheme.

    Reflex bakes an address into two chunks at build time, of which it replaces only the host at run time.
    """
    found = 0
    for chunk in (BUILT / "assets").glob("*.js"):
        text = chunk.read_text("utf-8")
        patched = text
        if chunk.name.startswith("reflex-env-"):
            patched = re.sub(r"`http://localhost:\d+", "`${" + ORIGIN + "}", patched)
            patched = re.sub(r"`ws://localhost:\d+", "`${" + ORIGIN + '.replace(/^http/,"ws")}', patched)
        patched = patched.replace(".port=``", ".port=location.port")
        if patched != text:
            found += 1
            chunk.write_text(patched, "utf-8")
            packed = chunk.with_name(chunk.name + ".gz")
            if packed.exists():
                packed.write_bytes(gzip.compress(patched.encode(), 9))
    if found != PATCHED_CHUNKS:
        raise BuildFailed(f"{found} chunks name the address of the server, {PATCHED_CHUNKS} were expected")


def serve(settings: Settings) -> None:
    """Become the server: Granian on one port for pages, socket and routes; a clean stop at SIGTERM."""
    env = environment()
    env |= {
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "__REFLEX_SKIP_COMPILE": "true",
        "REFLEX_ENV_MODE": "prod",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH", "")])),
        # Camera streams never end by themselves; the stop must not wait for their viewers.
        # Each of many threads would keep freed memory to itself otherwise.
        "MALLOC_ARENA_MAX": env.get("MALLOC_ARENA_MAX", "2"),
        "GRANIAN_WORKERS_KILL_TIMEOUT": env.get("GRANIAN_WORKERS_KILL_TIMEOUT", "5"),
    }
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--factory",
        "app.app:app",
        "--host",
        settings.host,
        "--port",
        str(settings.port),
        "--workers",
        "1",
        "--ws",
        "--log-level",
        "warning",
    ]
    if settings.tls_certificate:
        command += ["--ssl-certificate", settings.tls_certificate, "--ssl-keyfile", settings.tls_key]
    os.chdir(ROOT)
    os.execve(sys.executable, command, env)
