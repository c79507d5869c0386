"""``models`` and ``evaluate`` from the command line, on pictures of the synthetic pack's people (ID-02, ID-04)."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from app.commands import doctor
from app.core.settings import Settings
from tests.commands.conftest import Command, on_sqlite
from tests.hardware import face_pack
from tests.hardware.face_pictures import Person, png, scene

pytestmark = on_sqlite

PEOPLE, EACH = 9, 3


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """What an operator has downloaded."""
    return face_pack.insightface_source(tmp_path / "download")


@pytest.fixture
def pack(download: Path, here: Settings) -> Path:
    """The same, imported."""
    return face_pack.install(here.data_dir / "models", "mine", download).folder


def shown(person: int, number: int) -> Person:
    return Person(person, x=100 + 30 * number, y=50, size=160 + 20 * number)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A folder for each person, and one picture that shows nobody."""
    for person in range(PEOPLE):
        own = tmp_path / "set" / f"王{person}"
        own.mkdir(parents=True)
        for number in range(EACH):
            picture = scene(shown(person, number), noise=person * 10 + number + 1)
            (own / f"{number}.png").write_bytes(png(picture))
    (tmp_path / "set" / "王0" / "zz.png").write_bytes(png(scene()))
    (tmp_path / "set" / "王0" / "notes.txt").write_text("no picture")
    return tmp_path / "set"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.req("ID-02")
def test_a_pack_comes_in_only_with_its_licence_accepted(
    command: Command, download: Path, here: Settings, locale: str
) -> None:
    (download / "LICENSE").write_text("For research only.")
    refused = command("models", "import", download, "--name", "mine")
    assert refused.code == 1
    assert "For research only." in refused.out
    assert not (here.data_dir / "models").exists()
    taken = command("models", "import", download, "--name", "mine", "--accept-licence")
    assert taken.code == 0
    assert "For research only." in taken.out
    assert command("models", "check", "mine").code == 0
    listed = command("models", "list")
    assert listed.code == 0
    assert "mine" in listed.out
    again = command("models", "import", download, "--name", "mine", "--accept-licence")
    assert again.code == 1
    assert "mine" in again.err


@pytest.mark.req("ID-02")
def test_a_changed_pack_is_named_by_list_check_and_doctor(
    command: Command, pack: Path, here: Settings, locale: str
) -> None:
    def faces() -> tuple[str, str]:
        found = next(check for check in doctor.examine(here) if check.name == "faces")
        return found.level, found.code

    assert faces() == ("ok", "")
    with (pack / "w_test.onnx").open("ab") as stream:
        stream.write(b"x")
    assert faces() == ("bad", "broken")
    for said in (command("models", "list"), command("models", "check", "mine")):
        assert said.code == 1
        assert "w_test.onnx" in said.out + said.err
    for path in pack.iterdir():
        path.unlink()
    pack.rmdir()
    assert faces() == ("warn", "no_pack")
    assert command("models", "list").code == 0
    assert command("models", "check", "mine").code == 1
    assert command("models", "check", "../mine").code == 1
    assert command("models", "import", pack, "--name", "x").code == 1


