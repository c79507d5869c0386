"""A pack of models is what was imported, whole and with its licence accepted, or it is not used (ID-02)."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware import face_import, face_packs
from hardware.drivers import face_insightface, face_models
from hardware.face_packs import MANIFEST, PackError
from hardware.face_ports import FaceFault, ServiceCode
from hardware.face_service import FaceService
from tests.hardware import face_pack
from tests.hardware.face_graph import Graph
from tests.hardware.face_pictures import Person, png, scene

pytestmark = pytest.mark.req("ID-02")


@pytest.fixture
def copy(face_models: Path, tmp_path: Path) -> Path:
    """A models folder of this test's own, with the pack `insight`."""
    shutil.copytree(face_models / "insight", tmp_path / "models" / "insight")
    return tmp_path / "models"


def state_of(models: Path | None, name: str) -> tuple[ServiceCode, str]:
    """What a service says that is started with this pack; it answers, and compares nothing."""
    service = FaceService(models)
    service.start(name)
    state = service.wait_started()
    answer = service.portrait(png(scene(Person(1))))
    service.stop()
    assert (state.code is ServiceCode.READY) == (answer is not FaceFault.NO_MODELS)
    return state.code, state.detail


def change(path: Path, **values: Any) -> None:
    """Edit a manifest by hand."""
    read = json.loads(path.read_text("utf-8")) | values
    path.write_text(json.dumps(read), "utf-8")


def flip(path: Path) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


BROKEN: dict[str, tuple[Callable[[Path], object], ServiceCode, str]] = {
    "one bit": (lambda p: flip(p / "w_test.onnx"), ServiceCode.PACK_BROKEN, "file_changed"),
    "a model gone": (lambda p: (p / "det_test.onnx").unlink(), ServiceCode.PACK_BROKEN, "file_missing"),
    "a model more": (
        lambda p: shutil.copy(p / "w_test.onnx", p / "a_first.onnx"),
        ServiceCode.PACK_BROKEN,
        "file_unknown",
    ),
    "another library's manifest": (
        lambda p: (p / "manifest.json").write_text('{"manifest_version": 2}'),
        ServiceCode.PACK_BROKEN,
        "file_unknown",
    ),
    "no manifest": (lambda p: (p / MANIFEST).unlink(), ServiceCode.PACK_BROKEN, "manifest_missing"),
    "no json": (lambda p: (p / MANIFEST).write_text("{"), ServiceCode.PACK_BROKEN, "manifest_broken"),
    "no files": (lambda p: change(p / MANIFEST, files={}), ServiceCode.PACK_BROKEN, "models_incomplete"),
    "a path for a file": (
        lambda p: change(p / MANIFEST, files={"../x.onnx": {"sha256": "0", "role": "detection"}}),
        ServiceCode.PACK_BROKEN,
        "manifest_broken",
    ),
    "newer": (lambda p: change(p / MANIFEST, format=2), ServiceCode.PACK_BROKEN, "manifest_newer"),
    "other engine": (
        lambda p: change(p / MANIFEST, engine="dlib"),
        ServiceCode.PACK_BROKEN,
        "engine_unknown",
    ),
    "other dimension": (
        lambda p: change(p / MANIFEST, dimension=128),
        ServiceCode.PACK_BROKEN,
        "dimension_wrong",
    ),
    "licence not accepted": (
        lambda p: change(p / MANIFEST, licence_accepted_at=""),
        ServiceCode.LICENCE_OPEN,
        "licence_open",
    ),
    "empty": (
        lambda p: (shutil.rmtree(p), p.mkdir()),
        ServiceCode.PACK_BROKEN,
        "folder_empty",
    ),
    "gone": (lambda p: shutil.rmtree(p), ServiceCode.NO_PACK, "pack_absent"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_pack_that_is_not_what_was_imported_is_not_used_and_says_why(copy: Path, what: str) -> None:
    harm, code, detail = BROKEN[what]
    harm(copy / "insight")
    assert state_of(copy, "insight") == (code, detail)


def test_an_untouched_pack_is_used(copy: Path) -> None:
    assert state_of(copy, "insight") == (ServiceCode.READY, "")


@pytest.mark.parametrize(
    "name", ["../insight", "/insight", "a/b", ".", "..", ".hidden", "buffalo l", "x" * 65]
)
def test_a_path_is_no_name(copy: Path, name: str) -> None:
    assert state_of(copy, name) == (ServiceCode.PACK_BROKEN, "name_bad")


def test_a_known_name_without_its_folder_is_not_looked_for_on_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: asked.append(a))
    assert state_of(tmp_path, "buffalo_l") == (ServiceCode.NO_PACK, "pack_absent")
    assert not asked
    assert not list(tmp_path.iterdir())


def test_without_folder_or_name_there_is_no_pack(copy: Path) -> None:
    assert state_of(None, "insight") == (ServiceCode.NO_PACK, "")
    assert state_of(copy, "") == (ServiceCode.NO_PACK, "")


@pytest.mark.parametrize(
    ("library", "code"), [("onnxruntime", "onnxruntime_missing"), ("insightface", "insightface_missing")]
)
def test_a_missing_library_is_a_state(
    copy: Path, monkeypatch: pytest.MonkeyPatch, library: str, code: str
) -> None:
    def missing(name: str) -> Any:
        if name.startswith(library):
            raise ImportError(name)
        return __import__(name, fromlist=["*"])

    monkeypatch.setattr(face_models, "import_module", missing)
    monkeypatch.setattr(face_insightface, "import_module", missing)
    assert state_of(copy, "insight") == (ServiceCode.LIBRARY_MISSING, code)


def test_import_takes_what_is_needed_and_leaves_out_what_tells_age_and_sex(tmp_path: Path) -> None:
    source = face_pack.insightface_source(tmp_path / "download")
    g = Graph()
    g.op("ReduceMean", "data", axes=[2, 3], keepdims=0, out="fc1")
    g.save(source / "genderage.onnx", {"data": ["None", 3, 96, 96]}, {"fc1": ["None", 3]})
    (source / "LICENSE.txt").write_text("research only")
    (source / "notes.doc").write_text("x")
    offer = face_import.examine(source)
    assert offer.left_out == ("genderage.onnx",)
    assert offer.licence == face_import.OWN_LICENCE
    checked = face_import.take(tmp_path / "models", "mine", offer, face_pack.ACCEPTED)
    assert {path.name for path in checked.folder.iterdir()} == {
        "det_test.onnx", "w_test.onnx", "2d106_test.onnx", "liveness_test.onnx", "mask_test.onnx", "LICENSE.txt", MANIFEST,
    }  # fmt: skip
    assert checked.manifest.accepted_at == "2026-01-02T03:04:05+00:00"
    assert face_packs.names(tmp_path / "models") == ["mine"]
    assert face_packs.check(tmp_path / "models", "mine").pack == checked.pack


@pytest.mark.parametrize(
    ("engine", "licence"),
    [("insightface", "insightface-non-commercial"), ("opencv", "yunet-mit-sface-apache-2.0")],
)
def test_a_folder_without_a_licence_text_is_known_by_its_models(
    tmp_path: Path, engine: str, licence: str
) -> None:
    make = face_pack.insightface_source if engine == "insightface" else face_pack.opencv_source
    offer = face_import.examine(make(tmp_path / "download"))
    assert (offer.engine, offer.licence) == (engine, licence)


def empty(folder: Path) -> None:
    folder.mkdir()


def without_recogniser(folder: Path) -> None:
    face_pack.insightface_source(folder)
    (folder / "w_test.onnx").unlink()


def of_two_engines(folder: Path) -> None:
    folder.mkdir()
    face_pack.yunet(folder / "det.onnx")
    face_pack.arcface(folder / "rec.onnx")


def no_model(folder: Path) -> None:
    face_pack.insightface_source(folder)
    (folder / "w_test.onnx").write_bytes(b"<html>not found</html>")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda folder: None, "source_absent"),
        (empty, "folder_empty"),
        (without_recogniser, "models_incomplete"),
        (of_two_engines, "models_incomplete"),
        (no_model, "model_broken"),
    ],
)
def test_a_folder_that_makes_no_pack_is_refused_with_a_code(
    tmp_path: Path, make: Callable[[Path], None], code: str
) -> None:
    make(tmp_path / "download")
    with pytest.raises(PackError) as caught:
        face_import.examine(tmp_path / "download")
    assert caught.value.code == code


