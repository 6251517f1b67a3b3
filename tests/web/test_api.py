"""The JSON API: described by OpenAPI, one shape of error, the same rules as the pages."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from areaeffect.web import limits
from areaeffect.web.settings import Settings
from tests.web.small_atlas import client

ASKED = {"areas": ["T010", "T009"], "start": "2013-01", "name": "Abbey", "placebos": 199}
#: Generated cases of each operation; `make soak` asks for many more.
SLOWEST: dict[str, float] = {}
CASES = int(os.environ.get("AREAEFFECT_API_CASES", "4"))


@pytest.fixture(scope="module")
def api(tiny: Settings) -> TestClient:
    return client(tiny)


def wait(api: TestClient, key: str) -> dict[str, object]:
    until = time.monotonic() + 60
    while (standing := api.get(f"/api/runs/{key}").json())["state"] in ("waiting", "running"):
        assert time.monotonic() < until
        time.sleep(0.05)
    return dict(standing)


def test_sources_and_areas_can_be_listed(api: TestClient) -> None:
    (source,) = api.get("/api/sources").json()
    assert source["base"] == "tiny"
    assert source["areas"] == 48
    assert source["outcomes"][0]["family"] == "crime"
    (found,) = api.get("/api/areas?q=PLOT 009").json()["areas"]
    assert found == {
        "code": "T009",
        "name": "Plot 009",
        "ward": "Ward 1",
        "authority": "Northmarsh",
    }
    assert len(api.get("/api/areas?q=northmarsh&limit=7").json()["areas"]) == 7
    assert len(api.get("/api/areas").json()["areas"]) == 20
    nothing = api.get("/api/areas?q=zzz").json()
    assert nothing["areas"] == []
    assert nothing["hint"]


def test_a_question_goes_the_same_way_as_on_the_pages(api: TestClient) -> None:
    asked = api.post("/api/runs", json=ASKED)
    assert asked.status_code == 202
    key = asked.json()["key"]
    assert asked.headers["location"] == f"/api/runs/{key}"
    early = api.post(f"/api/runs/{key}/answer")
    assert early.status_code in (202, 409)  # 409 unless it was very quick
    wait(api, key)
    assert api.get(f"/api/runs/{key}/findings").status_code == 404 or early.status_code == 202
    chosen = api.get(f"/api/runs/{key}/benchmark-areas").json()["designs"][0]
    assert chosen["areas"] == ["T009", "T010"]
    assert api.get(f"/api/runs/{key}/power").json()["rows"]
    assert api.post(f"/api/runs/{key}/answer").status_code == 202
    assert wait(api, key)["state"] == "done"
    found = api.get(f"/api/runs/{key}/findings").json()
    assert found["exploratory"] is True
    assert {f["family"] for f in found["findings"]} >= {"crime", "empty_homes"}
    assert api.post("/api/runs", json=ASKED).json()["key"] == key
    assert client_key(api, key) == key


def client_key(api: TestClient, key: str) -> str:
    form = {"areas": "T009,T010", "start": "2013-01", "name": "Abbey", "placebos": "199"}
    return api.post("/compare", data=form).headers["location"].removeprefix("/compare/")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/nothing", None, 404),
        ("GET", "/api/runs/0", None, 422),
        ("GET", f"/api/runs/{'0' * 20}", None, 404),
        ("PUT", "/api/sources", None, 405),
        ("GET", f"/api/areas?q={'x' * 101}", None, 422),
        ("GET", "/api/areas?base=other", None, 404),
        ("POST", "/api/runs", {}, 422),
        ("POST", "/api/runs", {**ASKED, "areas": []}, 422),
        ("POST", "/api/runs", {**ASKED, "areas": ["T009"] * 200_000}, 422),
        ("POST", "/api/runs", {**ASKED, "areas": ["\N{PILE OF POO}" * 500]}, 422),
        ("POST", "/api/runs", {**ASKED, "start": "2099-01"}, 422),
        ("POST", "/api/runs", {**ASKED, "placebos": 10**6}, 422),
        ("POST", "/api/runs", {**ASKED, "name": "=1+1"}, 422),
        ("POST", "/api/runs", {**ASKED, "secret": 1}, 422),
        ("DELETE", f"/api/runs/{'0' * 20}", None, 404),
    ],
)
def test_every_error_has_one_small_shape(
    api: TestClient, method: str, path: str, body: object, status: int
) -> None:
    answer = api.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert len(answer.content) <= limits.ERROR_BYTES
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"status", "what", "where", "fix"}
    assert answer.json()["error"]["status"] == status


def test_a_body_over_the_cap_is_refused(api: TestClient) -> None:
    answer = api.post("/api/runs", content=b"x" * (limits.POST_BYTES + 1))
    assert answer.status_code == 413
    assert len(answer.content) <= limits.ERROR_BYTES


def test_the_api_is_described_and_its_paths_are_those_of_the_description(api: TestClient) -> None:
    paths = api.get("/api/openapi.json").json()["paths"]
    assert {"/sources", "/areas", "/runs", "/runs/{key}", "/runs/{key}/findings"} <= set(paths)


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_generated_requests_find_no_fault(
    tiny: Settings, serving: Callable[[Settings], str], mode: str
) -> None:
    """Requests that the description allows, and that it forbids: no crash, no other answer."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, seed
    from hypothesis import settings as effort
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    address = serving(tiny)
    schema = schemathesis.openapi.from_url(f"{address}/api/openapi.json")
    tried = 0

    def send(case: schemathesis.Case) -> None:
        nonlocal tried
        tried += 1
        began = time.monotonic()
        answer = case.call(headers={"origin": address})
        # codes of the right form need not be areas of these data: 422 says so
        case.validate_response(answer, excluded_checks=[positive_data_acceptance])
        if answer.status_code >= 400:
            assert len(answer.content) <= limits.ERROR_BYTES
            assert set(answer.json()["error"]) == {"status", "what", "where", "fix"}
            SLOWEST[mode] = max(SLOWEST.get(mode, 0.0), time.monotonic() - began)

    for result in schema.get_all_operations():
        operation = result.ok()
        generated = operation.as_strategy(generation_mode=GenerationMode(mode))
        limited = effort(
            max_examples=CASES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        if mode == "negative" and operation.full_path.endswith("/sources"):
            continue  # it takes nothing, so nothing sent to it can be wrong
        limited(seed(1)(given(generated)(send)))()
    print(f"{mode}: {tried} cases, slowest refusal {1000 * SLOWEST.get(mode, 0):.0f} ms")  # noqa: T201  # read by `make soak`
    assert tried >= 3 * CASES
