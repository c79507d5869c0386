"""``@pytest.mark.req("AD-03")``: which requirement a test proves, written to build/requirements-report.json.

An ID that docs/requirements.md does not have stops the collection of its file. With xdist the workers put the IDs on
their reports and the controller writes the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.requirements import known_ids

PROPERTY = "requirement"


def unknown_ids(item: pytest.Item, known: frozenset[str]) -> list[str]:
    """The IDs on a test that no requirement has, and marks without an ID."""
    wrong = []
    for mark in item.iter_markers("req"):
        if not mark.args or mark.kwargs:
            wrong.append("(none)")
        wrong += [str(wanted) for wanted in mark.args if wanted not in known]
    return wrong


class Requirements:
    """Collects one outcome per test that carries an ID."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.known = frozenset(known_ids())
        self.report_path = Path(config.rootpath, "build", "requirements-report.json")
        self.tests: dict[str, dict[str, object]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """Fail the collection of a file that names an unknown requirement."""
        report: pytest.CollectReport = yield
        wrong = [
            f"{item.nodeid}: {', '.join(ids)}"
            for item in report.result or []
            if isinstance(item, pytest.Item) and (ids := unknown_ids(item, self.known))
        ]
        if wrong:
            report.outcome = "failed"
            report.result = []
            report.longrepr = "@pytest.mark.req names what docs/requirements.md does not have:\n" + "\n".join(
                f"  {line}" for line in wrong
            )
        return report

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Put the IDs where every process's report carries them."""
        for mark in item.iter_markers("req"):
            item.user_properties.extend((PROPERTY, wanted) for wanted in mark.args)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended: passed only if its call passed and neither set-up nor tear-down failed."""
        ids = sorted({str(value) for name, value in report.user_properties if name == PROPERTY})
        if not ids:
            return
        entry = self.tests.setdefault(report.nodeid, {"ids": ids, "outcome": "passed"})
        if report.outcome != "passed" and entry["outcome"] != "failed":
            entry["outcome"] = report.outcome

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the report; a run of a part of the tests renews that part only."""
        if hasattr(self.config, "workerinput") or self.config.option.collectonly:
            return
        tests = dict(self.tests)
        if not _is_whole_run(self.config) and self.report_path.is_file():
            tests = json.loads(self.report_path.read_text("utf-8"))["tests"] | tests
        self.report_path.parent.mkdir(parents=True, exist_ok=True)
        content = {"tests": dict(sorted(tests.items()))}
        self.report_path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _is_whole_run(config: pytest.Config) -> bool:
    chosen = config.option.keyword or config.option.markexpr or config.option.deselect
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not chosen


def pytest_configure(config: pytest.Config) -> None:
    """Start collecting."""
    config.pluginmanager.register(Requirements(config), "gatehouse-requirements")
