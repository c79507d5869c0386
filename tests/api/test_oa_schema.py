"""The published description against the running routes: whatever is sent, the answer is one that the description knows (EV-06)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from app.api import v1_docs
from tests.api.gate import Gate
from tests.oa import Oa, issue

EXAMPLES = 25
SEED = 20261125
# A body may fit the description and still name a host who is not here: that is for 404, 409 and 422 to say.
CONFIG = {
    "checks": {
        "positive_data_acceptance": {"expected-statuses": [200, 201, 404, 409, 422]},
        "negative_data_rejection": {"expected-statuses": [401, 403, 404, 405, 413, 422]},
    }
}


class Signed(requests.auth.AuthBase):
    """Signs the very bytes that go out, as another system's library does."""

    def __init__(self, oa: Oa) -> None:
        self._oa = oa

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        data = body.encode() if isinstance(body, str) else bytes(body)
        request.headers.update(self._oa.sign(data))
        request.headers["Authorization"] = f"Bearer {self._oa.issued.bearer}"
        return request


def _without_security() -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(json.dumps(v1_docs.description()))
    for methods in spec["paths"].values():
        for operation in methods.values():
            del operation["security"]
    return spec


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()


@pytest.mark.req("EV-06")
def test_the_description_is_public_and_names_scopes_errors_and_signatures(gate: Gate) -> None:
    with httpx.Client(base_url=gate.url, trust_env=False, timeout=20) as client:
        spec = client.get("/api/v1/openapi.json").json()
        page = client.get("/api/v1/docs").text
    assert spec == json.loads(json.dumps(v1_docs.description()))
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            assert path in page
            assert operation["x-scope"]
            assert {"401", "403", "422"} <= set(operation["responses"])
            schemes = set(operation["security"][0])
            signed = {"webhook-id", "webhook-timestamp", "webhook-signature"}
            assert schemes == ({"bearer"} if method == "get" else {"bearer", *signed})
    assert "HTTPValidationError" not in str(spec)
    assert "<script" not in page
    assert "http" not in page.replace("httpx", "")


@pytest.mark.req("EV-06")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(
    ("method", "path"),
    [(method, path) for path, found in v1_docs.description()["paths"].items() for method in found],
)
def test_whatever_is_sent_is_answered_as_the_description_says(
    gate: Gate, method: str, path: str, mode: GenerationMode
) -> None:
    config = SchemathesisConfig.from_dict(CONFIG)
    # Who asks is the session's affair, so that each case is judged by what it asks.
    schema = schemathesis.openapi.from_dict(_without_security(), config=config)
    seen: Counter[int] = Counter()
    with httpx.Client(trust_env=False) as client, requests.Session() as session:
        session.trust_env, session.auth = False, Signed(Oa(client, issue(gate.world)))

        @seeded(SEED)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(schema[path][method.upper()].as_strategy(generation_mode=mode))
        def fits(case: Any) -> None:
            answer = case.call(base_url=gate.url, session=session)
            seen[answer.status_code] += 1
            case.validate_response(answer)

        fits()
    assert sum(seen.values()) >= 5, seen
    assert not [status for status in seen if status >= 500 or status in {401, 429}], seen
