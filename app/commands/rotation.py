"""``rotate-keys``: another key file for the same data keys; see ``app.core.keys`` for why a power cut loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.core import crypto, keys
from app.core.database import Database


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many data keys the new file opens, and where the old file is kept."""

    count: int
    retired: Path | None


def rotate(database: Database, data_dir: Path) -> Rotated:
    """Wrap the data keys by a new key file; the server may go on running, because the data keys stay the same.

    Raises ``KeysMissing`` with a key file that does not fit, ``Conflict`` while another command is at the keys. When it
    is cut short, the installation opens as before, and the next start or the next rotation clears up.
    """
    with keys.exclusive(data_dir):
        old = crypto.load_key_file(data_dir / keys.KEY_FILE)
        database.read_now(lambda session: keys.unwrap(old, keys.stored(session)))
        _clear_up((data_dir / keys.KEY_FILE).parent)
        new = crypto.create_key_file(data_dir / keys.PENDING_FILE)
        count = database.write_now(lambda session: keys.rewrap(session, old, new))
        return Rotated(count, keys.promote(data_dir))


def _clear_up(folder: Path) -> None:
    """Remove what rotations left that were cut short; the key in use opens all there is, and copies of people stay."""
    for pattern in (
        Path(keys.PENDING_FILE).name,
        f"{Path(keys.PENDING_FILE).name}.*.part",
        f"{keys.RETIRED}*.part",
    ):
        for stale in folder.glob(pattern):
            stale.unlink()
