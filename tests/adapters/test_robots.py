"""Group robots: the form each service wants, its signature, and what its answers mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import parse_qs, urlsplit

import pytest

from app.adapters.messaging.robots import Robot, dingtalk_sign, feishu_sign
from app.core.outbox import Message, Outcome, Result
from app.domain.messages.letters import Letter
from tests.adapters.http_stub import stub
from tests.installation import FakeClock

LETTER = Letter("case_opened", "group", "", "案件 2026-0001", {})
MESSAGE = Message("m-1", "wecom", "case_opened", "site", {}, 1)
GOOD = {"wecom": {"errcode": 0, "errmsg": "ok"}, "dingtalk": {"errcode": 0}, "feishu": {"code": 0}}


def test_wecom_gets_a_text(fake_clock: FakeClock) -> None:
    with stub() as service:
        service.reply(body=GOOD["wecom"])
        assert Robot("wecom", service.url + "/send?key=k").send(MESSAGE, LETTER) == Outcome(Result.SENT)
    [asked] = service.asked
    assert asked.path == "/send?key=k"
    assert asked.json() == {"msgtype": "text", "text": {"content": "案件 2026-0001"}}


def test_dingtalk_gets_its_signature_in_the_address(fake_clock: FakeClock) -> None:
    with stub() as service:
        service.reply(body=GOOD["dingtalk"])
        robot = Robot("dingtalk", service.url + "/robot/send?access_token=t", "SEC1")
        assert robot.send(MESSAGE, LETTER).result is Result.SENT
    given = parse_qs(urlsplit(service.asked[0].path).query)
    stamp = str(int(fake_clock.now().timestamp() * 1000))
    expected = base64.b64encode(hmac.new(b"SEC1", f"{stamp}\nSEC1".encode(), hashlib.sha256).digest())
    assert given == {"access_token": ["t"], "timestamp": [stamp], "sign": [expected.decode()]}


def test_feishu_gets_its_signature_in_the_body(fake_clock: FakeClock) -> None:
    with stub() as service:
        service.reply(body=GOOD["feishu"])
        assert Robot("feishu", service.url + "/hook/x", "SEC2").send(MESSAGE, LETTER).result is Result.SENT
    body = service.asked[0].json()
    stamp = str(int(fake_clock.now().timestamp()))
    expected = base64.b64encode(hmac.new(f"{stamp}\nSEC2".encode(), b"", hashlib.sha256).digest()).decode()
    assert (body["timestamp"], body["sign"], body["content"]) == (stamp, expected, {"text": "案件 2026-0001"})


def test_signatures_do_not_change() -> None:
    assert (
        dingtalk_sign("1700000000000", "SECabc")
        == base64.b64encode(hmac.new(b"SECabc", b"1700000000000\nSECabc", "sha256").digest()).decode()
    )
    assert feishu_sign("1700000000", "demo") != feishu_sign("1700000001", "demo")


@pytest.mark.parametrize(
    ("kind", "body", "outcome"),
    [
        ("wecom", {"errcode": 45009}, Outcome(Result.LATER, "wecom_45009")),
        ("wecom", {"errcode": 93000}, Outcome(Result.FAILED, "wecom_93000")),
        ("dingtalk", {"errcode": 130101}, Outcome(Result.LATER, "dingtalk_130101")),
        ("dingtalk", {"errcode": 310000}, Outcome(Result.FAILED, "dingtalk_310000")),
        ("feishu", {"code": 9499}, Outcome(Result.LATER, "feishu_9499")),
        ("feishu", {"code": 19021}, Outcome(Result.FAILED, "feishu_19021")),
        ("feishu", {}, Outcome(Result.LATER, "answer_unreadable", doubtful=True)),
        ("wecom", b"[]", Outcome(Result.LATER, "answer_unreadable", doubtful=True)),
    ],
)
def test_what_an_answer_means(kind: str, body: object, outcome: Outcome, fake_clock: FakeClock) -> None:
    with stub() as service:
        service.reply(body=body)
        assert Robot(kind, service.url).send(MESSAGE, LETTER) == outcome


def test_the_address_of_a_robot_is_a_secret() -> None:
    assert "k3y" not in repr(Robot("wecom", "http://127.0.0.1/send?key=k3y", "s"))
