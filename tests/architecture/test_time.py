"""Time is an argument: only the clock asks the machine what time it is, so a test can say it."""

from __future__ import annotations

import ast

from tests.architecture.sources import dotted, files, name_of, tree

ALLOWED = {
    "app/core/clock.py",
    "app/core/ids.py",  # the time in an id only sorts rows: it must rise with the machine's, whatever a test plays
}
# Drivers stamp what their device reports with the machine's clock, and know nothing of ours.
FOLDERS = ("app", "components", "state")
ASKING = (
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
)


def clock_reads(module: ast.Module) -> list[int]:
    """The lines that read the machine's clock, called or handed on as a function."""
    bare = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
        if f"time.{alias.name}" in ASKING
    }
    found = []
    for node in ast.walk(module):
        name = dotted(node) if isinstance(node, ast.Attribute) else ""
        if (
            name.endswith(ASKING)
            and (name in ASKING or f".{name}".endswith(tuple(f".{ask}" for ask in ASKING)))
        ) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in bare):
            found.append(node.lineno)
    return found


def test_only_the_clock_reads_the_machine_time() -> None:
    found = [
        f"{name_of(path)}:{line}"
        for path in files(*FOLDERS)
        if name_of(path) not in ALLOWED
        for line in clock_reads(tree(path))
    ]
    assert not found, "take `now` as an argument, or ask app.core.clock at the edge:\n" + "\n".join(found)


def test_each_way_of_asking_is_found() -> None:
    for source in (
        "from datetime import datetime\nnow = datetime.now()",
        "import datetime\nnow = datetime.datetime.utcnow()",
        "from datetime import date\nnow = date.today()",
        "import time\nnow = time.time()",
        "from time import time\nnow = time()",
        "from datetime import datetime\nfield(default_factory=datetime.now)",
    ):
        assert clock_reads(ast.parse(source)) == [2], source
    assert clock_reads(ast.parse("import time\nstart = time.monotonic()")) == []
    assert clock_reads(ast.parse("def visit_time(runtime):\n    return runtime.time")) == []
