"""The list of files that the pass page needs without a network is made from the build itself (BK-07)."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from app.commands import offline_pass
from app.commands.frontend import ROOT


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A build in small: the page, what it loads, and what it does not."""
    (tmp_path / "pass").mkdir()
    (tmp_path / "assets").mkdir()
    worker = (ROOT / "assets" / offline_pass.WORKER).read_bytes()
    (tmp_path / offline_pass.WORKER).write_bytes(worker)
    (tmp_path / f"{offline_pass.WORKER}.gz").write_bytes(gzip.compress(worker))
    (tmp_path / "pass" / "index.html").write_text(
        '<link href="/assets/style-1.css"><script type="module">import * as a from "/assets/page-1.js";</script>'
    )
    (tmp_path / "assets" / "style-1.css").write_text("a{src:url(/assets/font-1.woff2)}")
    (tmp_path / "assets" / "font-1.woff2").write_bytes(b"font")
    (tmp_path / "assets" / "page-1.js").write_text('import{a}from"./part-1.js";import(`./late-1.js`)')
    (tmp_path / "assets" / "part-1.js").write_text('const other="./desk-1.js",address="/assets/desk-1.js"')
    (tmp_path / "assets" / "late-1.js").write_text('import"./part-1.js"')
    (tmp_path / "assets" / "desk-1.js").write_text("")
    return tmp_path


def constants(built: Path) -> tuple[str, list[str]]:
    """Version and files as they stand in the worker."""
    text = (built / offline_pass.WORKER).read_text("utf-8")
    version = re.search(r'^const VERSION = "(.*)";$', text, re.MULTILINE)
    files = re.search(r"^const FILES = (\[.*\]);$", text, re.MULTILINE)
    assert version
    assert files
    return version[1], json.loads(files[1])


@pytest.mark.req("BK-07")
def test_the_worker_names_what_the_page_loads_and_no_other_page(built: Path) -> None:
    assert constants(built) == ("", [])
    offline_pass.complete(built)
    version, files = constants(built)
    assert re.fullmatch(r"[0-9a-f]{16}", version)
    names = ("font-1.woff2", "late-1.js", "page-1.js", "part-1.js", "style-1.css")
    assert files == [f"/assets/{name}" for name in names]
    packed = gzip.decompress((built / f"{offline_pass.WORKER}.gz").read_bytes())
    assert packed == (built / offline_pass.WORKER).read_bytes()


@pytest.mark.req("BK-07")
@pytest.mark.parametrize("changed", ["pass/index.html", "assets/late-1.js", "pass_worker.js"])
def test_whatever_changes_makes_another_version(built: Path, changed: str) -> None:
    worker = (built / offline_pass.WORKER).read_bytes()
    offline_pass.complete(built)
    before, _ = constants(built)
    (built / offline_pass.WORKER).write_bytes(worker)
    with (built / changed).open("ab") as file:
        file.write(b"\n")
    offline_pass.complete(built)
    assert constants(built)[0] != before


@pytest.mark.req("BK-07")
def test_a_worker_or_page_that_is_not_as_expected_stops_the_build(built: Path) -> None:
    offline_pass.complete(built)
    with pytest.raises(offline_pass.WorkerChanged):
        offline_pass.complete(built)  # its constants are filled in already
    (built / offline_pass.WORKER).write_bytes((ROOT / "assets" / offline_pass.WORKER).read_bytes())
    (built / offline_pass.SHELL).write_text("<p>empty</p>")
    with pytest.raises(offline_pass.WorkerChanged):
        offline_pass.complete(built)
