"""The small models a pack may bring along: is the face alive, is it covered.

Both take an 80 by 80 crop, RGB from 0 to 1, and give a probability: the interface of insightface's liveness addon.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hardware.drivers.face_models import open_session, pixels
from hardware.face_packs import COVERED, DEFAULT_LIVE_THRESHOLD, PASSIVE, PackError
from hardware.face_ports import Ability
from hardware.ports import DriverUnavailable

if TYPE_CHECKING:
    from hardware.face_packs import CheckedPack
    from hardware.face_ports import Frame, SeenFace


class FaceAids:
    """Asks the small models; without one the answer is None."""

    def __init__(self, checked: CheckedPack) -> None:
        self._live = _load(checked, PASSIVE)
        self._covered = _load(checked, COVERED)
        found = {Ability.PASSIVE: self._live, Ability.COVERED: self._covered}
        self.abilities = frozenset(ability for ability, model in found.items() if model is not None)

    def is_live(self, frame: Frame, face: SeenFace) -> bool | None:
        """Whether a living face is seen."""
        return _ask(self._live, frame, face)

    def is_covered(self, frame: Frame, face: SeenFace) -> bool | None:
        """Whether the face is covered."""
        return _ask(self._covered, frame, face)


def _load(checked: CheckedPack, role: str) -> Any | None:
    path = checked.path(role)
    if path is None:
        return None
    session = open_session(path)
    try:
        # Importing this module downloads nothing; insightface's own loader of addons would.
        addon = import_module("insightface.addons.liveness").Liveness
    except ImportError as error:
        raise DriverUnavailable("insightface_missing") from error
    threshold = checked.manifest.thresholds.get(role, DEFAULT_LIVE_THRESHOLD)
    try:
        return addon(str(path), session=session, threshold=threshold)
    except (RuntimeError, TypeError, ValueError) as error:
        raise PackError("model_broken", path.name) from error


def _ask(model: Any | None, frame: Frame, face: SeenFace) -> bool | None:
    if model is None:
        return None
    answer = model.predict(frame, pixels(frame, face))["is_live"]
    return None if answer is None else bool(answer)
