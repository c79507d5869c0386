"""The description of the API for other systems: as OpenAPI, and as a page of our own that loads nothing.

It says what anybody can read in the source, so it is public; it names no site and no person.
"""

from __future__ import annotations

import json
from functools import lru_cache
from html import escape
from typing import Any

from fastapi import Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse

from app.api import v1_bookings, v1_directory
from app.api.access import router
from app.core.permissions import Right, needs, right_of

routes = router("/api/v1")

VERSION = "1"
ABOUT = (
    "Bookings and directory of one site. Every request carries the bearer of a key; every request that changes something is "
    "signed by the Standard Webhooks specification over its exact bytes, with the signing secret of the same key. "
    "A message id that comes again, or an Idempotency-Key with the same body, is answered from the record for seven days "
    "and has no further effect. An older version after a newer one changes nothing and is answered with `stale: true`. "
    "Errors are codes, with words in the language of Accept-Language."
)
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
SIGNED_WORDS = {
    "webhook-id": "Your own id of the message, up to 100 characters, new for each message.",
    "webhook-timestamp": "Seconds since 1970; at most five minutes from ours.",
    "webhook-signature": "v1, and the base64 of HMAC-SHA256 over `id.timestamp.body`; several are separated by spaces.",
}
STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code,pre{font:14px/1.5 ui-monospace,monospace}pre{overflow:auto;padding:.75rem;border:1px solid;border-radius:6px}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;"
    "border-bottom:1px solid #8886}section{margin:2.5rem 0}h2 code{font-size:1em;overflow-wrap:anywhere}.wide{overflow:auto}"
)


@lru_cache(maxsize=1)
def description() -> dict[str, Any]:
    """The API as OpenAPI 3.1."""
    found = [*v1_bookings.routes.routes, *v1_directory.routes.routes]
    made = get_openapi(title="Gatehouse", version=VERSION, description=ABOUT, routes=found)
    schemes = {"bearer": {"type": "http", "scheme": "bearer", "description": "A key of the console."}}
    for name in SIGNED:
        schemes[name] = {"type": "apiKey", "in": "header", "name": name, "description": SIGNED_WORDS[name]}
    made["components"]["securitySchemes"] = schemes
    scopes = {(route.path, method): right_of(route.endpoint) for route in found for method in route.methods}  # type: ignore[attr-defined]
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            names = ["bearer"] if method == "get" else ["bearer", *SIGNED]
            operation["security"] = [{name: [] for name in names}]
            operation["x-scope"] = str(scopes[path, method.upper()])
            operation["operationId"] = operation["operationId"].split("_api_v1")[0]
    return made


@routes.get("/openapi.json")
@needs(Right.PUBLIC)
async def openapi() -> JSONResponse:
    """The description for programs."""
    return JSONResponse(description())


@routes.get("/docs")
@needs(Right.PUBLIC)
async def page() -> Response:
    """The description for people."""
    return HTMLResponse(readable())


@lru_cache(maxsize=1)
def readable() -> str:
    """The description as one page without a script, a font or a picture."""
    spec = description()
    parts = [f"<h1>Gatehouse API {escape(spec['info']['version'])}</h1>"]
    parts.append(f"<p>{_words(spec['info']['description'])}</p>")
    parts.append('<p>For programs: <a href="openapi.json">openapi.json</a></p>')
    rows = [(f"<code>{name}</code>", _words(words)) for name, words in SIGNED_WORDS.items()]
    parts.append("<h2>Signature</h2>" + _table(("Header", "What it holds"), rows))
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(method, path, operation))
    parts.append("<h2>Bodies</h2>")
    for name, schema in spec["components"]["schemas"].items():
        parts.append(_schema(name, schema))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Gatehouse API</title>'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<style>{STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    head = f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    words = f"<p>{_words(operation.get('description', ''))}</p>"
    scope = f"<p>Scope: <code>{escape(operation['x-scope'])}</code></p>"
    given = [
        (f"<code>{escape(p['name'])}</code>", f"{escape(p['in'])}. {_words(p.get('description', ''))}")
        for p in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in body:
        given.append(("body", _link(body)))
    answers = []
    for status, answer in operation["responses"].items():
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        link = _link(schema) if "$ref" in schema else ""
        answers.append((f"<code>{escape(status)}</code>", f"{_words(answer['description'])} {link}"))
    return (
        f"<section>{head}{words}{scope}{_table(('Given', 'What it is'), given)}"
        f"{_table(('Status', 'When'), answers)}</section>"
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    needed = set(schema.get("required", ()))
    rows = []
    for field, kind in schema.get("properties", {}).items():
        must = " (required)" if field in needed else ""
        rows.append(
            (f"<code>{escape(field)}</code>{must}", f"{_kind(kind)} {_words(kind.get('description', ''))}")
        )
    words = f"<p>{_words(schema.get('description', ''))}</p>"
    anchor = escape(name, quote=True)
    return f'<section id="{anchor}"><h3>{escape(name)}</h3>{words}{_table(("Field", "What it is"), rows)}</section>'


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _link(schema)
    if "anyOf" in schema:
        return " or ".join(_kind(part) for part in schema["anyOf"])
    kind = escape(str(schema.get("format") or schema.get("type", "")))
    inner = f" of {_kind(schema['items'])}" if "items" in schema else ""
    example = schema.get("examples", [None])[0]
    shown = (
        f", such as <code>{escape(json.dumps(example, ensure_ascii=False))}</code>"
        if example is not None
        else ""
    )
    return f"{kind}{inner}{shown}."


def _link(schema: dict[str, Any]) -> str:
    name = escape(schema["$ref"].rpartition("/")[2], quote=True)
    return f'<a href="#{name}">{name}</a>'


def _table(heads: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    body = "".join(f"<tr><td>{left}</td><td>{right}</td></tr>" for left, right in rows)
    return f'<div class="wide"><table><tr><th>{heads[0]}</th><th>{heads[1]}</th></tr>{body}</table></div>'


def _words(text: str) -> str:
    """Text with its code marked as code."""
    parts = escape(" ".join(text.split())).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
