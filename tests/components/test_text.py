"""Words with numbers in them, as the browser makes them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import reflex as rx

from components.text import tf

NODE = Path(sys.executable).with_name("node")
CATALOGUE = re.compile(r"\w+\.t_rx_state_")


def in_the_browser(words: rx.Var, texts: dict[str, str]) -> str:
    """What the expression comes to in JavaScript, with these texts in the catalogue."""
    script = CATALOGUE.sub(lambda _: f"({json.dumps(texts)})", str(words))
    done = subprocess.run([NODE, "-p", script], capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


@pytest.mark.parametrize("count", [0, 7, 12_345])
def test_a_number_is_shown_and_so_is_none_at_all(count: int) -> None:
    words = tf("few", count=rx.Var(_js_expr=str(count), _var_type=int))
    assert in_the_browser(words, {"few": "{count} 件待处理"}) == f"{count} 件待处理"


def test_each_part_is_filled_wherever_it_stands() -> None:
    words = tf("who", name=rx.Var(_js_expr='"张*"', _var_type=str), count=2)
    assert in_the_browser(words, {"who": "{name}（{count}）{name}"}) == "张*（2）张*"
