"""Every route of the app, under hostile words: no way out, no fault of our own, no long refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from areaeffect.errors import StudyError
from areaeffect.web import limits
from areaeffect.web.app import config_of, create_app
from areaeffect.web.limits import ServerSettings
from tests.web.published import HERE, make_runs

WORDS = (
    "../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/pyproject.toml",
    "....//....//secret",
    "a\r\nSet-Cookie: stolen=1",
    "a\x00b",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "=cmd|' /C calc'!A0",
    "ü" * 300,
    "\u202ecod.exe",
    "'; drop table areas; --",
    "9" * 5000,
    "%00",
    "%ff%fe",
)
HEADERS = (
    "content-security-policy",
    "permissions-policy",
    "x-content-type-options",
    "x-frame-options",
    "cache-control",
)


@pytest.fixture(scope="module", params=["for oneself", "published"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    place = tmp_path_factory.mktemp("hostile")
    (place / "secret").write_text("Open Sesame")
    settings = ServerSettings(store=place / "store", runs=make_runs(place / "runs"))
    if request.param == "published":
        settings = replace(settings, read_only=True)
    return create_app(settings)


@pytest.fixture
def site(app: Starlette) -> Iterator[TestClient]:
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as found:
        yield found


def addresses(routes: list[BaseRoute], before: str = "") -> Iterator[tuple[str, set[str]]]:
    for route in routes:
        if isinstance(route, Mount) and route.routes:
            yield from addresses(list(route.routes), before + route.path)
        elif isinstance(route, Mount):
            yield f"{before}{route.path}/{{path:path}}", {"GET"}
        elif isinstance(route, Route) or hasattr(route, "methods"):
            yield before + route.path, set(route.methods or {"GET"})


def filled(path: str, word: str) -> str:
    return re.sub(r"\{[^}]*\}", lambda _: quote(word, safe="%./"), path)


def test_hostile_words_in_addresses_and_queries_are_refused_or_are_text(
    app: Starlette, site: TestClient
) -> None:
    tried = 0
    for path, methods in sorted(addresses(list(app.routes)), key=lambda pair: pair[0]):
        if "GET" not in methods:
            continue
        asked = [filled(path, word) for word in WORDS] if "{" in path else []
        plain = filled(path, "county")
        asked += [f"{plain}?{quote(word)}={quote(word)}" for word in WORDS]
        asked += [f"{plain}?page={quote(word)}&run={quote(word)}" for word in WORDS]
        for address in asked:
            answer = site.get(address, follow_redirects=False)
            tried += 1
            assert answer.status_code < 500, address
            assert "Sesame" not in answer.text, address
            assert "root:" not in answer.text, address
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert "<script>alert" not in answer.text, address
            assert "set-cookie" not in answer.headers, address
            for name in HEADERS:
                assert name in answer.headers, (address, name)
            if answer.status_code >= 400:
                assert len(answer.content) <= limits.ERROR_BYTES, (address, answer.text[:300])
                assert answer.headers["cache-control"] == "no-store", address
    assert tried > 200


def test_every_address_that_changes_something_asks_where_the_request_came_from(
    app: Starlette, site: TestClient
) -> None:
    for path, methods in addresses(list(app.routes)):
        for method in methods - {"GET", "HEAD"}:
            for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
                answer = site.request(method, filled(path, "county"), headers=headers)
                assert answer.status_code == 403, (method, path)
                assert len(answer.content) <= limits.ERROR_BYTES


def test_no_address_answers_to_another_host(app: Starlette, site: TestClient) -> None:
    for path, _ in addresses(list(app.routes)):
        for host in ("evil.example", "127.0.0.1.evil.example", "127.0.0.1:8321@evil.example"):
            answer = site.get(filled(path, "county"), headers={"host": host})
            assert answer.status_code in {400, 421}, path


def test_a_server_for_reading_changes_nothing(tmp_path: Path) -> None:
    app = create_app(ServerSettings(store=tmp_path / "store", read_only=True))
    every = addresses(list(app.routes))
    changing = {path for path, methods in every if methods - {"GET", "HEAD", "OPTIONS"}}

    assert changing == {"/find/change", "/find/upload"}  # answer with an address, keep nothing


def test_who_asks_is_believed_from_the_named_proxy_alone(settings: ServerSettings) -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(f"{scope['scheme']} {scope['client'][0]}")
        raise StudyError([])

    told = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    for proxy, expected in (
        (None, "http 10.0.0.2"),
        ("10.0.0.2", "https 203.0.113.9"),
        ("10.0.0.0/8, 192.0.2.1", "https 203.0.113.9"),
        ("192.0.2.1", "http 10.0.0.2"),
    ):
        config = config_of(replace(settings, proxy=proxy), app)
        config.load()
        asked = TestClient(config.loaded_app, client=("10.0.0.2", 1), base_url=HERE)
        with pytest.raises(StudyError):
            asked.get("/", headers=told)
        assert seen.pop() == expected, proxy


@pytest.mark.parametrize("proxy", ["*", "proxy.example", "10.0.0.2;*", ""])
def test_proxies_are_named_by_their_addresses(settings: ServerSettings, proxy: str) -> None:
    with pytest.raises(StudyError, match="not the address of a proxy"):
        config_of(replace(settings, proxy=proxy), None)
