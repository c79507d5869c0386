"""Work that is handed to a running device: taken by its own thread, answered once, and dropped when it comes too late."""

from __future__ import annotations

import queue
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """What came of a job: whether it was done, and a stable code that says how, or why not."""

    done: bool
    code: str = ""


@dataclass(frozen=True, slots=True)
class PrintJob:
    """A picture for a printer, as a PNG in the width of its paper. Its ``repr`` leaves the picture out: it names people."""

    picture: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work in the hands of a driver; ``deadline`` is on the monotonic clock."""

    body: Any = field(repr=False)
    deadline: float
    answer: Future[JobAnswer] = field(repr=False)

    @property
    def seconds_left(self) -> float:
        """How long it is still wanted."""
        return self.deadline - time.monotonic()

    def finish(self, answer: JobAnswer) -> None:
        """Tell whoever asked; the first answer counts."""
        if not self.answer.done():
            self.answer.set_result(answer)


class JobQueue:
    """The jobs of one device; it outlives restarts of the driver, the jobs in it do not outlive their deadline."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()

    def put(self, body: Any, seconds: float) -> Future[JobAnswer]:
        """Hand over work that is wanted for so long; cancelling the future takes it back until it was begun."""
        job = Job(body, time.monotonic() + seconds, Future())
        self._waiting.put(job)
        return job.answer

    def take(self, timeout: float) -> Job | None:
        """The next job that is still wanted; None when there is none within the time."""
        until = time.monotonic() + timeout
        while True:
            try:
                job = self._waiting.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return None
            if not job.answer.set_running_or_notify_cancel():
                continue
            if job.seconds_left > 0:
                return job
            job.finish(JobAnswer(False, "expired"))

    def refuse(self, code: str) -> None:
        """Answer everything that waits: the device will not do it."""
        while (job := self.take(0.0)) is not None:
            job.finish(JobAnswer(False, code))


def refused(code: str) -> Future[JobAnswer]:
    """The answer to a job that no device takes."""
    answer: Future[JobAnswer] = Future()
    answer.set_result(JobAnswer(False, code))
    return answer
