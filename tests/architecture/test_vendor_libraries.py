"""Libraries of vendors stay in drivers and simulators, loaded when a device starts.

Reflex imports the application and then forks: what starts threads at import does not survive that. And a library that is
missing switches its own driver off, nothing else.
"""

from __future__ import annotations

import ast

from tests.architecture.sources import PRODUCT, dotted, files, name_of, tree

VENDORS = {"cv2", "pyzbar", "zxingcpp", "smartcard", "serial", "onnxruntime", "insightface", "escpos"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
HOMES = ("hardware/drivers/", "hardware/simulators/")


def vendor_imports(module: ast.Module) -> list[tuple[int, str, bool]]:
    """Line, library, and whether it is loaded when the module is."""
    inside = {id(node) for node in ast.walk(module) if isinstance(node, FUNCTIONS) for node in ast.walk(node)}
    found = []
    for node in ast.walk(module):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [str(node.module)]
        elif isinstance(node, ast.Call) and dotted(node.func).endswith(("import_module", "__import__")):
            names = [str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant)]
        at_import = id(node) not in inside
        found += [(node.lineno, name, at_import) for name in names if name.partition(".")[0] in VENDORS]
    return sorted(found)


def broken(path: str, module: ast.Module) -> list[str]:
    """What is wrong with a file's imports."""
    found = []
    for line, name, at_import in vendor_imports(module):
        if not path.startswith(HOMES):
            found.append(f"{path}:{line}: {name} belongs into a driver")
        elif at_import and not typing_only(module, line):
            found.append(f"{path}:{line}: import {name} where the device starts, not with the module")
    return found


def typing_only(module: ast.Module, line: int) -> bool:
    """Whether a line stands under ``if TYPE_CHECKING``."""
    return any(
        isinstance(node, ast.If)
        and dotted(node.test).endswith("TYPE_CHECKING")
        and node.lineno <= line <= (node.end_lineno or node.lineno)
        for node in ast.walk(module)
    )


def test_vendor_libraries_are_loaded_by_drivers_alone_and_late() -> None:
    found = [line for path in files(*PRODUCT) for line in broken(name_of(path), tree(path))]
    assert not found, "\n".join(found)


def test_an_import_in_the_wrong_place_is_found() -> None:
    early = ast.parse("import cv2")
    late = ast.parse("def start():\n    from smartcard.System import readers\n")
    hidden = ast.parse("import importlib\ncv2 = importlib.import_module('cv2')")
    typed = ast.parse("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import cv2")
    assert len(broken("app/runtime/hub.py", late)) == 1
    assert broken("hardware/drivers/reader.py", late) == []
    assert len(broken("hardware/drivers/camera.py", early)) == 1
    assert len(broken("hardware/drivers/camera.py", hidden)) == 1
    assert broken("hardware/drivers/camera.py", typed) == []
