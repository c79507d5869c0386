"""``models``: the packs of face models, checked and imported; each function says what to print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.commands.errors import CommandError
from app.core import clock
from app.runtime import face_models
from app.runtime.face_models import PackReport, PackTrouble

Say = Callable[..., None]


def trouble(error: PackTrouble) -> CommandError:
    """The words for what is wrong with a pack."""
    return CommandError(f"pack_{error.code.removeprefix('pack_')}", what=error.what)


def show(data_dir: Path, say: Say) -> int:
    """All packs and their state."""
    found = face_models.reports(data_dir)
    if not found:
        say("models_none", path=str(face_models.folder(data_dir)))
    for report in found:
        if report.trouble:
            say("models_bad", name=report.name)
            say(f"pack_{report.trouble.removeprefix('pack_')}", what=report.what)
        else:
            _describe(report, say)
    return 1 if any(report.trouble for report in found) else 0


def check(data_dir: Path, name: str, say: Say) -> int:
    """Check one pack to the point of loading its models."""
    try:
        report = face_models.check(data_dir, name)
    except PackTrouble as error:
        raise trouble(error) from error
    _describe(report, say)
    say("models_good", id=report.id)
    return 0


def take(data_dir: Path, source: Path, name: str, accepted: bool, say: Say) -> int:
    """Show what a folder holds and its licence; import it only when that was accepted."""
    try:
        offered = face_models.examine(source)
        for path, role in offered.offer.models:
            say("models_file", file=path.name, role=role)
        for file in offered.offer.left_out:
            say("models_left_out", file=file)
        say("models_licence")
        say(f"licence_{offered.licence.replace('-', '_')}")
        if offered.text:
            say("models_text", text=offered.text)
        if not accepted:
            say("models_accept")
            return 1
        report = face_models.take(data_dir, name, offered, clock.now())
    except PackTrouble as error:
        raise trouble(error) from error
    _describe(report, say)
    say("models_imported", name=report.name)
    return 0


def _describe(report: PackReport, say: Say) -> None:
    say(
        "models_pack",
        name=report.name,
        engine=report.engine,
        dimension=report.dimension,
        licence=report.licence,
    )
