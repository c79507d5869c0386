"""One to one, where the camera hangs: the photo of a document against who stands there (ID-02).

The server's own lanes and a lane's computer run this same function; what leaves it is a finding, never a vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardware.face_ports import FaceFault, FaceOutcome, Liveness, ServiceCode

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from hardware.camera_feed import CameraFeed
    from hardware.face_ports import Prompt
    from hardware.face_service import FaceService

LOOK_SECONDS = CAPTURE_SECONDS = 3.0
# Right after a start the models are still on their way; so long a card may wait for them.
LOAD_SECONDS = 20.0
# Two tries of the longest challenge, and the looks around it.
CHALLENGE_SECONDS = 75.0
NO_MODELS, NO_CAMERA, BAD_PHOTO = "no_models", "no_camera", "bad_photo"
STATES = frozenset({NO_MODELS, NO_CAMERA, BAD_PHOTO, *FaceOutcome})


@dataclass(frozen=True, slots=True)
class CompareRule:
    """From which likeness two faces are one person's, below which they are not, and which sign of life is asked for."""

    same: float
    other: float
    liveness: str = Liveness.NONE

    @property
    def seconds(self) -> float:
        """How long a comparison may take, the loading of the models aside."""
        return LOOK_SECONDS * 3 + (CHALLENGE_SECONDS if self.liveness == Liveness.CHALLENGE else 0.0)


@dataclass(frozen=True, slots=True)
class Compared:
    """An outcome, or why a person must compare; the score and the models' name are for the record alone."""

    state: str
    fault: str = ""
    score: float = 0.0
    frames: int = 0
    pack: str = ""


def compare(
    service: FaceService,
    feed: CameraFeed | None,
    photo: bytes,
    rule: CompareRule,
    stop: threading.Event,
    prompt: Callable[[Prompt], None],
) -> Compared:
    """Compare; blocks until it is known or ``stop`` is set."""
    state = service.state
    if state.code is ServiceCode.STARTING:
        state = service.wait_started(LOAD_SECONDS)
    if state.code is not ServiceCode.READY or state.pack is None:
        return Compared(NO_MODELS)
    pack = state.pack.name
    if feed is None or feed.trouble or feed.latest() is None:
        return Compared(NO_CAMERA, pack=pack)
    reference = service.portrait(photo)
    if isinstance(reference, FaceFault):
        return Compared(BAD_PHOTO, pack=pack)
    verdict = service.verify(
        feed,
        reference,
        same=rule.same,
        other=rule.other,
        liveness=rule.liveness,
        seconds=LOOK_SECONDS,
        stop=stop,
        prompt=prompt,
    )
    return Compared(verdict.outcome, verdict.fault or "", verdict.score, verdict.frames, pack)
