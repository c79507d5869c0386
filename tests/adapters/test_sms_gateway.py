"""Any gateway with an HTTP interface: what its answers mean, and that nobody gets a text message twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.adapters.messaging import http
from app.adapters.messaging.sms_gateway import SmsGateway, load
from app.core.outbox import Message, Outcome, Result
from app.core.settings import SettingError
from app.domain.messages.letters import Letter
from tests.adapters.http_stub import SILENCE, Asked, Reply, Stub, stub

PHONE, WORDS = "13800138001", '门岗"您好"\n{phone} & 100%'
LETTER = Letter("pass_link", PHONE, "", WORDS, {"name": "周*", "link": "x"})
FILE = """
[send]
url = "{url}/send"
code = "Code"
success = ["OK"]
retry = ["isv.BUSINESS_LIMIT_CONTROL"]
receipt = "data.0.BizId"
headers = {{ Authorization = "Bearer {{secret}}" }}
json = {{ to = ["{{phone}}"], text = "{{text}}", out_id = "{{id}}", template = "{{template}}", params = "{{params}}", n = 1 }}

[query]
url = "{url}/receipts/{{id}}?phone={{phone}}"
method = "GET"
code = "state"
success = ["delivered", "accepted"]
unknown = ["none"]
receipt = "biz"

[templates]
pass_link = "SMS_100"
"""


@pytest.fixture
def gateway() -> Iterator[Stub]:
    with stub() as made:
        yield made


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http.ask, "__defaults__", (0.3,))


def described(gateway: Stub, tmp_path: Path, text: str = FILE) -> SmsGateway:
    path = tmp_path / "sms.toml"
    path.write_text(text.format(url=gateway.url), "utf-8")
    return load(path, "s3cret")


def message(*, doubtful: bool = False) -> Message:
    return Message("m-1", "sms", "pass_link", "site", {}, 1, doubtful)


def test_a_message_is_sent_as_described_and_its_receipt_kept(gateway: Stub, tmp_path: Path) -> None:
    gateway.reply(body={"Code": "OK", "data": [{"BizId": "9001^0"}]})
    assert described(gateway, tmp_path).send(message(), LETTER) == Outcome(Result.SENT, receipt="9001^0")
    [asked] = gateway.asked
    assert (asked.method, asked.path, asked.headers["Authorization"]) == ("POST", "/send", "Bearer s3cret")
    body = asked.json()
    # Whatever stands in a value stays inside its text: no quote ends it, no brace is looked into.
    assert (body["to"], body["text"], body["out_id"], body["n"]) == ([PHONE], WORDS, "m-1", 1)
    assert (body["template"], body["params"]) == ("SMS_100", '{"link": "x", "name": "周*"}')


def test_values_in_an_address_and_in_a_form_are_quoted(gateway: Stub, tmp_path: Path) -> None:
    text = """
