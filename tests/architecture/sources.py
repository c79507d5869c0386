"""What the rules read: the repository's own files, parsed once."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("app", "components", "state", "hardware")
# Made by a tool or a run: nobody's source.
GENERATED = {".venv", ".web", ".git", ".states", "node_modules", "__pycache__"}
GENERATED_AT_ROOT = {"build", "data", "screenshots"}


def name_of(path: Path) -> str:
    """A file's path as people write it."""
    return path.relative_to(ROOT).as_posix()


def files(*folders: str, suffixes: tuple[str, ...] = (".py",)) -> Iterator[Path]:
    """Every source file below the folders, in order; without folders, of the whole repository."""
    for start in [ROOT / folder for folder in folders] or [ROOT]:
        if start.is_file() and start.suffix in suffixes:
            yield start
        for folder, inner, names in os.walk(start):
            skipped = GENERATED | GENERATED_AT_ROOT if Path(folder) == ROOT else GENERATED
            inner[:] = sorted(set(inner) - skipped)
            yield from (Path(folder, name) for name in sorted(names) if name.endswith(suffixes))


@cache
def read(path: Path) -> str:
    """A file's text."""
    return path.read_text("utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(read(path), str(path))


def dotted(node: ast.expr) -> str:
    """``a.b.c`` for a name or a chain of attributes, otherwise nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def docstrings(module: ast.Module) -> set[int]:
    """The identities of the constants that are docstrings."""
    found = set()
    for node in ast.walk(module):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            found.add(id(body[0].value))
    return found


def strings(module: ast.Module) -> Iterator[ast.Constant]:
    """Every string constant that is no docstring, the constant parts of f-strings too."""
    described = docstrings(module)
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
            yield node


def is_marked(source: str, node: ast.expr, mark: str) -> bool:
    """Whether a line of the expression ends in ``# mark: reason``."""
    lines = source.splitlines()[node.lineno - 1 : node.end_lineno]
    return any((reason := line.partition(f"# {mark}:")[2]) and reason.strip() for line in lines)
