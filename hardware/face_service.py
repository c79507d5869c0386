"""Faces for the application: one pack, one thread, blocking calls from any thread (ID-02, ID-03).

Nothing here decides about anybody: it says what pictures show. Nothing is stored, and no vector or picture is logged.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, TypeVar

from hardware import face_packs
from hardware.drivers.face_engines import build
from hardware.drivers.vision import decode_still, fit
from hardware.face_capture import Taken, capture
from hardware.face_check import Check
from hardware.face_look import Look, look, look_at_all, signs
from hardware.face_packs import PackError
from hardware.face_ports import (
    Ability,
    FaceFault,
    FaceOutcome,
    FaceState,
    FaceVerdict,
    Liveness,
    Portrait,
    ServiceCode,
)
from hardware.face_quality import LIVE, STILL, Limits
from hardware.face_watch import FaceWatch, WatchRule
from hardware.face_worker import ANSWER_SECONDS, FaceWorker, WorkerBusy, WorkerStopped
from hardware.ports import DriverUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from hardware.camera_feed import CameraFeed
    from hardware.face_index import FaceIndex, Nearest
    from hardware.face_liveness import DepthSource
    from hardware.face_ports import FaceEngine, Frame, Pack, Prompt, SeenFace

logger = logging.getLogger(__name__)

T = TypeVar("T")

STILL_FORMATS = ("JPEG", "PNG", "BMP")  # decoders of ID card photos write BMP
STILL_BYTES = 8_000_000
STILL_PIXELS = 24_000_000
STILL_SIDE = 1600
FAILURES = 5


class FaceService:
    """Owns the engine; everything it is asked runs on its one thread, in order."""

    def __init__(self, models: Path | None) -> None:
        self._models = models
        self._lock = threading.Lock()
        self._settled = threading.Condition(self._lock)
        self._worker: FaceWorker | None = None
        self._engine: FaceEngine | None = None
        self._state = FaceState(ServiceCode.NO_PACK)
        self._failures = 0

    def start(self, pack_name: str) -> None:
        """Load a pack in the background, in place of another; an empty name leaves the service without one."""
        self.stop()
        if self._models is None or not pack_name:
            return
        with self._lock:
            self._state = FaceState(ServiceCode.STARTING)
            self._worker = worker = FaceWorker()
        worker.send(lambda: self._load(worker, pack_name))

    def stop(self) -> None:
        """End the thread and let go of the models; safe to call at any time, also twice."""
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop()
        with self._lock:
            self._engine = None
            self._failures = 0
            self._state = FaceState(ServiceCode.NO_PACK)
            self._settled.notify_all()

    @property
    def state(self) -> FaceState:
        """How the service is now."""
        with self._lock:
            return self._state

    @property
    def abilities(self) -> frozenset[Ability]:
        """What the loaded pack can do beyond comparing; empty without one."""
        with self._lock:
            return self._engine.abilities if self._engine is not None else frozenset()

    def wait_started(self, timeout: float = ANSWER_SECONDS) -> FaceState:
        """Wait until loading has come to an end, good or bad."""
        with self._settled:
            self._settled.wait_for(lambda: self._state.code is not ServiceCode.STARTING, timeout)
            return self._state

    def _load(self, worker: FaceWorker, name: str) -> None:
        engine, state = load(self._models, name)
        with self._settled:
            if self._worker is worker:
                self._engine, self._state = engine, state
                self._settled.notify_all()
        if state.code is not ServiceCode.READY:
            logger.warning("No face engine: %s %s", state.code, state.detail)

    def portrait(self, picture: bytes) -> Portrait | FaceFault:
        """The portrait of the one good face in a JPEG, PNG or BMP."""
        try:
            frame = decode_still(picture, STILL_FORMATS, STILL_BYTES, STILL_PIXELS)
        except (ValueError, ImportError):
            return FaceFault.NO_PICTURE
        return self.portrait_of_frame(fit(frame, STILL_SIDE, STILL_SIDE))

    def portrait_of_frame(self, frame: Frame, limits: Limits = STILL) -> Portrait | FaceFault:
        """The portrait of the one good face in a BGR picture."""
        seen = self.look(frame, limits)
        return seen.portrait or seen.fault or FaceFault.FAILED

    def capture(
        self, feed: CameraFeed, *, seconds: float = 3.0, stop: threading.Event | None = None
    ) -> Portrait | FaceFault:
        """The portrait from the best picture that a camera gives within the time, for enrolment."""
        taken = Taken()
        if self._ready_pack() is None:
            return FaceFault.NO_MODELS
        capture(feed, lambda frame: taken.take(self.look(frame)), seconds, stop)
        return taken.best or taken.fault

    def verify(
        self,
        feed: CameraFeed,
        reference: Portrait,
        *,
        same: float,
        other: float,
        liveness: str = Liveness.NONE,
        seconds: float = 3.0,
        stop: threading.Event | None = None,
        prompt: Callable[[Prompt], None] | None = None,
        depth: DepthSource | None = None,
    ) -> FaceVerdict:
        """Compare who stands before a camera with a portrait; see `FaceVerdict` for what may come of it.

        `prompt` is told what the person shall do next (challenge); `depth` is asked for distances (depth).
        """
        check = Check(self, feed, reference, same, other, Liveness(liveness), seconds, stop, prompt, depth)
        fault = self._hindrance(reference.pack) or check.hindrance(self.abilities)
        if fault is not None:
            return FaceVerdict(FaceOutcome.UNREADABLE, fault, threshold=same, pack_id=reference.pack.id)
        return check.run()

    def watch(
        self,
        feed: CameraFeed,
        index: FaceIndex,
        *,
        threshold: float,
        margin: float,
        on_match: Callable[[Nearest], None],
        on_faces: Callable[[Sequence[SeenFace]], None] | None = None,
        liveness: str = Liveness.NONE,
        per_second: float = 3.0,
    ) -> FaceWatch:
        """Look for the faces of an index in a camera's pictures, in a thread of its own, until the watch is stopped.

        Somebody is told once and again only after being gone; faces are marked in the feed.
        """
        rule = WatchRule(threshold, margin, Liveness(liveness), per_second)
        return FaceWatch(self, feed, index, rule, on_match, on_faces)

    def look(self, frame: Frame, limits: Limits = LIVE, *, live: bool = False, eyes: bool = False) -> Look:
        """One look at one picture for the one face meant."""
        return self._ask(lambda engine: look(engine, frame, limits, live=live, eyes=eyes))

    def signs(self, frame: Frame) -> Look:
        """How the one face of a picture is turned."""
        return self._ask(lambda engine: signs(engine, frame))

    def send_look_at_all(self, frame: Frame, most: int, *, live: bool) -> Future[list[Look]] | None:
        """Look at several faces when there is time; None when there is none now."""
        with self._lock:
            worker, engine = self._worker, self._engine
        if worker is None or engine is None:
            return None
        try:
            return worker.send(lambda: self._counted(lambda: look_at_all(engine, frame, most, live=live)))
        except (WorkerBusy, WorkerStopped):
            return None

    def _ask(self, job: Callable[[FaceEngine], Look]) -> Look:
        with self._lock:
            worker, engine = self._worker, self._engine
        if worker is None or engine is None:
            return Look(fault=FaceFault.NO_MODELS)
        try:
            return worker.call(lambda: self._counted(lambda: job(engine)))
        except WorkerBusy:
            return Look(fault=FaceFault.BUSY)
        except (WorkerStopped, CancelledError):
            return Look(fault=FaceFault.NO_MODELS)
        except ValueError:  # no picture, or a face whose points or numbers make no sense
            return Look(fault=FaceFault.NO_PICTURE)
        except Exception as error:
            logger.warning("Face engine failed: %s", type(error).__name__)
            return Look(fault=FaceFault.FAILED)

    def _counted(self, job: Callable[[], T]) -> T:
        """Run a job on the engine; when it fails again and again, the service says so."""
        try:
            answer = job()
        except ValueError:
            raise
        except Exception as error:
            self._count(type(error).__name__)
            raise
        self._count("")
        return answer

    def _count(self, failed: str) -> None:
        with self._lock:
            if self._engine is None:
                return
            self._failures = self._failures + 1 if failed else 0
            if self._failures >= FAILURES:
                self._state = FaceState(ServiceCode.FAILED, self._engine.pack, failed)
            elif not failed:
                self._state = FaceState(ServiceCode.READY, self._engine.pack)

    def _ready_pack(self) -> Pack | None:
        with self._lock:
            return self._engine.pack if self._engine is not None else None

    def _hindrance(self, pack: Pack) -> FaceFault | None:
        mine = self._ready_pack()
        if mine is None:
            return FaceFault.NO_MODELS
        return FaceFault.OTHER_PACK if pack.id != mine.id else None


def load(models: Path | None, name: str) -> tuple[FaceEngine | None, FaceState]:
    """Check a pack and build its engine; whatever is wrong becomes a state."""
    if models is None:
        return None, FaceState(ServiceCode.NO_PACK)
    try:
        checked = face_packs.check(models, name)
        engine = build(checked)
    except PackError as error:
        code = ServiceCode.PACK_BROKEN
        if error.code == "licence_open":
            code = ServiceCode.LICENCE_OPEN
        elif error.code == "pack_absent":
            code = ServiceCode.NO_PACK
        return None, FaceState(code, detail=error.code)
    except DriverUnavailable as error:
        return None, FaceState(ServiceCode.LIBRARY_MISSING, detail=error.code)
    except Exception as error:
        logger.exception("The face engine does not start")
        return None, FaceState(ServiceCode.FAILED, detail=type(error).__name__)
    return engine, FaceState(ServiceCode.READY, engine.pack)
