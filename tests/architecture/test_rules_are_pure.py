"""``rules.py`` can be read and tested alone: it imports the standard library, other rules and the errors."""

from __future__ import annotations

import ast
import re
import sys

from tests.architecture.sources import files, name_of, tree

ALLOWED = re.compile(r"app\.core\.errors|app\.domain\.\w+\.rules(\.\w+)*")


def foreign_imports(module: ast.Module) -> list[str]:
    """What a module imports beyond what rules may."""
    wanted = []
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            wanted += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            # `from app.domain.sites import rules` names the module last
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            wanted += [name if ALLOWED.fullmatch(name) else str(node.module) for name in whole]
        elif isinstance(node, ast.ImportFrom):
            wanted.append("." * node.level + (node.module or ""))
    return sorted(
        {
            name
            for name in wanted
            if name.partition(".")[0] not in sys.stdlib_module_names and not ALLOWED.fullmatch(name)
        }
    )


def test_rules_import_nothing_but_rules() -> None:
    found = [
        f"{name_of(path)} imports {name}"
        for path in files("app/domain")
        if path.stem == "rules" or path.parent.name == "rules"
        for name in foreign_imports(tree(path))
    ]
    assert not found, "rules are pure functions of what they are given:\n" + "\n".join(found)


def test_a_foreign_import_is_found() -> None:
    fine = "import re\nfrom app.domain.sites.rules import RiskClass\nfrom app.domain.sites import rules\n"
    assert foreign_imports(ast.parse(fine + "from app.core.errors import InvalidInput")) == []
    assert foreign_imports(ast.parse(fine + "from app.domain.sites.models import Site")) == [
        "app.domain.sites.models"
    ]
    assert foreign_imports(ast.parse("import sqlmodel\nfrom . import models")) == [".", "sqlmodel"]
