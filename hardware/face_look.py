"""One look at one picture: find, choose, align, judge, make the vector. Runs on the worker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hardware import face_quality
from hardware.face_ports import Ability, FaceFault, Portrait, SeenFace
from hardware.face_quality import LIVE, Limits, Pose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardware.face_ports import FaceEngine, Frame


# Nothing was there: of all faults the one that helps least.
SILENT = frozenset({FaceFault.NO_FACE, FaceFault.NO_PICTURE})


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture shows; `portrait` is there for a face that is good enough."""

    faces: tuple[SeenFace, ...] = ()
    face: SeenFace | None = None
    fault: FaceFault | None = None
    quality: float = 0.0
    pose: Pose | None = None
    live: bool | None = None
    eyes: float | None = None
    portrait: Portrait | None = None


def look(
    engine: FaceEngine, frame: Frame, limits: Limits = LIVE, *, live: bool = False, eyes: bool = False
) -> Look:
    """Look at a picture for the one face that is meant; `live` and `eyes` ask for what takes more time."""
    faces = tuple(engine.detect(frame))
    chosen = face_quality.main_face(faces, limits)
    if isinstance(chosen, FaceFault):
        return Look(faces, fault=chosen)
    seen = replace(at_face(engine, frame, chosen, limits, live=live), faces=faces)
    return replace(seen, eyes=engine.eyes_open(frame, chosen)) if eyes and not seen.fault else seen


def look_at_all(engine: FaceEngine, frame: Frame, most: int, *, live: bool = False) -> list[Look]:
    """Look at each of the largest faces of a picture."""
    return [at_face(engine, frame, face, LIVE, live=live) for face in list(engine.detect(frame))[:most]]


def signs(engine: FaceEngine, frame: Frame, limits: Limits = LIVE) -> Look:
    """How the one face is turned and whether its eyes are open; no vector, so that it is quick."""
    faces = tuple(engine.detect(frame))
    chosen = face_quality.main_face(faces, limits)
    if isinstance(chosen, FaceFault):
        return Look(faces, fault=chosen)
    height, width = frame.shape[:2]
    turned = face_quality.pose([(x * width, y * height) for x, y in chosen.points])
    return Look(faces, chosen, pose=turned, eyes=engine.eyes_open(frame, chosen))


def at_face(engine: FaceEngine, frame: Frame, face: SeenFace, limits: Limits, *, live: bool) -> Look:
    """Judge one face and make its vector if it is good enough."""
    if face_quality.is_cut(face, limits):
        return Look(face=face, fault=FaceFault.CUT)
    crop = engine.align(frame, face)
    found = face_quality.measure(frame, face, crop)
    judged = face_quality.judge(found, limits)
    if isinstance(judged, FaceFault):
        return Look(face=face, fault=judged, pose=found.pose)
    if Ability.COVERED in engine.abilities and engine.is_covered(frame, face):
        return Look(face=face, fault=FaceFault.COVERED, pose=found.pose)
    alive = engine.is_live(frame, face) if live else None
    # A picture of a face gets no vector: nobody shall be recognised by it.
    portrait = None if alive is False else Portrait(engine.pack, engine.embed(crop))
    return Look((), face, None, judged, found.pose, alive, portrait=portrait)


def most_telling(faults: Sequence[FaceFault]) -> FaceFault:
    """The fault to tell a person of: the most frequent that says more than that nothing was there."""
    said: list[FaceFault] = [fault for fault in faults if fault not in SILENT] or list(faults)
    if not said:
        return FaceFault.NO_PICTURE
    return max(dict.fromkeys(reversed(said)), key=said.count)