def test_a_taken_name_stays_as_it_is_and_a_failed_import_leaves_nothing(copy: Path, tmp_path: Path) -> None:
    before = sorted((path.name, path.read_bytes()) for path in (copy / "insight").iterdir())
    source = face_pack.insightface_source(tmp_path / "download", seed=5)
    offer = face_import.examine(source)
    with pytest.raises(PackError) as caught:
        face_import.take(copy, "insight", offer, face_pack.ACCEPTED)
    assert caught.value.code == "name_taken"
    assert sorted((path.name, path.read_bytes()) for path in (copy / "insight").iterdir()) == before
    (source / "w_test.onnx").unlink()
    with pytest.raises(FileNotFoundError):
        face_import.take(copy, "other", offer, face_pack.ACCEPTED)
    assert [path.name for path in copy.iterdir()] == ["insight"]


def test_the_id_of_a_pack_changes_with_its_models_and_with_nothing_else(tmp_path: Path) -> None:
    one = face_pack.install(tmp_path / "m", "one", face_pack.insightface_source(tmp_path / "a"))
    again = face_pack.install(tmp_path / "m", "again", face_pack.insightface_source(tmp_path / "b"))
    other = face_pack.install(tmp_path / "m", "other", face_pack.insightface_source(tmp_path / "c", seed=8))
    fewer = face_pack.install(
        tmp_path / "m", "fewer", face_pack.insightface_source(tmp_path / "d", extras=False)
    )
    assert one.pack.id == again.pack.id
    assert len({one.pack.id, other.pack.id, fewer.pack.id}) == 3


def test_the_alignment_is_insightfaces_own() -> None:
    from insightface.utils import face_align

    chance = np.random.default_rng(3)
    for _ in range(50):
        points = (
            face_models.TEMPLATE * chance.uniform(0.5, 4)
            + chance.normal(0, 6, (5, 2))
            + chance.uniform(0, 300, 2)
        )
        with pytest.warns(FutureWarning):
            theirs = face_align.estimate_norm(points.astype(np.float32))
        assert np.allclose(face_models.similarity(points), theirs, atol=1e-3)
    with pytest.raises(ValueError, match="points_coincide"):
        face_models.similarity(np.zeros((5, 2)))
