"""Encrypted files: no readable byte, no half file, no way out of the folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core import crypto, vault
from app.core.database import Database
from app.core.errors import NotFound, Retryable
from app.core.settings import get_settings

PICTURE = b"\xff\xd8 a face, much larger than a page " * 100


def stored() -> list[Path]:
    return [path for path in (get_settings().data_dir / "vault").rglob("*") if path.is_file()]


@pytest.mark.req("RE-05")
def test_a_stored_file_is_unreadable_and_comes_back_whole(sqlite: Database) -> None:
    file_id = vault.put(PICTURE)
    (path,) = stored()
    assert b"a face" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert vault.get(file_id) == PICTURE


@pytest.mark.req("RE-05")
def test_a_file_under_another_name_does_not_open(sqlite: Database) -> None:
    first, second = vault.put(PICTURE), vault.put(b"other")
    a, b = vault._path(first), vault._path(second)
    shutil.copy(a, b)
    with pytest.raises(crypto.Unreadable):
        vault.get(second)


def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(sqlite: Database) -> None:
    file_id = vault.put(PICTURE)
    vault.delete(file_id)
    vault.delete(file_id)
    assert stored() == []
    with pytest.raises(NotFound):
        vault.get(file_id)


@pytest.mark.parametrize("name", ["", "../../keys/kek", "a" * 31, "A" * 32, "0" * 32 + "/x", "\0" * 32])
def test_no_name_leads_out_of_the_vault(sqlite: Database, name: str) -> None:
    with pytest.raises(NotFound):
        vault.get(name)


@pytest.fixture
def full_disk(sqlite: Database) -> Iterator[Path]:
    """The vault on a file system of 64 kB."""
    folder = get_settings().data_dir / "vault"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.req("AD-22")
def test_a_full_disk_is_told_as_a_passing_fault_and_leaves_no_half_file(full_disk: Path) -> None:
    kept = vault.put(b"small")
    with pytest.raises(Retryable) as caught:
        vault.put(os.urandom(200_000))
    assert caught.value.code == "disk_full"
    assert [path.name for path in stored()] == [kept]
    assert vault.get(kept) == b"small"
    assert vault.get(vault.put(b"fits again")) == b"fits again"


def test_a_disk_that_cannot_sync_leaves_no_half_file(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same without root: the kernel's answer comes from a stand-in.
    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Retryable) as caught:
        vault.put(PICTURE)
    assert caught.value.code == "disk_full"
    assert stored() == []
