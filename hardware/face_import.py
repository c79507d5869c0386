"""Takes a folder of models that the operator downloaded into a pack: told apart by their shapes, hashed, licence accepted."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hardware import face_packs
from hardware.face_packs import DETECTION, RECOGNITION, CheckedPack, Manifest, PackError, PackFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

LICENCE_FILES = ("LICENSE", "LICENCE", "MODEL.LICENSE", "COPYING", "NOTICE")
# What a folder without a licence text is known to be under; see docs/faces.md.
KNOWN_LICENCES = {"insightface": "insightface-non-commercial", "opencv": "yunet-mit-sface-apache-2.0"}
OWN_LICENCE = "licence-file"


@dataclass(frozen=True, slots=True)
class Model:
    """What one ONNX file is: its role, the engine that runs it ('' for either) and the length of its vectors."""

    role: str
    engine: str = ""
    dimension: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """What a folder holds, before anything is copied."""

    engine: str
    dimension: int
    models: tuple[tuple[Path, str], ...]
    texts: tuple[Path, ...]
    left_out: tuple[str, ...]
    licence: str


def examine(source: Path, probe: Callable[[Path], Model | None] | None = None) -> Offer:
    """Tell a folder's models apart; PackError when they make no pack."""
    if not source.is_dir():
        raise PackError("source_absent", source.name)
    found = sorted(source.glob("*.onnx"))
    if not found:
        raise PackError("folder_empty", source.name)
    known = [(path, (probe or _probe)(path)) for path in found]
    detector = next((model for _, model in known if model and model.role == DETECTION), None)
    if detector is None:
        raise PackError("models_incomplete", DETECTION)
    chosen: dict[str, tuple[Path, Model]] = {}
    for path, model in known:
        if model and model.engine in ("", detector.engine):
            chosen.setdefault(model.role, (path, model))
    if RECOGNITION not in chosen:
        raise PackError("models_incomplete", RECOGNITION)
    taken = {path for path, _ in chosen.values()}
    texts = tuple(
        path for path in sorted(source.iterdir()) if path.is_file() and path.stem in LICENCE_FILES + _upper()
    )
    return Offer(
        detector.engine,
        chosen[RECOGNITION][1].dimension,
        tuple((path, role) for role, (path, _) in chosen.items()),
        texts,
        tuple(path.name for path in found if path not in taken),
        OWN_LICENCE if texts else KNOWN_LICENCES[detector.engine],
    )


def _upper() -> tuple[str, ...]:
    return tuple(name.lower() for name in LICENCE_FILES)


def _probe(path: Path) -> Model | None:
    from hardware.drivers.face_models import probe

    return probe(path)


def take(models: Path, name: str, offer: Offer, accepted_at: datetime) -> CheckedPack:
    """Copy an offer whose licence was accepted into a pack, with its manifest; whole or not at all."""
    target = face_packs.folder_of(models, name)
    if target.exists():
        raise PackError("name_taken", name)
    models.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=".import-", dir=models))
    try:
        files = [_copy(path, half, role) for path, role in offer.models]
        files += [_copy(path, half, "") for path in offer.texts]
        accepted = accepted_at.isoformat(timespec="seconds")
        face_packs.write(half, Manifest(offer.engine, offer.dimension, tuple(files), offer.licence, accepted))
        half.chmod(0o755)
        half.rename(target)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    return face_packs.check(models, name)


def _copy(path: Path, folder: Path, role: str) -> PackFile:
    shutil.copyfile(path, folder / path.name)
    return PackFile(path.name, face_packs.digest(folder / path.name), role)
