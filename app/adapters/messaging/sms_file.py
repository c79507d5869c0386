"""The way of text messages where no gateway is set up: a file for the operator.

``data/outbox/<day>.txt`` holds phone numbers and links in plain text, so it is written with the owner's rights only and
swept after a day.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from app.core import clock
from app.core.outbox import Message, Outcome, Result
from app.core.settings import get_settings
from app.domain.messages import letters
from app.domain.messages.letters import Letter

KEEP = timedelta(days=1)


class SmsFile:
    """Writes what a gateway would send; one line per message, led by the message's id."""

    def compose(self, session: Session, message: Message) -> Letter | Outcome:
        """The text and the number."""
        return letters.compose(session, message)

    def send(self, message: Message, letter: Letter) -> Outcome:
        """Add a line."""
        folder = get_settings().data_dir / "outbox"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{clock.now():%Y-%m-%d}.txt"
        text = " ".join(letter.text.splitlines())
        with open(path, "a", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(f"{message.id}\t{letter.to}\t{text}\n")
        return Outcome(Result.SENT, receipt=path.name)


def sweep_files(folder: Path, now: datetime) -> None:
    """Remove sink files that are a day old."""
    for path in folder.glob("*.txt"):
        if datetime.fromtimestamp(path.stat().st_mtime, now.tzinfo) < now - KEEP:
            path.unlink()
