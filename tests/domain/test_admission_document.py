"""docs/admission.md says what the product does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.domain.admission.rules import Outcome, Reason
from tests.domain.admission_table import LEAVING, TABLE

TEXT = (Path(__file__).parents[2] / "docs" / "admission.md").read_text("utf-8")
ROW = re.compile(r"^\| (\w+) \| `(\w+)` \|", re.MULTILINE)


@pytest.mark.req("AD-03")
def test_the_document_names_every_reason_once() -> None:
    named = [reason for _, reason in ROW.findall(TEXT)] + [reason.value for _, reason in LEAVING]
    assert sorted(named) == sorted(reason.value for reason in Reason)
    assert all(f"`{reason.value}` ({outcome.value})" in TEXT for outcome, reason in LEAVING)


@pytest.mark.req("AD-03")
def test_the_document_has_the_order_of_the_tested_table() -> None:
    rows = [(Outcome(level), Reason(reason)) for level, reason in ROW.findall(TEXT)]
    assert rows == [(level, reason) for level, reason, _ in TABLE]


def test_the_flow_chart_ends_in_every_outcome() -> None:
    chart = TEXT.partition("```mermaid")[2].partition("```")[0]
    assert {outcome.name for outcome in Outcome} <= set(re.findall(r"\[\[(\w+)", chart))
