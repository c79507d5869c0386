"""A script of commands for cards that carry their number in a file: written by an operator, checked before it is kept.

A step is a command in hex and, after an equals sign, the status words that are good (`9000` where none is given; `x` stands
for any digit, `|` for or). Steps are separated by semicolons or line breaks:

    00A4040007A0000002471001 = 9000|61xx ; 00B0820010
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_STEPS = 16
# Class, instruction, two parameters and, in the short form, length, 255 bytes of data and an expected length.
MIN_COMMAND, MAX_COMMAND = 4, 261
HEADER_BYTES = 4
MAX_NUMBER = 32
SUCCESS = "9000"
STATUS = re.compile(r"[0-9A-FX]{4}", re.ASCII)
# "1-8" of the last answer, "2:1-8" of the second step's; counted from 1, as people count.
WHERE = re.compile(r"(?:(\d{1,2}):)?(\d{1,3})-(\d{1,3})", re.ASCII)
NUMBER = re.compile(r"[0-9A-Z]+", re.ASCII)
ENCODINGS = frozenset({"ascii", "bcd", "hex"})
MORE, WRONG_LENGTH = 0x61, 0x6C
GET_RESPONSE = bytes.fromhex("00C00000")
# An answer in pieces; more than these are no number.
MAX_PIECES = 8


class ScriptError(Exception):
    """A script or what belongs to it is wrong; ``code`` says why, ``setting`` where."""

    def __init__(self, code: str, setting: str) -> None:
        super().__init__(code, setting)
        self.code = code
        self.setting = setting


class NotThisCard(Exception):
    """The card answers otherwise than the script wants: it is of another kind. ``code`` says what was wrong."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Step:
    """A command and the status words that let the script go on."""

    command: bytes = field(repr=False)
    good: tuple[re.Pattern[str], ...]

    def accepts(self, status: bytes) -> bool:
        """Whether this status is one of the good."""
        return any(pattern.fullmatch(status.hex().upper()) for pattern in self.good)


@dataclass(frozen=True, slots=True)
class CardScript:
    """What to ask, and where in the answers the number stands."""

    steps: tuple[Step, ...]
    step: int
    span: slice
    encoding: str
    strip: str

    def run(self, transmit: Callable[[bytes], bytes]) -> str:
        """The number on the card; NotThisCard where it has none. What ``transmit`` raises goes through."""
        answers = []
        for step in self.steps:
            answer = _ask(transmit, step)
            if not step.accepts(answer[-2:]):
                raise NotThisCard("status")
            answers.append(answer[:-2])
        return self._number(answers[self.step])

    def _number(self, answer: bytes) -> str:
        data = answer[self.span]
        wanted = None if self.span.stop is None else self.span.stop - self.span.start
        if not data or (wanted is not None and len(data) < wanted):
            raise NotThisCard("short")
        if self.encoding == "ascii":
            # Fields are padded with zero bytes, blanks or FF.
            text = data.rstrip(b"\0\xff ").decode("ascii", "replace").upper()
        else:
            text = data.hex().upper()
        if self.encoding == "bcd":
            text = text.rstrip("F")
        text = text.strip(f"{self.strip.upper()} ")
        bad = not NUMBER.fullmatch(text) or (self.encoding == "bcd" and not text.isdecimal())
        if bad or len(text) > MAX_NUMBER or len(set(text)) < 2:
            # Also a file that was never written: all zeros, all F.
            raise NotThisCard("no_number")
        return text


def parse(settings: Mapping[str, Any]) -> CardScript | None:
    """The script of a device's settings, None where there is none; ScriptError for the first mistake."""
    source = str(settings.get("script") or "")
    lines = [line.strip() for line in re.split(r"[;\n]", source) if line.strip()]
    where = str(settings.get("number_bytes") or "").replace(" ", "")
    if not lines:
        if where or settings.get("number_strip"):
            raise ScriptError("script_missing", "script")
        return None
    if len(lines) > MAX_STEPS:
        raise ScriptError("script_long", "script")
    steps = tuple(_step(line) for line in lines)
    step, span = _where(where, len(steps))
    encoding = str(settings.get("number_encoding") or "ascii")
    if encoding not in ENCODINGS:
        raise ScriptError("bad_choice", "number_encoding")
    return CardScript(steps, step, span, encoding, str(settings.get("number_strip") or ""))


def faults(settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with a device's script, as the registry words it."""
    try:
        parse(settings)
    except ScriptError as error:
        return [f"{error.code}:{error.setting}"]
    return []


def _step(line: str) -> Step:
    text, equals, status = line.partition("=")
    digits = re.sub(r"[\s:]", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]*", digits, re.ASCII):
        raise ScriptError("script_not_hex", "script")
    if len(digits) % 2:
        raise ScriptError("script_odd", "script")
    command = bytes.fromhex(digits)
    if not MIN_COMMAND <= len(command) <= MAX_COMMAND or not _fits(command):
        raise ScriptError("script_length", "script")
    wanted = [part.strip().upper() for part in status.split("|")] if equals else [SUCCESS]
    if not all(STATUS.fullmatch(part) for part in wanted):
        raise ScriptError("script_status", "script")
    return Step(command, tuple(re.compile(part.replace("X", "[0-9A-F]")) for part in wanted))


def _fits(command: bytes) -> bool:
    """Whether the length byte of a short command says what follows."""
    rest = len(command) - HEADER_BYTES
    return rest <= 1 or rest - 1 - command[HEADER_BYTES] in {0, 1}


def _where(text: str, steps: int) -> tuple[int, slice]:
    if not text:
        return steps - 1, slice(0, None)
    match = WHERE.fullmatch(text)
    if match is None:
        raise ScriptError("number_bytes_wrong", "number_bytes")
    step = int(match[1] or steps)
    first, last = int(match[2]), int(match[3])
    if not 1 <= step <= steps:
        raise ScriptError("number_step_wrong", "number_bytes")
    if not 1 <= first <= last <= 256:
        raise ScriptError("number_bytes_wrong", "number_bytes")
    return step - 1, slice(first - 1, last)


def _ask(transmit: Callable[[bytes], bytes], step: Step) -> bytes:
    """One answer, also of cards that give it in pieces (T=0) or name the right length first."""
    answer = _whole(transmit(step.command))
    if answer[-2] == WRONG_LENGTH and not step.accepts(answer[-2:]):
        answer = _whole(transmit(step.command[:HEADER_BYTES] + answer[-1:]))
    data = b""
    for _ in range(MAX_PIECES):
        if answer[-2] != MORE or step.accepts(answer[-2:]):
            break
        data += answer[:-2]
        answer = _whole(transmit(GET_RESPONSE + answer[-1:]))
    return data + answer


def _whole(answer: bytes) -> bytes:
    if len(answer) < 2:
        raise NotThisCard("short")
    return answer
