"""One thread for all work on faces: models are large, processors few, and a camera must never wait for either."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future, TimeoutError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from hardware.ports import HardwareError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

WAITING_JOBS = 8
ANSWER_SECONDS = 60.0
JOIN_SECONDS = 30.0


class WorkerBusy(HardwareError):
    """More work is waiting than makes sense; the newest is refused."""

    def __init__(self) -> None:
        super().__init__("engine_busy")


class WorkerStopped(HardwareError):
    """The service is not running."""

    def __init__(self) -> None:
        super().__init__("engine_stopped")


class FaceWorker:
    """Runs jobs one after the other in the order they came."""

    def __init__(self, name: str = "face-worker") -> None:
        self._jobs: queue.Queue[tuple[Callable[[], Any], Future[Any]] | None] = queue.Queue(WAITING_JOBS)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def call(self, job: Callable[[], T], wait: float = ANSWER_SECONDS) -> T:
        """Run a job and return what it returns; WorkerBusy when it finds no place in the queue within `wait`."""
        answer = self.send(job, wait)
        try:
            return answer.result(ANSWER_SECONDS)
        except TimeoutError:
            answer.cancel()
            raise WorkerBusy from None

    def send(self, job: Callable[[], T], wait: float = 0.0) -> Future[T]:
        """Queue a job; the answer comes later. WorkerBusy when there is no place for it within `wait`."""
        if self._stopping.is_set():
            raise WorkerStopped
        answer: Future[T] = Future()
        try:
            self._jobs.put((job, answer), block=wait > 0, timeout=wait if wait > 0 else None)
        except queue.Full:
            raise WorkerBusy from None
        # Queued behind the signal to end, it would never be run.
        if self._stopping.is_set() and answer.cancel():
            raise WorkerStopped
        return answer

    def stop(self) -> None:
        """Finish the job at hand, refuse the rest, end the thread."""
        self._stopping.set()
        with suppress(queue.Full):  # an engine that hangs must not keep the devices from being stopped
            self._jobs.put(None, timeout=JOIN_SECONDS)
        self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, answer = entry
            if answer.set_running_or_notify_cancel():
                self._answer(job, answer)
            # What is done must not hold its picture until the next one comes.
            del job, answer, entry

    def _answer(self, job: Callable[[], Any], answer: Future[Any]) -> None:
        if self._stopping.is_set():
            answer.set_exception(WorkerStopped())
            return
        try:
            answer.set_result(job())
        except Exception as error:
            answer.set_exception(error)
