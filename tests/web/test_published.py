"""Published runs: every page has its data under the same address, and tells caches the truth."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from areaeffect.document.csv_files import json_text
from areaeffect.web import limits
from areaeffect.web.settings import Settings
from tests.shared.sample_result import HOSTILE, N_NEIGHBOURHOODS
from tests.web.published import client, make_runs

FINDING = "/runs/county/findings/all-initiatives-crime-change-ratio"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_runs(tmp_path_factory.mktemp("published") / "runs")


@pytest.fixture
def site(settings: Settings, runs: Path) -> Iterator[TestClient]:
    with client(replace(settings, runs=runs, read_only=True)) as found:
        yield found


def place(site: TestClient) -> str:
    listed = site.get("/runs/county/neighbourhoods.json").json()["neighbourhoods"]
    return str(next(p["page"] for p in listed if p["neighbourhood"] == HOSTILE))


def test_every_page_has_its_data_at_the_same_address(site: TestClient) -> None:
    addresses = ["/runs", "/runs/county", FINDING, "/runs/county/neighbourhoods", place(site)]
    addresses += ["/runs/county/tables/findings", "/runs/county/tables/events"]
    for address in addresses:
        page, data, table = (site.get(address + end) for end in ("", ".json", ".csv"))
        assert (page.status_code, data.status_code, table.status_code) == (200, 200, 200), address
        assert page.headers["content-type"].startswith("text/html")
        assert data.json()
        assert len(list(csv.reader(io.StringIO(table.text)))) > 1, address
        assert f'href="{address}.csv"' in page.text, address
        assert f'href="{address}.json"' in page.text, address


def test_a_table_is_the_same_as_page_json_and_csv(site: TestClient) -> None:
    address = "/runs/county/tables/findings"
    rows = site.get(f"{address}.json").json()["rows"]
    table = list(csv.DictReader(io.StringIO(site.get(f"{address}.csv").text)))
    stored = site.get("/runs/county/files/findings.json").json()["findings"]

    assert len(rows) == len(table) == len(stored)
    assert [r["estimate"] for r in rows] == [f["estimate"] for f in stored]
    assert [float(r["estimate"]) if r["estimate"] else None for r in table] == [
        f["estimate"] for f in stored
    ]
    assert site.get(f"{address}.csv-metadata.json").json()["url"] == "findings.csv"
    assert f"{rows[0]['estimate']}" in site.get(address).text


def test_a_long_table_has_pages(site: TestClient) -> None:
    address = "/runs/county/tables/areas"
    many = len(site.get(f"{address}.json").json()["rows"])
    pages = -(-many // limits.ROWS_A_PAGE)

    assert pages > 1
    assert f"Page 1 of {pages}" in site.get(address).text
    assert site.get(f"{address}?page={pages}").status_code == 200
    assert site.get(f"{address}?page={pages + 1}").status_code == 404
    assert site.get(f"{address}?page=0").status_code == 400


def test_a_finding_says_its_sentence_and_what_it_does_not_mean(site: TestClient) -> None:
    text = site.get(FINDING).text
    finding = site.get(f"{FINDING}.json").json()["finding"]

    assert finding["sentence"] in text
    assert "What you cannot say" in text
    assert "should not be taken to mean" in text
    assert "no effect" not in text.lower()


def test_every_number_of_the_list_of_runs_is_counted_again(site: TestClient) -> None:
    (row,) = site.get("/runs.json").json()["runs"]
    keys = set(re.findall(r"/runs/county/findings/([a-z0-9-]+)", site.get("/runs/county").text))
    verdicts = [site.get(f"/runs/county/findings/{k}.json").json() for k in sorted(keys)]

    assert row["better"] == sum(v["finding"]["verdict"] == "better" for v in verdicts)
    counted = ("better", "worse", "little_difference", "cannot_tell", "not_estimable")
    assert sum(row[name] for name in counted) == len(keys) > 0


def test_neighbourhoods_are_listed_and_drawn(site: TestClient) -> None:
    listed = site.get("/runs/county/neighbourhoods.json").json()["neighbourhoods"]
    address = place(site)

    assert len(listed) <= N_NEIGHBOURHOODS["Residents First"] + 12
    assert site.get(address).text.count("<h1>") == 1
    assert "cannot tell" in site.get(address).text.lower()
    assert site.get(f"{address}-not").status_code == 404


def test_the_report_is_given_as_it_is_and_may_use_its_own_style_alone(
    site: TestClient, runs: Path
) -> None:
    answer = site.get("/runs/county/files/report.html")
    policy = answer.headers["content-security-policy"]

    assert answer.content == (runs / "county" / "report.html").read_bytes()
    assert "style-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "data/../../secret.txt",
        "data/%2e%2e/%2e%2e/secret.txt",
        "/etc/passwd",
        "data/map.json%00.csv",
        "data/link.csv",
        "study.toml",
        ".hidden",
        "DATA/findings.csv",
    ],
)
def test_no_path_leads_out_of_a_run(site: TestClient, runs: Path, path: str) -> None:
    (runs / "secret.txt").write_text("secret")
    (runs / "county" / "study.toml").write_text("secret")
    link = runs / "county" / "data" / "link.csv"
    if not link.exists():
        link.symlink_to(runs / "secret.txt")

    answer = site.get(f"/runs/county/files/{path}")
    link.unlink()

    assert answer.status_code == 404
    assert "secret" not in answer.text
    assert len(answer.content) <= limits.ERROR_BYTES


@pytest.mark.parametrize("run", ["..", "%2e%2e", "county%2f..", "COUNTY", "x" * 500, "county~x"])
def test_a_run_is_found_by_its_name_alone(site: TestClient, run: str) -> None:
    assert site.get(f"/runs/{run}/plan").status_code == 404


def test_an_answer_that_is_known_is_not_sent_again(site: TestClient) -> None:
    first = site.get("/runs/county", headers={"accept-encoding": "gzip"})
    plain = site.get("/runs/county", headers={"accept-encoding": "identity"})

    assert first.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert first.text == plain.text
    assert first.headers["etag"] != plain.headers["etag"]
    assert first.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    for sent, coding in ((first, "gzip"), (plain, "identity")):
        known = {"if-none-match": f'"other", {sent.headers["etag"]}', "accept-encoding": coding}
        again = site.get("/runs/county", headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == sent.headers["etag"]


def test_what_changes_is_asked_for_again_and_what_is_hashed_never(site: TestClient) -> None:
    page = site.get(FINDING)
    picture = re.search(r'src="(\S+/card-[0-9a-f]{16}\.png)"', page.text)
    assert picture
    card = site.get(picture[1])

    assert page.headers["cache-control"] == f"public, max-age={limits.FRESH_SECONDS}"
    assert card.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert card.content.startswith(b"\x89PNG")
    assert card.headers["content-type"] == "image/png"
    assert card.content == site.get(picture[1]).content
    other = re.sub("card-.*png", "card-0123456789abcdef.png", picture[1])
    assert site.get(other).status_code == 404


def test_answers_of_a_private_server_stay_with_who_asked(settings: Settings, runs: Path) -> None:
    with client(replace(settings, runs=runs)) as private:
        answer = private.get("/runs/county")
    assert answer.headers["cache-control"] == "private, no-cache"


def test_a_shared_link_has_words_and_a_picture_with_its_alternative(
    settings: Settings, runs: Path
) -> None:
    public = replace(settings, runs=runs, read_only=True, base_url="https://example.org")
    with client(public) as site:
        told = site.get(FINDING, headers={"host": "example.org"}).text

    assert f'property="og:url" content="https://example.org{FINDING}"' in told
    assert f'property="og:image" content="https://example.org{FINDING}/card-' in told
    alternative = re.search(r'og:image:alt" content="([^"]+)"', told)
    assert alternative
    assert "95% interval" in alternative[1]


def test_addresses_are_never_made_of_what_a_request_says(settings: Settings, runs: Path) -> None:
    public = replace(settings, runs=runs, read_only=True, base_url="https://example.org")
    forwarded = {
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "gopher",
        "x-forwarded-prefix": "/evil",
        "forwarded": "host=evil.example",
        "x-original-url": "/evil",
    }
    with client(public) as site:
        for path in ("/runs/county", "/feed.atom", "/stories/events.ics", FINDING):
            own = site.get(path)
            for host in ("example.org", "127.0.0.1:9", "localhost"):
                other = site.get(path, headers={"host": host} | forwarded)
                assert other.content == own.content, path
                assert "evil" not in other.text
            assert site.get(path, headers={"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("query", ["x=1", "utm_source=a", "page=1&page=1", "=", "a"])
def test_an_unknown_query_makes_no_page_that_a_cache_could_keep(
    site: TestClient, query: str
) -> None:
    for path in ("/runs", "/runs/county", FINDING, "/feed.atom", "/runs/county/files/report.html"):
        answer = site.get(f"{path}?{query}")
        assert answer.status_code == 400, path
        assert answer.headers["cache-control"] == "no-store"
        assert len(answer.content) <= limits.ERROR_BYTES


def test_only_reading_is_possible(site: TestClient) -> None:
    paths = ("/runs", "/runs/county", FINDING, "/stories", "/stories/submit", "/feed.atom")
    for path in paths:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert site.request(method, path).status_code in {404, 405}, (method, path)
    assert site.head("/runs/county").status_code == 200


def test_hostile_names_are_text_everywhere(site: TestClient) -> None:
    for path in (
        "/",
        "/runs",
        "/runs/county",
        "/runs/county/neighbourhoods",
        place(site),
        "/stories",
    ):
        text = site.get(path).text
        assert "&lt;script&gt;alert(1)" in text, path
        assert "<script>alert" not in text, path


def test_texts_of_a_table_are_guarded_and_numbers_are_not(site: TestClient) -> None:
    events = site.get("/runs/county/tables/events.csv").text
    findings = site.get("/runs/county/tables/findings.csv").text

    assert "'=cmd|" in events
    assert re.search(r",-0\.\d", findings)
    assert "'-0." not in findings
    assert "=cmd|" in json.dumps(site.get("/runs/county/tables/events.json").json())


def test_a_broken_run_is_named_and_does_not_take_the_others_down(
    settings: Settings, runs: Path, tmp_path: Path
) -> None:
    own = tmp_path / "some"
    shutil.copytree(runs / "county", own / "county")
    shutil.copytree(runs / "county", own / "not shown.html")
    broken = {"a": "{", "b": "[]", "c": '{"title": 1, "collection": {"part": [{}]}}'}
    for name, text in broken.items():
        (own / name).mkdir()
        (own / name / "run.json").write_text(text)
        (own / name / "findings.json").write_text("{}")
    (own / "d").mkdir()
    (own / "d" / "run.json").write_text('{"title": "x"}')
    (own / "d" / "findings.json").write_text('{"findings": [{"estimate": 1}]}')

    with client(replace(settings, runs=own)) as private:
        page, health = private.get("/runs"), private.get("/health").json()
    with client(replace(settings, runs=own, read_only=True)) as public:
        told = public.get("/runs").text

    assert (health["runs"], health["unreadable"]) == (1, 5)
    for name in (*broken, "d", "not shown.html"):
        assert f"<li>{name}: " in page.text
    assert "cannot be read" not in told


def test_a_run_put_there_later_is_found_and_a_new_one_replaces_it(
    settings: Settings, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOOK_AGAIN_SECONDS", -1.0)
    own = tmp_path / "later"
    own.mkdir()
    with client(replace(settings, runs=own, read_only=True)) as site:
        assert "No run is published" in site.get("/runs").text
        shutil.copytree(runs / "county", own / "county")
        before = site.get("/runs/county")
        run = json.loads((own / "county" / "run.json").read_text())
        (own / "county" / "run.json").write_text(json_text(run | {"title": "Another"}, indent=1))
        after = site.get("/runs/county")

    assert before.status_code == after.status_code == 200
    assert "<h1>Another</h1>" in after.text
    assert before.headers["etag"] != after.headers["etag"]


def test_a_collection_lists_its_parts_with_addresses_of_their_own(
    settings: Settings, runs: Path, tmp_path: Path
) -> None:
    own = tmp_path / "several" / "all"
    shutil.copytree(runs / "county", own / "crime")
    about = {"title": "Six findings", "collection": {"question": "?", "part": [{"name": "crime"}]}}
    (own / "run.json").write_text(json.dumps(about))
    (own / "findings.json").write_text(json.dumps({"findings": []}))

    with client(replace(settings, runs=own.parent, read_only=True)) as site:
        page, part = site.get("/runs/all"), site.get("/runs/all~crime")
        rows = site.get("/runs/all.json").json()["findings"]
        table = list(csv.DictReader(io.StringIO(site.get("/runs/all.csv").text)))
        listed = site.get("/runs").text

    assert (page.status_code, part.status_code) == (200, 200)
    assert 'href="/runs/all~crime"' in page.text
    assert {r["part"] for r in rows} == {r["part"] for r in table} == {"crime"}
    assert "/runs/all~crime" not in listed


def test_health_and_robots(settings: Settings, runs: Path, tmp_path: Path) -> None:
    with client(replace(settings, runs=runs, read_only=True)) as public:
        assert public.get("/health").json() == {"status": "ok", "runs": 1, "unreadable": 0}
        assert "Disallow: /stories/moderate" in public.get("/robots.txt").text
    with client(replace(settings, runs=tmp_path / "gone", token="word")) as private:
        assert private.get("/health").status_code == 503
        assert private.get("/robots.txt").text.endswith("Disallow: /\n")
