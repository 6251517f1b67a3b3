"""What stands before every page: each limit refuses in few bytes and says what to do."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from areaeffect.errors import StudyError
from areaeffect.web import limits
from areaeffect.web.app import create_app, with_token
from areaeffect.web.limits import ServerSettings
from areaeffect.web.safety import CONTENT_SECURITY_POLICY, RateLimit
from tests.web.published import HERE, TOKEN


def client(settings: ServerSettings) -> TestClient:
    return TestClient(create_app(settings), base_url=HERE, raise_server_exceptions=False)


@pytest.mark.parametrize("path", ["/", "/help"])
def test_pages_answer_on_an_empty_store_with_every_header(settings: ServerSettings, path: str) -> None:
    answer = client(settings).get(path)

    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    for rule in ("form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in CONTENT_SECURITY_POLICY
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1/x"])
def test_another_name_for_this_machine_is_refused(settings: ServerSettings, host: str) -> None:
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
def test_a_post_from_another_site_is_refused(settings: ServerSettings, headers: dict[str, str]) -> None:
    answer = client(settings).post("/help", headers=headers)

    assert answer.status_code == 403
    assert len(answer.content) <= limits.ERROR_BYTES


def test_a_post_from_our_own_page_is_not(settings: ServerSettings) -> None:
    assert client(settings).post("/help", headers={"origin": HERE}).status_code == 405


def test_a_body_over_its_cap_is_refused_whether_it_says_so_or_not(settings: ServerSettings) -> None:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from areaeffect.web.safety import Safety

    async def reads(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(
        routes=[Route("/x", reads, methods=["POST"])], middleware=[Middleware(Safety, settings=settings)]
    )
    small = TestClient(app, base_url=HERE, raise_server_exceptions=False)
    block = b"x" * limits.MIB

    said = small.post("/x", content=block * 3)
    unsaid = small.post("/x", content=iter([block, block, block]))

    assert (said.status_code, unsaid.status_code) == (413, 413)
    assert max(len(said.content), len(unsaid.content)) <= limits.ERROR_BYTES
    assert small.post("/x", content=block * 2).text == str(2 * limits.MIB)


def test_a_long_address_is_refused(settings: ServerSettings) -> None:
    answer = client(settings).get("/?q=" + "x" * limits.QUERY_BYTES)

    assert answer.status_code == 414
    assert len(answer.content) <= limits.ERROR_BYTES


def test_errors_have_one_shape_and_answer_in_kind(settings: ServerSettings) -> None:
    page = client(settings).get("/nowhere/<script>")
    data = client(settings).get("/nowhere.json")

    assert page.status_code == data.status_code == 404
    assert "<script>" not in page.text
    assert "<h1>" in page.text
    assert set(data.json()["error"]) == {"status", "what", "where", "fix"}


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc"]
)
def test_no_path_leads_out_of_the_static_files(settings: ServerSettings, path: str) -> None:
    assert client(settings).get(path).status_code == 404


def basic(word: str, name: str = "any") -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode()}


def test_another_address_asks_every_request_for_the_token(settings: ServerSettings) -> None:
    guarded = with_token(replace(settings, host="0.0.0.0"))
    assert guarded.token
    asking = client(guarded)

    without = asking.get("/help")
    assert (without.status_code, without.headers["www-authenticate"][:5]) == (401, "Basic")
    assert asking.get("/help", headers=basic(guarded.token)).status_code == 200
    bearer = {"authorization": f"Bearer {guarded.token}"}
    assert asking.get("/help", headers=bearer).status_code == 200
    assert asking.get("/help").status_code == 401  # nothing is remembered
    assert asking.get(f"/help?token={guarded.token}").status_code == 401
    assert asking.get("/help", headers={"cookie": f"token={guarded.token}"}).status_code == 401
    assert asking.get("/health").status_code == 200


def test_a_server_that_computes_nothing_asks_for_its_token_too(settings: ServerSettings) -> None:
    asking = client(replace(settings, read_only=True, token=TOKEN))

    assert [asking.get(path).status_code for path in ("/", "/runs/", "/static/app.css")] == [401] * 3
    assert asking.get("/", headers=basic(TOKEN)).status_code == 200


@pytest.mark.parametrize(
    "given",
    ["Basic", "Basic !!!", "Basic " + "A" * 5000, "Bearer", "Bearer \xe9", "Digest x", "basic eA==",
     f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Bearer {TOKEN.upper()}", f"Basic {TOKEN}"],
)  # fmt: skip
def test_anything_but_the_token_is_refused(settings: ServerSettings, given: str) -> None:
    asking = client(replace(settings, token=TOKEN))
    assert asking.get("/", headers={"authorization": given.encode("latin-1")}).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_who_guesses_on_any_path_is_stopped_and_nobody_else(settings: ServerSettings, scheme: str) -> None:
    app = create_app(replace(settings, token=TOKEN))
    guessing, other = (
        TestClient(app, base_url=HERE, client=(host, 1)) for host in ("192.0.2.1", "192.0.2.2")
    )
    right, wrong = {"authorization": f"Bearer {TOKEN}"}, {"authorization": f"{scheme} guess"}
    paths = ("/", "/runs/", "/compare", "/nothing")
    for number in range(limits.WRONG_TOKENS):
        assert guessing.get(paths[number % 4], headers=wrong).status_code == 401
    refused = guessing.get("/", headers=right)

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "900")
    assert guessing.get("/health").status_code == 200
    assert other.get("/", headers=right).status_code == 200


def test_asking_without_a_token_is_no_guess(settings: ServerSettings) -> None:
    asking = client(replace(settings, token=TOKEN))
    for _ in range(2 * limits.WRONG_TOKENS):
        assert asking.get("/").status_code == 401
    assert asking.get("/", headers=basic(TOKEN)).status_code == 200


@pytest.mark.parametrize("token", ["", " " * 20, "short", "x" * 15, "a word of many signs", "é" * 20])
@pytest.mark.parametrize("read_only", [True, False])
def test_a_token_that_guards_nothing_is_refused(
    settings: ServerSettings, token: str, read_only: bool
) -> None:
    with pytest.raises(StudyError, match="--token"):
        replace(settings, token=token, read_only=read_only)


def test_an_empty_variable_is_an_empty_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from areaeffect.cli_data import serve

    monkeypatch.setenv("AREAEFFECT_TOKEN", "")
    with pytest.raises(StudyError, match="the token is empty"):
        serve(store=tmp_path, token=None, read_only=True)


@pytest.mark.parametrize("text", ["example.org", "https://example.org/below", "https://a\r\nb"])
def test_a_public_address_is_one(settings: ServerSettings, text: str) -> None:
    with pytest.raises(StudyError, match="--base-url"):
        replace(settings, base_url=text)


def test_addresses_of_one_subscriber_are_counted_together() -> None:
    rate = RateLimit(2, 60.0)
    rate.count("2001:db8::1")
    rate.count("2001:db8::2")

    assert rate.is_spent("2001:db8::3")
    assert not rate.is_spent("2001:db8:0:1::1")
    assert not rate.is_spent("192.0.2.1")


def test_an_error_of_our_own_says_so_without_its_traceback(settings: ServerSettings) -> None:
    from starlette.routing import Route

    def broken(_request: object) -> None:
        raise ZeroDivisionError

    app = create_app(settings)
    app.router.routes.append(Route("/broken", broken))
    answer = TestClient(app, base_url=HERE, raise_server_exceptions=False).get("/broken")

    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    assert "Try again" in answer.text
