"""Passwords that the program makes are as good as it asks of people."""

from __future__ import annotations

import random

import pytest

from app.core import passwords
from app.domain.people import service


@pytest.mark.req("EV-05")
def test_every_one_time_password_passes_the_rule_for_administrators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "secrets", Seeded(1))
    made = [service.one_time_password() for _ in range(5000)]
    for password in made:
        passwords.check_strength(password, "admin", 12)
    assert len(set(made)) == len(made)


class Seeded:
    """``secrets`` with the same dice each time, so that a failure comes again."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.choice = self._random.choice
        self.randbelow = self._random.randrange
