"""``make requirements``: which promises of docs/requirements.md the last test run proved."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "requirements.md"
REPORT = ROOT / "build" / "requirements-report.json"
ROW = re.compile(r"^\| ([A-Z]{2}-\d{2}) \| (.+?) \|")
WIDTH = 100


@dataclass
class Requirement:
    """One row and the tests that cite it, by outcome."""

    id: str
    sentence: str
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def standing(self) -> str:
        """In words, how far it is proven."""
        passed, failed = self.outcomes.get("passed", 0), self.outcomes.get("failed", 0)
        if failed:
            return f"{failed} of {passed + failed} FAILED"
        if passed:
            return f"proven ({passed})"
        return "only skipped tests" if self.outcomes else "-"

    @property
    def proven(self) -> bool:
        """Whether at least one test passed and none failed."""
        return self.standing.startswith("proven")


def read_requirements(document: Path = DOCUMENT) -> list[Requirement]:
    """The rows of the document in its order."""
    found = []
    for line in document.read_text("utf-8").splitlines():
        match = ROW.match(line)
        if match:
            found.append(Requirement(match[1], match[2]))
    return found


def known_ids(document: Path = DOCUMENT) -> list[str]:
    """The IDs a test may cite."""
    return [requirement.id for requirement in read_requirements(document)]


def count_outcomes(requirements: list[Requirement], report: Path = REPORT) -> None:
    """Add the outcomes of the last test run to each row."""
    if not report.is_file():
        return
    by_id = {requirement.id: requirement for requirement in requirements}
    for test in json.loads(report.read_text("utf-8"))["tests"].values():
        for wanted in test["ids"]:
            if wanted in by_id:
                outcomes = by_id[wanted].outcomes
                outcomes[test["outcome"]] = outcomes.get(test["outcome"], 0) + 1


def main() -> None:
    """Print the table and one line that sums it up."""
    requirements = read_requirements()
    count_outcomes(requirements)
    if not REPORT.is_file():
        print("No test run has been recorded yet; `make test` records one.\n")
    for requirement in requirements:
        sentence = requirement.sentence
        if len(sentence) > WIDTH:
            sentence = sentence[: WIDTH - 1].rstrip() + "…"
        print(f"{requirement.id}  {requirement.standing:<20}  {sentence}")
    proven = sum(requirement.proven for requirement in requirements)
    without = [requirement.id for requirement in requirements if not requirement.proven]
    print(f"\nrequirements: {proven} of {len(requirements)} proven by a passing test")
    if without:
        print(f"without one: {' '.join(without)}")


if __name__ == "__main__":
    main()