[send]
url = "{url}/send?text={{text}}"
code = "code"
success = [0]
form = {{ mobile = "{{phone}}", content = "{{text}}" }}
"""
    gateway.reply(body={"code": 0})
    assert described(gateway, tmp_path, text).send(message(), LETTER).result is Result.SENT
    [asked] = gateway.asked
    assert parse_qs(urlsplit(asked.path).query)["text"] == [WORDS]
    assert parse_qs(asked.body.decode()) == {"mobile": [PHONE], "content": [WORDS]}


@pytest.mark.parametrize(
    ("status", "body", "headers", "outcome"),
    [
        (200, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}, {}, Outcome(Result.FAILED, "gateway_isv.MOBILE_NUMBER_ILLEGAL")),
        (200, {"Code": "isv.BUSINESS_LIMIT_CONTROL"}, {}, Outcome(Result.LATER, "gateway_isv.BUSINESS_LIMIT_CONTROL")),
        (200, {"Code": f"不行 {PHONE}"}, {}, Outcome(Result.FAILED, "gateway____" + PHONE)),
        (200, b"<html>", {}, Outcome(Result.LATER, "answer_unreadable", doubtful=True)),
        (200, {"other": 1}, {}, Outcome(Result.LATER, "answer_unreadable", doubtful=True)),
        (200, b"x" * 70_000, {}, Outcome(Result.LATER, "answer_endless", doubtful=True, reached=False)),
        (400, {}, {}, Outcome(Result.FAILED, "http_400")),
        (401, {}, {}, Outcome(Result.LATER, "http_401", reached=False)),
        (302, {}, {"location": "http://127.0.0.1:9/"}, Outcome(Result.FAILED, "http_302")),
        (429, {}, {"retry_after": "90"}, Outcome(Result.LATER, "http_429", retry_after=timedelta(seconds=90), reached=False)),
        (429, {}, {"retry_after": "soon"}, Outcome(Result.LATER, "http_429", reached=False)),
        (500, {}, {}, Outcome(Result.LATER, "http_500", doubtful=True, reached=False)),
    ],
)  # fmt: skip
def test_what_an_answer_means(
    gateway: Stub, tmp_path: Path, status: int, body: object, headers: dict[str, str], outcome: Outcome
) -> None:
    gateway.reply(status, body, **headers)
    assert described(gateway, tmp_path).send(message(), LETTER) == outcome
    assert len(gateway.asked) == 1


def test_a_gateway_that_is_not_there_leaves_no_doubt(gateway: Stub, tmp_path: Path) -> None:
    made = described(gateway, tmp_path)
    gateway.over.set()
    gone = FILE.replace("{url}/send", "http://127.0.0.1:9/send")
    made = described(gateway, tmp_path, gone)
    assert made.send(message(), LETTER) == Outcome(Result.LATER, "unreachable", reached=False)


class Operator:
    """A gateway that sends whatever it is handed, again and again, and can be asked what it has."""

    def __init__(self, *, silent_first: bool) -> None:
        self.phones: list[str] = []
        self.ids: set[str] = set()
        self.silent = silent_first

    def __call__(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            known = urlsplit(asked.path).path.rsplit("/", 1)[1] in self.ids
            return 200, {}, b'{"state": "delivered", "biz": "b-7"}' if known else b'{"state": "none"}'
        body = asked.json()
        self.phones += body["to"]
        self.ids.add(body["out_id"])
        if self.silent:
            self.silent = False
            return SILENCE
        return 200, {}, b'{"Code": "OK"}'


@pytest.mark.req("EV-06")
def test_a_message_that_was_sent_without_an_answer_is_not_sent_again(gateway: Stub, tmp_path: Path) -> None:
    operator = gateway.answer = Operator(silent_first=True)
    made = described(gateway, tmp_path)
    first = made.send(message(), LETTER)
    assert first == Outcome(Result.LATER, "timeout", doubtful=True, reached=False)
    assert made.send(message(doubtful=True), LETTER) == Outcome(Result.SENT, receipt="b-7")
    assert operator.phones == [PHONE]


def test_a_message_in_doubt_that_the_gateway_never_had_is_sent(gateway: Stub, tmp_path: Path) -> None:
    operator = gateway.answer = Operator(silent_first=False)
    assert described(gateway, tmp_path).send(message(doubtful=True), LETTER).result is Result.SENT
    assert operator.phones == [PHONE]


@pytest.mark.parametrize("reply", [SILENCE, (500, {}, b""), (200, {}, b"garbage")])
def test_while_the_receipt_cannot_be_learnt_nothing_is_sent(
    gateway: Stub, tmp_path: Path, reply: Reply
) -> None:
    gateway.replies.append(reply)
    outcome = described(gateway, tmp_path).send(message(doubtful=True), LETTER)
    assert (outcome.result, outcome.error, outcome.doubtful) == (Result.LATER, "receipt_unknown", True)
    assert [asked.method for asked in gateway.asked] == ["GET"]


def test_a_gateway_that_cannot_be_asked_gets_nothing_twice(gateway: Stub, tmp_path: Path) -> None:
    alone = FILE[: FILE.index("[query]")]
    outcome = described(gateway, tmp_path, alone).send(message(doubtful=True), LETTER)
    assert outcome == Outcome(Result.FAILED, "doubtful", doubtful=True)
    assert gateway.asked == []


def test_a_gateway_that_knows_ids_it_has_seen_may_be_handed_one_again(gateway: Stub, tmp_path: Path) -> None:
    gateway.reply(body={"Code": "OK"})
    made = described(gateway, tmp_path, "idempotent = true\n" + FILE)
    assert made.send(message(doubtful=True), LETTER).result is Result.SENT


@pytest.mark.parametrize(
    ("found", "put"),
    [
        ('url = "{url}/send"', 'url = "ftp://127.0.0.1/"'),
        ('url = "{url}/send"', 'url = "http://{{phone}}.local/"'),
        ('code = "Code"', ""),
        ("{{text}}", "{{nobody}}"),
        ("{{text}}", "{{text.__class__}}"),
        ("[send]", "[send"),
        ('method = "GET"', 'method = "DELETE"'),
    ],
)
def test_a_description_that_is_wrong_stops_the_start(
    gateway: Stub, tmp_path: Path, found: str, put: str
) -> None:
    assert found in FILE
    with pytest.raises(SettingError, match=r"sms\.toml"):
        described(gateway, tmp_path, FILE.replace(found, put, 1))


def test_neither_number_nor_secret_nor_words_show_in_a_repr(gateway: Stub, tmp_path: Path) -> None:
    shown = repr(described(gateway, tmp_path)) + repr(LETTER)
    assert PHONE not in shown
    assert "s3cret" not in shown
    assert "周" not in shown
