"""One transaction is one change: only the edge commits, through app.core.database."""

from __future__ import annotations

import ast

from tests.architecture.sources import PRODUCT, files, name_of, tree

ALLOWED = {
    "app/core/database.py",
    "app/core/migrations.py",  # a command of its own, with no unit of work yet to run in
}


def commits(module: ast.Module) -> list[int]:
    """The lines that call ``.commit()``."""
    return [
        node.lineno
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]


def test_only_the_unit_of_work_commits() -> None:
    found = [
        f"{name_of(path)}:{line}"
        for path in files(*PRODUCT)
        if name_of(path) not in ALLOWED
        for line in commits(tree(path))
    ]
    assert not found, "services never commit; take the session you are given:\n" + "\n".join(found)


def test_a_commit_is_found() -> None:
    assert commits(ast.parse("def save(session):\n    session.commit()\n")) == [2]
    assert commits(ast.parse("def save(session):\n    session.flush()\n")) == []
