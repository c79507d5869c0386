"""Machine-readable zones for tests: ICAO's specimens, and a writer that shares nothing with the parser."""

from __future__ import annotations

# ICAO 9303 part 4, appendix B; part 5, appendices B and E; part 6, appendices B and E.
TD3 = """\
P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<
L898902C36UTO7408122F1204159ZE184226B<<<<<10"""
TD1 = """\
I<UTOD231458907<<<<<<<<<<<<<<<
7408122F1204159UTO<<<<<<<<<<<6
ERIKSSON<<ANNA<MARIA<<<<<<<<<<"""
TD1_LONG = """\
I<UTOD23145890<7349<<<<<<<<<<<
3407127M9507122UTO<<<<<<<<<<<2
STEVENSON<<PETER<JOHN<<<<<<<<<"""
TD2 = """\
I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<
D231458907UTO7408122F1204159<<<<<<<6"""
TD2_LONG = """\
I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<
D23145890<UTO3407127M95071227349<<<8"""
SPECIMENS = {"td3": TD3, "td1": TD1, "td1_long": TD1_LONG, "td2": TD2, "td2_long": TD2_LONG}

ORDER = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def digit(text: str) -> str:
    """A check digit by the book: three sums with their weights."""
    values = [ORDER.find(character) if character != "<" else 0 for character in text]
    return str((7 * sum(values[0::3]) + 3 * sum(values[1::3]) + sum(values[2::3])) % 10)


def checked(text: str) -> str:
    return text + digit(text)


def write(
    kind: str,
    number: str,
    birth: str,
    sex: str,
    expiry: str,
    names: str,
    optional: str = "",
    state: str = "UTO",
) -> str:
    """A zone with numbers of up to nine characters; what is too long is cut."""
    state = state.ljust(3, "<")
    known, born, ends = checked(number.ljust(9, "<")), checked(birth), checked(expiry)
    if kind == "td3":
        rest = checked(optional[:14].ljust(14, "<"))
        composite = digit(known + born + ends + rest)
        first = ("P<" + state + names)[:44].ljust(44, "<")
        return f"{first}\n{known}{state}{born}{sex}{ends}{rest}{composite}"
    if kind == "td2":
        rest = optional[:7].ljust(7, "<")
        first = ("I<" + state + names)[:36].ljust(36, "<")
        return f"{first}\n{known}{state}{born}{sex}{ends}{rest}{digit(known + born + ends + rest)}"
    rest = optional[:15].ljust(15, "<")
    composite = digit(known + rest + born + ends + "<" * 11)
    second = f"{born}{sex}{ends}{state}{'<' * 11}{composite}"
    return f"I<{state}{known}{rest}\n{second}\n{names[:30].ljust(30, '<')}"
