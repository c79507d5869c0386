"""Labelled pictures to evaluate with: a folder for each person, or a list of pairs (ID-04)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from app.commands.errors import CommandError

PAIRS_FILE = "pairs.csv"
COLUMNS = ("first", "second", "same")
PICTURES = {".jpg", ".jpeg", ".png"}
MOST_PICTURES = 3000


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Pictures in the order of their paths; a pair is two numbers of pictures and whether they show one person."""

    pictures: tuple[Path, ...]
    # The number of each picture's person; empty when only pairs are known.
    people: tuple[int, ...]
    pairs: tuple[tuple[int, int, bool], ...]


def read(folder: Path) -> LabelledSet:
    """Read a set; CommandError when it is none."""
    if not folder.is_dir():
        raise CommandError("evaluate_absent", path=str(folder))
    listed = folder / PAIRS_FILE
    found = _listed(folder, listed) if listed.is_file() else _by_person(folder)
    if len(found.pictures) > MOST_PICTURES:
        raise CommandError("evaluate_too_many", count=len(found.pictures), most=MOST_PICTURES)
    return found


def _by_person(folder: Path) -> LabelledSet:
    pictures, people = [], []
    for number, person in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
        own = sorted(path for path in person.iterdir() if path.suffix.lower() in PICTURES)
        pictures += own
        people += [number] * len(own)
    pairs = [
        (first, second, people[first] == people[second])
        for first in range(len(people))
        for second in range(first + 1, len(people))
    ]
    return LabelledSet(tuple(pictures), tuple(people), tuple(pairs))


def _listed(folder: Path, listed: Path) -> LabelledSet:
    with listed.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    wanted: list[tuple[Path, Path, bool]] = []
    for line, row in enumerate(rows, start=2):
        if any(row.get(column) is None for column in COLUMNS) or row["same"].strip() not in {"0", "1"}:
            raise CommandError("evaluate_line", line=line)
        wanted.append(
            (
                _inside(folder, row["first"], line),
                _inside(folder, row["second"], line),
                row["same"].strip() == "1",
            )
        )
    pictures = sorted({path for first, second, _ in wanted for path in (first, second)})
    number = {path: place for place, path in enumerate(pictures)}
    pairs = tuple((number[first], number[second], same) for first, second, same in wanted)
    return LabelledSet(tuple(pictures), (), pairs)


def _inside(folder: Path, name: str, line: int) -> Path:
    path = (folder / name.strip()).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise CommandError("evaluate_line", line=line)
    return path
