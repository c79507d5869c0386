"""One process for one data folder: devices, live pages and sweeps have one owner each."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_FILE = "serving.lock"


class AlreadyServing(Exception):
    """Another process serves this data folder."""


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder; the system lets go of it when the process ends, however it ends. Raises ``AlreadyServing``."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyServing(str(folder)) from error
        yield


def is_served(folder: Path) -> bool:
    """Whether a process holds the folder now."""
    try:
        with only_one(folder):
            return False
    except AlreadyServing:
        return True
