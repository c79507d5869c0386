"""A default install reaches no other host and loads nothing from one (EV-07).

An address that a manager switches on himself, such as a messenger's API, ends its line in ``# host: why``.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, files, is_marked, name_of, read, strings

FOLDERS = ("app", "components", "state", "hardware", "assets", "alembic", "tools", "rxconfig.py")
ASSETS = (
    ".js",
    ".jsx",
    ".mjs",
    ".ts",
    ".tsx",
    ".css",
    ".html",
    ".json",
    ".svg",
    ".webmanifest",
    ".toml",
    ".ini",
)
ADDRESS = re.compile(r"(?:https?|wss?|ftp)://([^\s/\"'`<>)\\]*)")
WITHOUT_SCHEME = re.compile(r"""(?:url\(\s*|src=|href=|@import\s+)["']?(//[\w-]+\.[\w.-]+)""")
COMMENT = re.compile(r"/\*.*?\*/|<!--.*?-->", re.DOTALL)
HERE = re.compile(r"(127\.\d+\.\d+\.\d+|localhost|0\.0\.0\.0|\[::1?\])(:.*)?")
EXAMPLE = re.compile(r"([\w-]+\.)*(example(\.\w+)?|test|invalid|localhost)(:\d+)?")
# Names of formats and licences, which nobody calls.
NAMES = {
    "www.w3.org", "json-schema.org", "spdx.org", "www.apache.org", "schemas.openxmlformats.org", "schemas.xmlsoap.org",
    "www.onvif.org", "docs.oasis-open.org", "ns.adobe.com", "purl.org",
}  # fmt: skip


def is_outside(host: str) -> bool:
    """Whether a host as written in an address belongs to somebody else; one that is filled in later does not."""
    host = host.rpartition("@")[2]
    if not host or host[0] in "{$%*" or "{" in host:
        return False
    return not (HERE.fullmatch(host) or EXAMPLE.fullmatch(host) or host.partition(":")[0] in NAMES)


def hosts_in_python(source: str) -> list[tuple[int, str]]:
    """Line and host of each outside address in strings; comments and docstrings may cite."""
    found = []
    for node in strings(ast.parse(source)):
        if not is_marked(source, node, "host"):
            found += [(node.lineno, host) for host in ADDRESS.findall(str(node.value)) if is_outside(host)]
    return found


def hosts_in_asset(text: str) -> list[str]:
    """Each outside host that a browser would be told of."""
    text = COMMENT.sub("", text)
    return [host for host in ADDRESS.findall(text) if is_outside(host)] + WITHOUT_SCHEME.findall(text)


@pytest.mark.req("EV-07")
def test_the_product_names_no_other_host() -> None:
    found = [
        f"{name_of(path)}:{line}: {host}"
        for path in files(*FOLDERS)
        for line, host in hosts_in_python(read(path))
    ]
    found += [
        f"{name_of(path)}: {host}"
        for path in files(*FOLDERS, suffixes=ASSETS)
        for host in hosts_in_asset(read(path))
    ]
    assert not found, "the product is whole without these:\n" + "\n".join(found)


def test_lock_files_hold_no_download_addresses() -> None:
    paths = [*Path(ROOT, "reflex.lock").glob("*.json"), *Path(ROOT, "requirements").glob("*.txt")]
    found = [
        name_of(path)
        for path in paths
        if re.search(r'"resolved":\s*"\w+://|(index-url|find-links|extra-index)', path.read_text("utf-8"))
    ]
    assert not found, "where packages come from is the machine's own setting"


def test_an_outside_host_is_found_and_ours_are_not() -> None:
    assert hosts_in_python("API = 'https://maps.vendor.cn/tile'") == [(1, "maps.vendor.cn")]
    assert hosts_in_python("API = f'https://cdn.vendor.cn/{name}'") == [(1, "cdn.vendor.cn")]
    assert hosts_in_python("API = 'https://cdn.vendor.cn'  # host: off until a manager enters the key") == []
    assert hosts_in_asset(
        "@import url(//fonts.vendor.cn/a.css); body { background: url('http://x.cn/b') }"
    ) == [
        "x.cn",
        "//fonts.vendor.cn",
    ]
    for fine in (
        "http://127.0.0.1:8080/",
        "http://localhost",
        "https://gate.example.com/x",
        "http://[::1]:1/",
        "http://",
    ):
        assert hosts_in_python(f"API = {fine!r}") == [], fine
    assert hosts_in_python("API = f'http://{host}:{port}/'") == []
    assert hosts_in_asset('<svg xmlns="http://www.w3.org/2000/svg"/>') == []
