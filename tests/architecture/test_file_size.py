"""A file does one thing and is read in one go."""

from __future__ import annotations

from tests.architecture.sources import files, name_of, read

LIMIT = 500
# Alembic writes these from the models; a migration is one change, however long.
EXEMPT = "alembic/versions/"


def too_long(lengths: dict[str, int]) -> list[str]:
    """The files over the limit, longest first."""
    return [name for name, length in sorted(lengths.items(), key=lambda item: -item[1]) if length > LIMIT]


def test_no_python_file_is_longer_than_500_lines() -> None:
    lengths = {
        name_of(path): len(read(path).splitlines())
        for path in files()
        if not name_of(path).startswith(EXEMPT)
    }
    long = too_long(lengths)
    assert not long, (
        f"Over {LIMIT} lines is not a module but a drawer. Find the second thing it does and give that its own file "
        "(most stay under 300):\n" + "\n".join(f"  {lengths[name]:5} {name}" for name in long)
    )


def test_the_longest_comes_first() -> None:
    assert too_long({"fits.py": LIMIT, "long.py": LIMIT + 1, "longer.py": LIMIT + 2}) == [
        "longer.py",
        "long.py",
    ]
