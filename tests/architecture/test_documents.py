"""What the documents point to is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.sources import ROOT, files, name_of, read

TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|<(?:img|source)[^>]+src=\"([^\"]+)\"")
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
TREE_PATH = re.compile(
    r"(?:app|components|state|hardware|alembic|assets|docs|tests|tools|requirements|\.ci)/[\w./*-]*"
)
COMMAND = re.compile(r"\bmake ([a-z][a-z-]*)")


def slug(heading: str) -> str:
    """The anchor a heading gets."""
    plain = re.sub(r"[`*\[\]]|\]\([^)]*\)", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """All anchors of a document."""
    return {slug(match) for match in re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)}


def dead_links(path: Path, text: str) -> list[str]:
    """The links and paths in a document that lead nowhere in this repository."""
    dead = []
    for target in (first or second for first, second in LINK.findall(FENCE.sub("", text))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        aim = (path.parent / file).resolve() if file else path
        if not aim.exists() or (
            anchor and aim.suffix == ".md" and anchor not in anchors(text if aim == path else read(aim))
        ):
            dead.append(target)
    dead += [
        code
        for code in CODE.findall(FENCE.sub("", text))
        if TREE_PATH.fullmatch(code) and not any(ROOT.glob(code.rstrip("/")))
    ]
    return dead


def targets() -> set[str]:
    """The Makefile's targets."""
    return set(re.findall(r"^([a-z][a-z-]*):", read(ROOT / "Makefile"), re.MULTILINE))


def unknown_commands(text: str, known: set[str]) -> list[str]:
    """The ``make`` targets in code that the Makefile lacks."""
    code = "\n".join(CODE.findall(text) + [match.group() for match in FENCE.finditer(text)])
    return [name for name in COMMAND.findall(code) if name not in known]


def test_links_and_paths_lead_somewhere() -> None:
    dead = [
        f"{name_of(path)}: {link}"
        for path in files(*TOP, suffixes=(".md",))
        for link in dead_links(path, read(path))
    ]
    assert not dead, "\n".join(dead)


def test_commands_in_documents_exist() -> None:
    known = targets()
    unknown = [
        f"{name_of(path)}: make {name}"
        for path in files(*TOP, suffixes=(".md",))
        for name in unknown_commands(read(path), known)
    ]
    assert not unknown, "\n".join(unknown)


def test_dead_ends_are_found() -> None:
    readme = ROOT / "CONTRIBUTING.md"
    text = "# One\n[a](docs/requirements.md) [b](docs/none.md) [c](#one) [d](#two) `tools/none.py` `tools/setup.sh`"
    assert dead_links(readme, text) == ["docs/none.md", "#two", "tools/none.py"]
    assert unknown_commands("`make run` and `make coffee`\n```\nmake tea\n```\nmake peace", {"run"}) == [
        "coffee",
        "tea",
    ]
