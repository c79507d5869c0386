"""The packs of face models in the data folder, for commands; the only way from them to hardware/ (ID-02, ID-04)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hardware import face_import, face_packs
from hardware.drivers.face_engines import build, missing_library
from hardware.face_packs import CheckedPack, PackError
from hardware.face_ports import FaceFault, Pack, Portrait, ServiceCode
from hardware.face_service import FaceService
from hardware.ports import DriverUnavailable

FOLDER = "models"
LICENCE_LINES = 40
FAULTS = tuple(fault.value for fault in FaceFault)


class PackTrouble(Exception):
    """What is wrong with a pack or a folder, as a code, and the name of the file or value it is about."""

    def __init__(self, code: str, what: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.what = what


@dataclass(frozen=True, slots=True)
class PackReport:
    """One pack of the folder; `trouble` is a code or empty."""

    name: str
    trouble: str = ""
    what: str = ""
    engine: str = ""
    dimension: int = 0
    licence: str = ""
    id: str = ""


def folder(data_dir: Path) -> Path:
    """Where the packs of an installation are."""
    return data_dir.absolute() / FOLDER


def reports(data_dir: Path) -> list[PackReport]:
    """All packs with what their files say; no model is loaded."""
    return [_report(folder(data_dir), name) for name in face_packs.names(folder(data_dir))]


def _report(models: Path, name: str) -> PackReport:
    try:
        return _good(face_packs.check(models, name))
    except PackError as error:
        return PackReport(name, error.code, error.what)


def _good(checked: CheckedPack) -> PackReport:
    pack = checked.pack
    return PackReport(pack.name, "", "", pack.engine, pack.dimension, pack.licence, pack.id)


def check(data_dir: Path, name: str) -> PackReport:
    """Check a pack and load its models; raises PackTrouble."""
    try:
        checked = face_packs.check(folder(data_dir), name)
        build(checked)
    except PackError as error:
        raise PackTrouble(error.code, error.what) from error
    except DriverUnavailable as error:
        raise PackTrouble(error.code) from error
    return _good(checked)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a folder holds, and the licence it is under, for the operator to read."""

    offer: face_import.Offer
    text: str

    @property
    def licence(self) -> str:
        """The code of the licence."""
        return self.offer.licence


def examine(source: Path) -> Offered:
    """Tell the models of a folder apart; raises PackTrouble."""
    try:
        offer = face_import.examine(source)
    except PackError as error:
        raise PackTrouble(error.code, error.what) from error
    except DriverUnavailable as error:
        raise PackTrouble(error.code) from error
    lines = [line for path in offer.texts for line in path.read_text("utf-8", errors="replace").splitlines()]
    return Offered(offer, "\n".join(lines[:LICENCE_LINES]))


def take(data_dir: Path, name: str, offered: Offered, at: datetime) -> PackReport:
    """Import what was examined, its licence accepted at that time; raises PackTrouble."""
    try:
        return _good(face_import.take(folder(data_dir), name, offered.offer, at))
    except PackError as error:
        raise PackTrouble(error.code, error.what) from error


def overall(data_dir: Path) -> tuple[str, str]:
    """Level and code of a check-up: the worst that is true of the packs, or of the lack of them."""
    found = reports(data_dir)
    if not found:
        return "warn", "no_pack"
    if missing_library():
        return "warn", "library_missing"
    troubles = {report.trouble for report in found if report.trouble}
    if troubles - {"licence_open"}:
        return "bad", "broken"
    return ("warn", "licence_open") if troubles else ("ok", "")


class Portraitist:
    """Makes portraits of the pictures of a folder with one pack."""

    def __init__(self, service: FaceService, pack: Pack) -> None:
        self._service = service
        self.pack = pack

    def portrait(self, path: Path) -> Portrait | str:
        """A picture's portrait, or the code of what is wrong with it."""
        try:
            made = self._service.portrait(path.read_bytes())
        except OSError:
            return FaceFault.NO_PICTURE.value
        return made if isinstance(made, Portrait) else made.value


@contextmanager
def portraitist(data_dir: Path, name: str = "") -> Iterator[Portraitist]:
    """A running engine with the pack of that name, or with the only one there is; raises PackTrouble."""
    names = face_packs.names(folder(data_dir))
    if not name and len(names) != 1:
        raise PackTrouble("pack_which" if names else "no_pack", ", ".join(names))
    chosen = name or names[0]
    service = FaceService(folder(data_dir))
    service.start(chosen)
    try:
        state = service.wait_started()
        if state.code is not ServiceCode.READY or state.pack is None:
            raise PackTrouble(
                state.detail if state.code is not ServiceCode.FAILED else "model_broken", chosen
            )
        yield Portraitist(service, state.pack)
    finally:
        service.stop()
