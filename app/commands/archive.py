"""The backup file: a compressed tar of the database, the vault and maybe the key file, its manifest the last member.

The manifest names every file with its SHA-256, holds the wrapped data keys, and is signed by the installation: whether
an archive is whole, genuine and fits the key file at hand is known before anything is restored from it.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import rfc8785

from app.commands.errors import CommandError
from app.core import crypto, keys

MANIFEST = "manifest.json"
DATABASE = "database"
FORMAT = 1
MEMBER = re.compile(rf"{DATABASE}|{re.escape(keys.KEY_FILE)}|vault/[0-9a-f]{{2}}/[0-9a-f]{{32}}")
LONGEST_MANIFEST = 512 * 1024 * 1024
BLOCK = 1024 * 1024
LEVEL = 6  # most of it is sealed and does not shrink, whatever the effort
# What reading a cut, altered or foreign file raises; the disk's own faults are other OSErrors and stay what they are.
BROKEN = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself: ``at`` in ISO 8601, keys and hashes in hex."""

    kind: str
    at: str
    schema: str
    wrapped: dict[str, str]
    key_file: str
    audit_seq: int
    audit_hash: str
    files: dict[str, str]
    format: int = FORMAT

    def wrapped_keys(self) -> dict[int, bytes]:
        """The wrapped data keys by number."""
        return {int(kid): bytes.fromhex(key) for kid, key in self.wrapped.items()}

    def signature(self, ring: crypto.Keyring) -> bytes:
        """The installation's MAC over all of it."""
        return ring.sign("backup", rfc8785.dumps(asdict(self)))


class Writer:
    """Adds files to an archive that is being made, hashing each byte once on its way."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.hashes: dict[str, str] = {}

    def add(self, path: Path, name: str) -> None:
        """Add one file; raises ``FileNotFoundError`` when it is gone."""
        with path.open("rb") as file:
            info = tarfile.TarInfo(name)
            info.size, info.mode = os.fstat(file.fileno()).st_size, 0o600
            hashing = _Hashing(file)
            self._tar.addfile(info, hashing)
        self.hashes[name] = hashing.digest.hexdigest()

    def finish(self, manifest: Manifest, ring: crypto.Keyring) -> None:
        """Write the signed manifest."""
        signed = {"manifest": asdict(manifest), "mac": manifest.signature(ring).hex()}
        data = json.dumps(signed, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(data), 0o600
        self._tar.addfile(info, io.BytesIO(data))


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """An archive at ``path``, its owner's only, and on the disk when this ends well."""
    with open(path, "xb", opener=_private) as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=LEVEL) as tar:
            yield Writer(tar)
        file.flush()
        os.fsync(file.fileno())


def publish(finished: Path, target: Path) -> None:
    """Give a finished archive its name; whoever looks sees the one before or the whole new one."""
    finished.replace(target)
    crypto.sync_folder(target.parent)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _Hashing:
    """A file that is hashed while somebody reads it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self.digest.update(data)
        return data


def unpack(archive: Path, folder: Path) -> tuple[Manifest, bytes]:
    """Unpack into an empty folder and compare every byte with the manifest; returns it and its signature, unchecked.

    Raises ``CommandError``: ``restore_absent``, ``restore_foreign`` (no archive of ours), ``restore_format`` (of another
    version), ``restore_damaged``.
    """
    try:
        file = archive.open("rb")
    except FileNotFoundError as error:
        raise CommandError("restore_absent", path=str(archive)) from error
    with file:
        try:
            tar = tarfile.open(fileobj=file, mode="r:gz")  # noqa: SIM115 - closed below
        except BROKEN as error:
            raise CommandError("restore_foreign") from error
        with tar:
            try:
                manifest, hashes = _members(tar, folder)
            except BROKEN as error:
                raise CommandError("restore_damaged") from error
    if manifest is None:
        raise CommandError("restore_damaged" if hashes else "restore_foreign")
    parsed, mac = _parse(manifest)
    if parsed.files != hashes or DATABASE not in hashes:
        raise CommandError("restore_damaged")
    return parsed, mac


def _members(tar: tarfile.TarFile, folder: Path) -> tuple[bytes | None, dict[str, str]]:
    """Write the members out; nothing but plain files under the names of a backup comes out of an archive."""
    manifest, hashes = None, dict[str, str]()
    for member in tar:
        # After a good beginning a strange name is what a changed bit made of ours.
        strange = CommandError("restore_damaged" if hashes else "restore_foreign")
        source = tar.extractfile(member) if member.isreg() else None
        if source is None or member.name in hashes or manifest is not None:
            raise strange
        if member.name == MANIFEST and member.size <= LONGEST_MANIFEST:
            manifest = source.read()
        elif MEMBER.fullmatch(member.name):
            hashes[member.name] = _write(_blocks(source), folder / member.name)
        else:
            raise strange
    while tar.fileobj.read(BLOCK):
        pass  # to the end of the compressed file, where its own check sum stands
    return manifest, hashes


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(BLOCK):
        yield block


def _write(blocks: Iterable[bytes], target: Path) -> str:
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with open(target, "xb", opener=_private) as file:
        for block in blocks:
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _parse(data: bytes) -> tuple[Manifest, bytes]:
    try:
        signed: dict[str, Any] = json.loads(data)
        fields = signed["manifest"]
        if fields["format"] != FORMAT:
            raise CommandError("restore_format")
        manifest = Manifest(**fields)
        manifest.wrapped_keys()
        return manifest, bytes.fromhex(signed["mac"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError("restore_foreign") from error


def genuine(manifest: Manifest, mac: bytes, ring: crypto.Keyring) -> bool:
    """Whether the installation with these data keys made the archive and nobody changed it since."""
    return hmac.compare_digest(manifest.signature(ring), mac)
