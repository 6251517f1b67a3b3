"""What stands before every page: each limit refuses in few bytes and says what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from areaeffect.web import limits
from areaeffect.web.app import create_app, with_token
from areaeffect.web.safety import CONTENT_SECURITY_POLICY
from areaeffect.web.settings import Settings

HERE = "http://127.0.0.1:8321"


def client(settings: Settings) -> TestClient:
    return TestClient(create_app(settings), base_url=HERE, raise_server_exceptions=False)


@pytest.mark.parametrize("path", ["/", "/help"])
def test_pages_answer_on_an_empty_store_with_every_header(settings: Settings, path: str) -> None:
    answer = client(settings).get(path)

    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_start_page_lists_published_runs(settings: Settings, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "county"
    run.mkdir(parents=True)
    (run / "findings.json").write_text(json.dumps({"findings": []}))
    (run / "run.json").write_text(json.dumps({"title": "A county <b>"}))

    text = client(replace(settings, runs=tmp_path / "runs")).get("/").text

    assert 'href="/runs/county"' in text
    assert "A county &lt;b&gt;" in text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1/x"])
def test_another_name_for_this_machine_is_refused(settings: Settings, host: str) -> None:
    assert client(settings).get("/", headers={"host": host}).status_code in {400, 421}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_post_from_another_site_is_refused(settings: Settings, headers: dict[str, str]) -> None:
    answer = client(settings).post("/help", headers=headers)

    assert answer.status_code == 403
    assert len(answer.content) <= limits.ERROR_BYTES


def test_a_post_from_our_own_page_is_not(settings: Settings) -> None:
    assert client(settings).post("/help", headers={"origin": HERE}).status_code == 405


def test_a_body_over_its_cap_is_refused_whether_it_says_so_or_not(settings: Settings) -> None:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from areaeffect.web.safety import Safety

    async def reads(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(
        routes=[Route("/x", reads, methods=["POST"])],
        middleware=[Middleware(Safety, settings=settings)],
    )
    small = TestClient(app, base_url=HERE, raise_server_exceptions=False)
    block = b"x" * limits.MIB

    said = small.post("/x", content=block * 3)
    unsaid = small.post("/x", content=iter([block, block, block]))

    assert (said.status_code, unsaid.status_code) == (413, 413)
    assert max(len(said.content), len(unsaid.content)) <= limits.ERROR_BYTES
    assert small.post("/x", content=block * 2).text == str(2 * limits.MIB)


def test_a_long_address_is_refused(settings: Settings) -> None:
    answer = client(settings).get("/?q=" + "x" * limits.QUERY_BYTES)

    assert answer.status_code == 414
    assert len(answer.content) <= limits.ERROR_BYTES


def test_errors_have_one_shape_and_answer_in_kind(settings: Settings) -> None:
    page = client(settings).get("/nowhere/<script>")
    data = client(settings).get("/nowhere.json")

    assert page.status_code == data.status_code == 404
    assert "<script>" not in page.text
    assert "<h1>" in page.text
    assert set(data.json()["error"]) == {"status", "what", "where", "fix"}


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc"]
)
def test_no_path_leads_out_of_the_static_files(settings: Settings, path: str) -> None:
    assert client(settings).get(path).status_code == 404


def test_another_address_asks_for_a_token_and_gives_a_cookie_for_it(settings: Settings) -> None:
    guarded = with_token(replace(settings, host="0.0.0.0"))
    assert guarded.token

    without = client(guarded)
    assert without.get("/").status_code == 401
    assert without.get("/?token=wrong").status_code == 401
    bearer = {"authorization": f"Bearer {guarded.token}"}
    assert without.get("/", headers=bearer).status_code == 200

    first = without.get(f"/help?token={guarded.token}", follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/help")
    assert "HttpOnly" in first.headers["set-cookie"]
    assert without.get("/help").status_code == 200


def test_a_token_cannot_redirect_to_another_site(settings: Settings) -> None:
    guarded = replace(settings, token="word")

    answer = client(guarded).get("//evil.example/?token=word", follow_redirects=False)

    assert not answer.headers.get("location", "/").startswith("//")


def test_an_error_of_our_own_says_so_without_its_traceback(settings: Settings) -> None:
    from starlette.routing import Route

    def broken(_request: object) -> None:
        raise ZeroDivisionError

    app = create_app(settings)
    app.router.routes.append(Route("/broken", broken))
    answer = TestClient(app, base_url=HERE, raise_server_exceptions=False).get("/broken")

    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    assert "Try again" in answer.text
