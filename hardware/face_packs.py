"""Packs of face models in a local folder: listed, checked by hash, imported with their licence accepted (ID-02).

A pack is `<models>/<name>/` with its ONNX files and a manifest. Nothing here, and no library behind it, ever downloads one.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware.face_ports import Pack
from hardware.ports import HardwareError

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "gatehouse-pack.json"
FORMAT = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ENGINES = ("insightface", "opencv")
DETECTION, RECOGNITION, LANDMARKS, PASSIVE, COVERED = (
    "detection",
    "recognition",
    "landmarks",
    "liveness",
    "covered",
)
ROLES = (DETECTION, RECOGNITION, LANDMARKS, PASSIVE, COVERED)
ID_LENGTH = 32
CHUNK = 1 << 20
DEFAULT_LIVE_THRESHOLD = 0.8


class PackError(HardwareError):
    """What is wrong with a pack; `what` names the file or value, never a path of the machine."""

    def __init__(self, code: str, what: str = "") -> None:
        super().__init__(code)
        self.what = what


@dataclass(frozen=True, slots=True)
class PackFile:
    """One file of a pack; what has no role is text to read."""

    name: str
    sha256: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a pack says of itself; written when the operator imports it."""

    engine: str
    dimension: int
    files: tuple[PackFile, ...]
    licence: str
    accepted_at: str = ""
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def file(self, role: str) -> str:
        """The name of the model with that role, or nothing."""
        return next((file.name for file in self.files if file.role == role), "")

    @property
    def id(self) -> str:
        """Changes with the engine and with every byte of every model."""
        models = sorted(f"{file.role}:{file.sha256}" for file in self.files if file.role)
        return hashlib.sha256("\n".join([self.engine, *models]).encode()).hexdigest()[:ID_LENGTH]


@dataclass(frozen=True, slots=True)
class CheckedPack:
    """A pack whose files are those that were imported."""

    pack: Pack
    folder: Path
    manifest: Manifest

    def path(self, role: str) -> Path | None:
        """Where the model with that role is."""
        name = self.manifest.file(role)
        return self.folder / name if name else None


def names(models: Path) -> list[str]:
    """The packs below the folder, good or not."""
    if not models.is_dir():
        return []
    return sorted(path.name for path in models.iterdir() if path.is_dir() and NAME.fullmatch(path.name))


def folder_of(models: Path, name: str) -> Path:
    """The folder of a pack; what is no plain name could lead anywhere and is refused."""
    if not NAME.fullmatch(name):
        raise PackError("name_bad", name)
    return models.absolute() / name


def check(models: Path, name: str, *, licence: bool = True) -> CheckedPack:
    """Read a pack's manifest and hold all its files against it; PackError says what is wrong."""
    folder = folder_of(models, name)
    if not folder.is_dir():
        raise PackError("pack_absent", name)
    manifest = _read(folder)
    for file in manifest.files:
        path = folder / file.name
        if not path.is_file():
            raise PackError("file_missing", file.name)
        if digest(path) != file.sha256:
            raise PackError("file_changed", file.name)
    known = {MANIFEST, *(file.name for file in manifest.files)}
    # The engine takes the first model of a kind that it finds, and other libraries' manifests change how it reads them: what was
    # put there later could take another's place.
    for path in sorted(folder.iterdir()):
        if path.name not in known and not path.name.startswith("."):
            raise PackError("file_unknown", path.name)
    if licence and not manifest.accepted_at:
        raise PackError("licence_open", manifest.licence)
    pack = Pack(manifest.id, name, manifest.engine, manifest.dimension, manifest.licence)
    return CheckedPack(pack, folder, manifest)


def digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    made = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK):
            made.update(piece)
    return made.hexdigest()


def _read(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise PackError("folder_empty" if not any(folder.iterdir()) else "manifest_missing", folder.name)
    try:
        return parse(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackError("manifest_broken", MANIFEST) from error


def parse(read: Any) -> Manifest:
    """A manifest from its JSON; anything amiss is a PackError, a ValueError, a KeyError or a TypeError."""
    if read["format"] != FORMAT:
        raise PackError("manifest_newer", str(read["format"]))
    if read["engine"] not in ENGINES:
        raise PackError("engine_unknown", str(read["engine"]))
    files = tuple(_file(name, entry) for name, entry in sorted(read["files"].items()))
    thresholds = {str(key): float(value) for key, value in read.get("thresholds", {}).items()}
    accepted = str(read.get("licence_accepted_at", ""))
    manifest = Manifest(
        read["engine"], int(read["dimension"]), files, str(read["licence"]), accepted, thresholds
    )
    for role in (DETECTION, RECOGNITION):
        if not manifest.file(role):
            raise PackError("models_incomplete", role)
    return manifest


def _file(name: str, entry: Mapping[str, str]) -> PackFile:
    role = entry.get("role", "")
    if Path(name).name != name or name in {"", ".", ".."} or role not in ("", *ROLES):
        raise ValueError(name)
    return PackFile(name, str(entry["sha256"]), role)


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a pack, whole or not at all."""
    files = {
        file.name: {"sha256": file.sha256} | ({"role": file.role} if file.role else {})
        for file in manifest.files
    }
    content = {
        "format": FORMAT,
        "engine": manifest.engine,
        "dimension": manifest.dimension,
        "licence": manifest.licence,
        "licence_accepted_at": manifest.accepted_at,
        "thresholds": dict(manifest.thresholds),
        "files": files,
    }
    half = folder / f"{MANIFEST}.part"
    half.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    half.replace(folder / MANIFEST)


def remove(models: Path, name: str) -> None:
    """Delete a pack."""
    shutil.rmtree(folder_of(models, name))
