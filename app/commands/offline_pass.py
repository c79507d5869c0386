"""Naming, at the end of a build, the files that the visitor's page needs to open without a network (BK-07).

The worker in ``assets/pass_worker.js`` is complete but for two constants: the build it belongs to and the files to
keep. As its text changes with the build, browsers fetch the new worker, and that one drops what the old one kept.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

WORKER = "pass_worker.js"
SHELL = "pass/index.html"
ASSET = re.compile(r"""["'`(](/assets/[\w.\-]+\.(?:js|css|woff2))["'`)]""")
# Static and dynamic imports of one chunk by another; a plain string such as a route's address is none.
IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'`]\./([\w.\-]+\.js)["'`]""")
PLACEHOLDERS = ('const VERSION = "";', "const FILES = [];")


class WorkerChanged(Exception):
    """The worker or the page's shell is not what this module was written for."""


def needed(built: Path) -> list[str]:
    """Every file that the page's HTML names and every script that those import, as absolute addresses."""
    found: set[str] = set()
    waiting = ASSET.findall((built / SHELL).read_text("utf-8"))
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        found.add(address)
        file = built / address.lstrip("/")
        if file.suffix == ".js":
            waiting += [f"/assets/{name}" for name in IMPORT.findall(file.read_text("utf-8"))]
        elif file.suffix == ".css":
            waiting += ASSET.findall(file.read_text("utf-8"))
    return sorted(found)


def complete(built: Path) -> None:
    """Write the files and their common hash into the built worker. Raises ``WorkerChanged``."""
    target = built / WORKER
    text = target.read_text("utf-8")
    files = needed(built)
    if not files or any(text.count(line) != 1 for line in PLACEHOLDERS):
        raise WorkerChanged(f"{WORKER} cannot be completed: {len(files)} files")
    digest = hashlib.sha256(text.encode())
    for name in (SHELL, *files):
        digest.update((built / name.lstrip("/")).read_bytes())
    version, names = digest.hexdigest()[:16], ", ".join(f'"{name}"' for name in files)
    text = text.replace(PLACEHOLDERS[0], f'const VERSION = "{version}";')
    text = text.replace(PLACEHOLDERS[1], f"const FILES = [{names}];")
    target.write_text(text, "utf-8")
    packed = target.with_name(WORKER + ".gz")
    if packed.exists():
        packed.write_bytes(gzip.compress(text.encode(), 9))
