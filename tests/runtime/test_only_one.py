"""A second server on the same data would start every device twice, so it does not start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.runtime.only_one import AlreadyServing, is_served, only_one

HOLD = """
import sys
from pathlib import Path
from app.runtime.only_one import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.req("EV-03")
def test_the_folder_of_a_running_process_is_refused(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    assert is_served(tmp_path)
    with pytest.raises(AlreadyServing), only_one(tmp_path):
        pass


@pytest.mark.req("EV-03")
def test_a_process_that_was_killed_leaves_the_folder_free(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    os.kill(other.pid, signal.SIGKILL)
    other.wait(10)
    assert not is_served(tmp_path)


def test_whoever_is_done_leaves_the_folder_free(tmp_path: Path) -> None:
    with only_one(tmp_path):
        assert is_served(tmp_path)
    assert not is_served(tmp_path)
