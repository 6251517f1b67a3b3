"""Published runs on a server: the same pages as `publish` writes, each run by itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from areaeffect.document.chart_tables import json_text
from areaeffect.document.folders import MANIFEST
from areaeffect.web import limits
from areaeffect.web.limits import ServerSettings, contact_of
from areaeffect.web.site_pages import Frame, publish
from tests.web.published import TOKEN, client, make_runs
from tests.web.test_publish import DAMAGES, FINDING, damage


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_runs(tmp_path_factory.mktemp("published") / "runs")


@pytest.fixture
def site(settings: ServerSettings, runs: Path) -> Iterator[TestClient]:
    with client(replace(settings, runs=runs, read_only=True)) as found:
        yield found


def test_a_server_shows_the_files_that_publish_writes(
    settings: ServerSettings, runs: Path, tmp_path: Path
) -> None:
    contact = contact_of("people@example.org")
    public = replace(settings, runs=runs, read_only=True, base_url="https://example.org", contact=contact)
    with client(public) as site:
        home = site.app.state.frame().home  # type: ignore[attr-defined]
        frame = Frame(contact=contact, base_url="https://example.org/runs", home=home)
        publish(runs, tmp_path / "site", frame)
        written = [p for p in (tmp_path / "site").rglob("*") if p.is_file()]
        for path in written:
            name = path.relative_to(tmp_path / "site").as_posix()
            if name != MANIFEST:
                answer = site.get(f"/runs/{name}")
                assert (answer.status_code, answer.content) == (200, path.read_bytes()), name
    assert len(written) > 200
    assert list(dict(home).values()) == ["/", "/help"], "no map is here to lead to"


def test_folders_lead_to_their_page(site: TestClient) -> None:
    assert site.get("/runs").url.path == "/runs/"
    assert site.get("/runs/county").url.path == "/runs/county/"
    assert site.get("/runs/county/").content == site.get("/runs/county/index.html").content
    assert site.get("/runs/nothing/").status_code == 404


def test_every_page_may_load_what_it_says_itself_and_is_framed_by_nobody(site: TestClient) -> None:
    for name in ("", "county/", FINDING, "county/report.html", "county/neighbourhoods/index.html"):
        policy = site.get(f"/runs/{name}").headers["content-security-policy"]
        assert "default-src 'none'; style-src 'sha256-" in policy, name
        assert policy.endswith("base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        assert "unsafe" not in policy
        assert "script-src" not in policy


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "data/../../secret.txt",
     "/etc/passwd", "data/map.json%00.csv", "data/link.csv", "study.toml", ".hidden",
     "DATA/findings.csv", "x" * 5000],
)  # fmt: skip
def test_no_path_leads_out_of_a_run(settings: ServerSettings, runs: Path, tmp_path: Path, path: str) -> None:
    own = tmp_path / "runs"
    shutil.copytree(runs, own)
    (own / "secret.txt").write_text("secret")
    (own / "county" / "study.toml").write_text("secret")
    (own / "county" / "data" / "link.csv").symlink_to(own / "secret.txt")
    with client(replace(settings, runs=own)) as site:
        answer = site.get(f"/runs/county/{path}")

    assert answer.status_code == 404
    assert "secret" not in answer.text
    assert len(answer.content) <= limits.ERROR_BYTES


def test_a_page_that_is_known_is_not_sent_again(site: TestClient) -> None:
    first = site.get("/runs/county/")
    again = site.get("/runs/county/", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]


def test_nothing_may_be_kept_by_a_cache_for_others(settings: ServerSettings, runs: Path) -> None:
    for extra in ({"read_only": True}, {"token": TOKEN}, {}):
        held = replace(settings, runs=runs, **extra)  # type: ignore[arg-type]
        with client(held) as site:
            for path in ("/", "/runs/", "/runs/county/report.pdf", "/static/app.css", "/nothing"):
                answer = site.get(path, auth=("any", TOKEN))
                assert answer.headers["cache-control"] in {"no-cache", "no-store"}, path


def test_addresses_are_never_made_of_what_a_request_says(settings: ServerSettings, runs: Path) -> None:
    public = replace(settings, runs=runs, read_only=True, base_url="https://example.org")
    forwarded = {
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "gopher",
        "forwarded": "host=evil.example",
    }
    with client(public) as site:
        for path in ("/runs/county/", "/runs/feed.atom", f"/runs/{FINDING}"):
            own = site.get(path)
            for host in ("example.org", "127.0.0.1:9", "localhost"):
                other = site.get(path, headers={"host": host} | forwarded)
                assert other.content == own.content, path
            assert site.get(path, headers={"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_run_is_named_and_breaks_no_page_of_another(
    settings: ServerSettings, runs: Path, tmp_path: Path, how: str
) -> None:
    own = tmp_path / "runs"
    shutil.copytree(runs, own)
    shutil.copytree(runs / "county", own / "bad")
    shutil.copytree(runs / "county", own / "not shown.html")
    damage(own / "bad", how)

    with client(replace(settings, runs=own)) as private:
        home, health = private.get("/").text, private.get("/health").json()
        for name in ("", "feed.atom", "county/", FINDING, "county/data/map.json"):
            assert private.get(f"/runs/{name}").status_code == 200, name
        assert private.get("/runs/bad/").status_code == 404
    with client(replace(settings, runs=own, read_only=True)) as public:
        shown = public.get("/").text + public.get("/runs/").text

    assert health == {"status": "ok", "runs": 1, "unreadable": 2}
    assert "<li>bad: " in home
    assert "<li>not shown.html: " in home
    assert "bad/index.html" not in shown
    assert "bad: " not in shown


def test_a_run_that_is_damaged_while_it_is_shown_says_so_on_its_own_page(
    settings: ServerSettings, runs: Path, tmp_path: Path
) -> None:
    own = tmp_path / "runs"
    shutil.copytree(runs, own)
    shutil.copytree(runs / "county", own / "other")
    with client(replace(settings, runs=own, read_only=True)) as site:
        assert site.get("/runs/county/").status_code == 200
        shutil.rmtree(own / "county" / "charts")
        gone = site.get("/runs/county/charts/all-initiatives-effects.svg")
        assert (gone.status_code, "damaged" in gone.text) == (503, True)
        assert site.get(f"/runs/{FINDING.replace('county', 'other')}").status_code == 200


def test_a_run_put_there_later_is_found_and_a_new_one_replaces_it(
    settings: ServerSettings, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOOK_AGAIN_SECONDS", -1.0)
    own = tmp_path / "later"
    own.mkdir()
    with client(replace(settings, runs=own, read_only=True)) as site:
        assert "No evaluation is published" in site.get("/runs/").text
        shutil.copytree(runs / "county", own / "county")
        assert site.get("/runs/county/").status_code == 200
        run = json.loads((own / "county" / "run.json").read_text())
        (own / "county" / "run.json").write_text(json_text(run | {"title": "Another"}, indent=1))
        assert site.get("/runs/county/").status_code == 404  # not as `evaluate` wrote it
        shutil.rmtree(own / "county")
        shutil.copytree(runs / "county", own / "county")
        assert site.get("/runs/county/").status_code == 200


def test_only_reading_is_possible(site: TestClient) -> None:
    for path in ("/runs", "/runs/county/", f"/runs/{FINDING}", "/runs/feed.atom"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert site.request(method, path).status_code in {404, 405}, (method, path)
    assert site.head("/runs/county/").status_code == 200


def test_health_and_robots(settings: ServerSettings, runs: Path, tmp_path: Path) -> None:
    with client(replace(settings, runs=runs, read_only=True)) as public:
        assert public.get("/health").json() == {"status": "ok", "runs": 1, "unreadable": 0}
        assert "Disallow: /\n" not in public.get("/robots.txt").text
    with client(replace(settings, runs=tmp_path / "gone", token=TOKEN)) as private:
        assert private.get("/health").status_code == 503
        assert private.get("/robots.txt").text.endswith("Disallow: /\n")
