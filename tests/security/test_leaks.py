"""Nothing about people where nobody expects it: compiled pages, logs, codes."""

from __future__ import annotations

import re

import pytest

from app.commands import frontend
from app.runtime import demo
from tests.e2e.server import Server

PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


@pytest.mark.req("RE-05")
def test_compiled_pages_hold_nobody() -> None:
    names = {name for _, name, _ in demo.RESIDENTS} | {name for _, name, _ in demo.STAFF}
    names |= {row[1] for row in (*demo.GUESTS, *demo.INSIDE, *demo.LEFT)}
    found = []
    for path in frontend.BUILT.rglob("*"):
        if path.suffix not in {".js", ".html", ".json", ".css", ".txt"}:
            continue
        text = path.read_text("utf-8", errors="replace")
        found += [(path.name, name) for name in names if name in text]
        found += [
            (path.name, hit) for hit in PHONE.findall(text) if "{" not in hit and path.suffix == ".html"
        ]
    assert not found


@pytest.mark.req("RE-05")
def test_the_log_names_nobody(server: Server) -> None:
    backstage = server.backstage
    host = backstage.account(roles=["resident"], name="欧阳询问", phone="13712345678", unit="日志楼 1")
    guest = backstage.guest(host=host["username"], name="慕容长安", phone="13787654321")
    lane = backstage.lane()
    code = backstage.code(booking=guest["booking"])
    with server.client(headers={"Authorization": f"Bearer {lane['key']}"}) as client:
        for text in (code, "x" * 150, backstage.code(booking=guest["booking"], kind="forged")):
            body = {"kind": "code", "text": text, "nonce": f"leak-{hash(text) % 10**9:012}"}
            client.post(f"/api/v1/lanes/{lane['lane']}/present", json=body)
    with server.client() as client:
        client.post("/api/session", data={"username": host["username"], "password": "falsch-Falsch-1"})
        client.post("/api/visitor/open", data={"link": guest["link"], "phone_tail": "0000"})
        client.get(f"/v/{guest['link']}")
    log = server.log_text()
    secrets = (
        "欧阳询问", "慕容长安", "13712345678", "13787654321", code, guest["link"], host["cookie"], lane["key"],
        host["password"], "falsch-Falsch-1",
    )  # fmt: skip
    assert not [word for word in secrets if word in log]
    assert not PHONE.search(log)
