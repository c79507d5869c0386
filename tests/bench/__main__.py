"""``python -m tests.bench [name …]``: run the benchmarks of this folder in turn."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import traceback

import tests.bench


def main(wanted: list[str]) -> int:
    """Run each module that has a ``main()``; one that fails does not keep the others from running."""
    names = [module.name for module in pkgutil.iter_modules(tests.bench.__path__) if module.name[0] != "_"]
    unknown = set(wanted) - set(names)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
        return 2
    failed = []
    for name in wanted or names:
        try:
            module = importlib.import_module(f"tests.bench.{name}")
            if not hasattr(module, "main"):
                continue
            print(f"\n{name}\n{'-' * len(name)}", flush=True)
            module.main()
        except Exception:
            traceback.print_exc()
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