@pytest.mark.req("ID-04")
def test_an_evaluation_says_what_independent_arithmetic_says(
    command: Command, pack: Path, people: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = command("evaluate", people, "--far", "0.05", "--out", out)
    assert said.code == 0
    scores = rows(out / "scores.csv")
    assert len(scores) == (PEOPLE * EACH) * (PEOPLE * EACH - 1) // 2
    assert rows(out / "refused.csv") == [{"picture": "3", "fault": "no_face"}]

    # The recogniser alone, on squares cut out where they were painted.
    session = onnxruntime.InferenceSession(str(pack / "w_test.onnx"), providers=["CPUExecutionProvider"])
    vectors: list[np.ndarray | None] = []
    owners = []
    for person in range(PEOPLE):
        for number in range(EACH):
            at = shown(person, number)
            picture = scene(at, noise=person * 10 + number + 1)[at.y : at.y + at.size, at.x : at.x + at.size]
            crop = cv2.resize(picture, (112, 112), interpolation=cv2.INTER_AREA)[:, :, ::-1]
            made = session.run(
                None, {"input.1": ((crop.transpose(2, 0, 1)[None] - 127.5) / 127.5).astype(np.float32)}
            )
            vectors.append(made[0][0] / np.linalg.norm(made[0][0]))
            owners.append(person)
        if person == 0:  # the picture of nobody has a number too
            vectors.append(None)
            owners.append(0)
    genuine, impostors = [], []
    for row in scores:
        first, second = int(row["first"]), int(row["second"])
        one, two = vectors[first], vectors[second]
        assert one is not None
        assert two is not None
        assert float(row["score"]) == pytest.approx(float(one @ two), abs=0.03)
        assert (owners[first] == owners[second]) == (row["same"] == "1")
        (genuine if row["same"] == "1" else impostors).append(float(row["score"]))
    assert len(genuine) == PEOPLE * EACH * (EACH - 1) // 2

    allowed = math.floor(0.05 * len(impostors))
    limit = sorted(impostors, reverse=True)[allowed]
    threshold = math.floor(limit * 10_000 + 1) / 10_000
    assert f"{threshold:.4f}" in said.out
    passed = sum(score >= threshold for score in impostors)
    assert f"{passed / len(impostors) * 100:.4g} %" in said.out
    for row in rows(out / "curve.csv"):
        at_threshold = sum(score >= float(row["threshold"]) for score in impostors) / len(impostors)
        assert float(row["far"]) == pytest.approx(at_threshold, abs=2 / len(impostors))
        assert float(row["far_low"]) <= float(row["far"]) <= float(row["far_high"])
    for plot in ("curve.png", "scores.png"):
        picture = cv2.imread(str(out / plot))
        assert picture is not None
        assert picture.std() > 10, "something is drawn"


@pytest.mark.req("ID-04")
def test_what_the_pairs_cannot_prove_is_said(
    command: Command, pack: Path, people: Path, tmp_path: Path, locale: str
) -> None:
    said = command("evaluate", people, "--out", tmp_path / "out")
    assert said.code == 1
    assert "36887" in said.out
    written = "".join(path.read_text("utf-8") for path in (tmp_path / "out").glob("*.csv"))
    assert "王" not in written + said.out
    assert ".png" not in written


@pytest.mark.req("ID-04")
def test_pairs_can_be_listed(command: Command, pack: Path, people: Path, tmp_path: Path) -> None:
    listed = [
        ("王0/0.png", "王0/1.png", "1"),
        ("王0/0.png", "王1/0.png", "0"),
        ("王2/0.png", "王1/0.png", "0"),
    ]
    lines = ["first,second,same", *(",".join(row) for row in listed)]
    (people / "pairs.csv").write_text("\n".join(lines), "utf-8")
    assert command("evaluate", people, "--far", "0.9", "--out", tmp_path / "out").code == 0
    scores = rows(tmp_path / "out" / "scores.csv")
    assert [(row["first"], row["second"], row["same"]) for row in scores] == [
        ("0", "1", "1"),
        ("0", "2", "0"),
        ("3", "2", "0"),
    ]


@pytest.mark.parametrize(
    "line", ["王0/0.png,王0/1.png,yes", "王0/0.png,missing.png,1", "../outside.png,王0/0.png,1", "王0/0.png"]
)
def test_a_wrong_line_is_named(command: Command, pack: Path, people: Path, tmp_path: Path, line: str) -> None:
    (tmp_path / "outside.png").write_bytes(png(scene(Person(1))))
    (people / "pairs.csv").write_text(f"first,second,same\n王0/0.png,王0/1.png,1\n{line}\n", "utf-8")
    said = command("evaluate", people, "--out", tmp_path / "out")
    assert said.code == 1
    assert "3" in said.err
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_evaluated_is_refused(
    command: Command, here: Settings, people: Path, download: Path, tmp_path: Path, locale: str
) -> None:
    assert command("evaluate", people, "--out", tmp_path / "out").code == 1, "no pack"
    face_pack.install(here.data_dir / "models", "one", download)
    for arguments in (
        ("nowhere",),
        (str(people), "--far", "0"),
        (str(people), "--far", "1.5"),
        (str(download),),
    ):
        said = command("evaluate", *arguments, "--out", tmp_path / "out")
        assert said.code == 1
        assert said.err
    face_pack.install(here.data_dir / "models", "two", download)
    said = command("evaluate", people, "--out", tmp_path / "out")
    assert said.code == 1
    assert "one, two" in said.err
    assert command("evaluate", people, "--far", "0.9", "--pack", "two", "--out", tmp_path / "out").code == 0
