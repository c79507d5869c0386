"""Both languages are complete, and every key is there and in use (EV-01)."""

from __future__ import annotations

import ast
import json
import re
import string
from pathlib import Path

import pytest

from app.core import errors
from tests.architecture.sources import ROOT, dotted, files, name_of, strings, tree

FOLDER = ROOT / "app" / "core" / "catalogue"
LOCALES = ("zh-CN", "en")
SOURCES = ("app", "components", "state")
KEY = re.compile(r"^[a-z][a-z0-9_]*(\.[A-Za-z0-9_-]+)+$")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ASKING = {"t", "text"}
# Keys made of a prefix and a code that is known only when it runs. `t(f"lane.{kind}")` adds its own prefix by itself.
DYNAMIC = (
    "reason.", "status.", "device.", "role.", "right.", "audit.", "visitor_type.", "purpose.", "event.", "error.",
)  # fmt: skip
# Written in their own script in every language, as a language menu does.
# A language is named in itself; a Chinese plate has no other spelling.
NATIVE = ("locale.", "language.", "common.other_language", "error.plate_wrong")

Catalogue = dict[str, str]


def load(path: Path) -> Catalogue:
    """One topic's texts; a key that stands twice is an error, not a surprise."""

    def pairs(found: list[tuple[str, str]]) -> Catalogue:
        keys = [key for key, _ in found]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"{name_of(path)} has twice: {sorted(twice)}"
        return dict(found)

    return dict(json.loads(path.read_text("utf-8"), object_pairs_hook=pairs))


def whole(locale: str) -> Catalogue:
    """All texts of a language."""
    return {
        key: text for path in sorted((FOLDER / locale).glob("*.json")) for key, text in load(path).items()
    }


def placeholders(text: str) -> list[str]:
    """The names between braces, sorted."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def asked_keys(module: ast.Module) -> tuple[list[tuple[int, str]], set[str]]:
    """The literal keys that ``t(…)`` and ``text(…)`` ask for with their lines, and the prefixes of those made up."""
    keys, prefixes = [], set()
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or dotted(node.func).rpartition(".")[2] not in ASKING:
            continue
        for argument in node.args:
            if (
                isinstance(argument, ast.Constant)
                and isinstance(argument.value, str)
                and "." in argument.value
            ):
                keys.append((argument.lineno, argument.value))
            elif isinstance(argument, ast.JoinedStr) and isinstance(argument.values[0], ast.Constant):
                prefixes.add(str(argument.values[0].value))
    return keys, {prefix for prefix in prefixes if "." in prefix}


def raised_codes(module: ast.Module) -> list[tuple[int, str]]:
    """The literal codes given to our errors, with their lines."""
    kinds = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.GateError)
    }
    return [
        (node.lineno, str(node.args[0].value))
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and dotted(node.func).rpartition(".")[2] in kinds
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]


def test_both_languages_have_the_same_topics() -> None:
    topics = {locale: {path.name for path in (FOLDER / locale).glob("*.json")} for locale in LOCALES}
    assert topics["zh-CN"], "there is no catalogue"
    assert topics["zh-CN"] == topics["en"]


@pytest.mark.req("EV-01")
def test_both_languages_have_the_same_keys() -> None:
    chinese, english = whole("zh-CN"), whole("en")
    assert not sorted(chinese.keys() - english.keys()), "missing in en"
    assert not sorted(english.keys() - chinese.keys()), "missing in zh-CN"


@pytest.mark.parametrize("locale", LOCALES)
def test_keys_name_their_topic_and_texts_say_something(locale: str) -> None:
    wrong = [
        f"{name_of(path)}: {key}"
        for path in sorted((FOLDER / locale).glob("*.json"))
        for key, text in load(path).items()
        if not (KEY.match(key) and isinstance(text, str) and text.strip())
    ]
    assert not wrong
    keys = [key for path in sorted((FOLDER / locale).glob("*.json")) for key in load(path)]
    assert len(keys) == len(set(keys)), "two topics hold the same key"


@pytest.mark.req("EV-01")
def test_both_languages_fill_the_same_placeholders() -> None:
    chinese, english = whole("zh-CN"), whole("en")
    wrong = [
        f"{key}: {placeholders(chinese[key])} and {placeholders(english[key])}"
        for key in sorted(chinese.keys() & english.keys())
        if placeholders(chinese[key]) != placeholders(english[key])
    ]
    assert not wrong


@pytest.mark.req("EV-01")
def test_english_texts_are_english() -> None:
    left = [key for key, text in whole("en").items() if CHINESE.search(text) and not key.startswith(NATIVE)]
    assert not left


@pytest.mark.req("EV-01")
def test_every_key_asked_for_exists() -> None:
    known = whole("zh-CN")
    wrong = []
    for path in files(*SOURCES):
        keys, prefixes = asked_keys(tree(path))
        wrong += [f"{name_of(path)}:{line}: {key}" for line, key in keys if key not in known]
        wrong += [
            f"{name_of(path)}: nothing begins with {prefix}"
            for prefix in prefixes
            if not any(key.startswith(prefix) for key in known)
        ]
    assert not wrong


@pytest.mark.req("EV-01")
def test_every_error_that_is_raised_has_words() -> None:
    known = whole("zh-CN")
    wrong = [
        f"{name_of(path)}:{line}: error.{code}"
        for path in files(*SOURCES)
        for line, code in raised_codes(tree(path))
        if f"error.{code}" not in known
    ]
    assert not wrong


def test_every_key_is_in_use() -> None:
    used: set[str] = set()
    prefixes: set[str] = set(DYNAMIC)
    for path in files(*SOURCES):
        used.update(str(node.value) for node in strings(tree(path)))
        prefixes |= asked_keys(tree(path))[1]
    idle = [key for key in whole("zh-CN") if key not in used and not key.startswith(tuple(prefixes))]
    assert not idle, "nobody shows these:\n" + "\n".join(idle)


def test_keys_are_found_where_they_are_asked_for() -> None:
    module = ast.parse(
        't("desk.admit")\ni18n.text(locale, "time.today", n=1)\nt(f"lane.{kind}")\nother("a.b")'
    )
    assert asked_keys(module) == ([(1, "desk.admit"), (2, "time.today")], {"lane."})
    assert raised_codes(ast.parse('raise errors.NotFound("visit_unknown")\nraise ValueError("x")')) == [
        (1, "visit_unknown")
    ]
    assert placeholders("{name} 于 {time:%H} 到，{{不是}}") == ["name", "time"]
