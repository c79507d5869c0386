"""Every word a person reads comes from the catalogues (EV-01).

A line that must hold its text ends in ``# literal: why``.
"""

from __future__ import annotations

import ast
import re

from tests.architecture.sources import dotted, files, is_marked, name_of, read, strings

FOLDERS = ("components", "app/pages", "state")
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]")
WORD = re.compile(r"[A-Za-z]{2,}")
WORDS = re.compile(r"[A-Za-z]{2,}[,.:]? +[A-Za-z]")
SENTENCE = re.compile(r"^[A-Z][a-z]*[,.:]? +[A-Za-z]")
CHOICES = ("rx.cond", "rx.match")
# Their positional strings are names, addresses or code, not text.
SILENT = (
    "rx.icon",
    "rx.asset",
    "rx.call_script",
    "rx.script",
    "rx.color",
    "rx.redirect",
    "rx.Var",
    "rx.vars",
    "rx.upload",
)
TEXT_PROPS = {"placeholder", "alt", "title", "aria_label", "aria_description"}


def literal_text(source: str) -> list[tuple[int, str]]:
    """Line and text of each literal that a person would read."""
    module = ast.parse(source)
    found = {
        (node.lineno, str(node.value))
        for node in strings(module)
        if CHINESE.search(str(node.value)) and not is_marked(source, node, "literal")
    }
    for node in ast.walk(module):
        for shown in _shown(node):
            if not is_marked(source, shown, "literal"):
                found.add((shown.lineno, str(shown.value)))
    return sorted(found)


def _shown(node: ast.AST) -> list[ast.Constant]:
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return _matching(
            [
                value
                for key, value in pairs
                if isinstance(key, ast.Constant) and str(key.value).startswith("aria-label")
            ],
            WORD,
        )
    if not isinstance(node, ast.Call):
        return []
    name = dotted(node.func)
    if name.startswith("rx.el."):
        props = [keyword.value for keyword in node.keywords if keyword.arg in TEXT_PROPS]
        return _matching(node.args, WORD) + _matching(props, WORD)
    if name.startswith(CHOICES + SILENT):
        return []
    if name.startswith("rx."):
        props = [keyword.value for keyword in node.keywords if keyword.arg in TEXT_PROPS]
        return _matching(node.args, WORDS) + _matching(props, WORD)
    if isinstance(node.func, ast.Name) and name[0].islower():
        return _matching(node.args, SENTENCE)
    return []


def _matching(values: list[ast.expr], pattern: re.Pattern[str]) -> list[ast.Constant]:
    found = []
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and pattern.search(value.value):
            found.append(value)
        elif isinstance(value, ast.JoinedStr):
            found += _matching(value.values, pattern)
        elif isinstance(value, ast.Call) and dotted(value.func) in CHOICES:
            # What a condition chooses between is shown as well; its first argument is asked, not shown.
            choices = [
                part
                for arg in value.args[1:]
                for part in (arg.elts[1:] if isinstance(arg, ast.Tuple) else [arg])
            ]
            found += _matching(choices, pattern)
    return found


def test_pages_components_and_states_hold_no_text() -> None:
    found = [
        f"{name_of(path)}:{line}: {text!r}"
        for path in files(*FOLDERS)
        for line, text in literal_text(read(path))
    ]
    assert not found, 'put it into both catalogues and write t("topic.name"):\n' + "\n".join(found)


def test_each_kind_of_literal_is_found() -> None:
    for source in (
        "rx.el.p('门岗')",
        "notice = '已放行'",
        "rx.el.button('Save')",
        "rx.el.input(placeholder='Phone')",
        "rx.el.span(rx.cond(State.open, 'Open', t('gate.shut')))",
        "rx.text('Not a visitor')",
        "rx.toast.error('Something failed')",
        "visit_card('Visitor of today')",
        "rx.el.div(custom_attrs={'aria-label': 'Close'})",
        "rx.el.p(f'Welcome {State.name}')",
    ):
        assert [line for line, _ in literal_text(source)] == [1], source


def test_names_keys_and_marked_lines_are_not_text() -> None:
    for source in (
        '"""门岗 is the product."""',
        "rx.el.p(t('gate.title'), class_name='large muted')",
        "rx.icon('circle-check')",
        "rx.el.div(class_name=rx.cond(State.open, 'lane open', 'lane'))",
        "rx.el.span('·')",
        "rx.call_script('document.title = name')",
        "rx.el.span('门岗')  # literal: the product's name in its own language",
        "logger.info('Pushed to a tab that had gone')",
        "raise ValueError('Unknown column in a table')",
    ):
        assert literal_text(source) == [], source
    assert literal_text("rx.el.span('门岗')  # literal:") != [], "a mark without a reason does not count"
