"""`areaeffect publish`: a whole site that is safe to host anywhere and replaces only its own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as etree

import pytest

from areaeffect.document.folders import MANIFEST
from areaeffect.errors import DataError, StudyError
from areaeffect.web.limits import base_url_of, contact_of
from areaeffect.web.site_pages import Frame, publish
from tests.shared.sample_result import HOSTILE
from tests.shared.small_study import write_small_study
from tests.web.published import make_runs

BASE = "https://example.org/places"
FINDING = "county/findings/all-initiatives-crime-change-ratio.html"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_runs(tmp_path_factory.mktemp("publish") / "runs", shapes=True)


@pytest.fixture(scope="module")
def site(runs: Path) -> Path:
    out = runs.parent / "site"
    frame = Frame(contact=contact_of("people@example.org"), base_url=base_url_of(f"{BASE}/"))
    publish(runs, out, frame)
    return out


class Page(HTMLParser):
    """The tags of a page, its ids and its metadata."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def meta(self, name: str) -> str:
        found = [a["content"] for t, a in self.tags if t == "meta" and a.get("property") == name]
        assert len(found) == 1, (name, found)
        return found[0]

    def addresses(self) -> list[str]:
        return [a[n] for _, a in self.tags for n in ("href", "src") if n in a]


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def contents(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_every_link_of_every_page_leads_to_a_file_of_the_site(site: Path) -> None:
    tried = 0
    read = {path: Page(path) for path in pages(site)}
    for path, page in read.items():
        for address in page.addresses():
            parts = urlsplit(address)
            if parts.scheme in {"mailto", "data"} or address.startswith(BASE):
                continue
            absolute = parts.scheme or parts.netloc or address.startswith("/")
            assert not absolute, (path, address)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), (path, address)
            if parts.fragment and target.suffix == ".html":
                ids = {a["id"] for _, a in read[target].tags if "id" in a}
                assert parts.fragment in ids, (path, address)
            tried += 1
    assert tried > 300


def test_every_absolute_address_is_a_file_of_the_site(site: Path) -> None:
    text = "".join(p.read_text("utf-8") for p in [*pages(site), site / "feed.atom"])
    found = set(re.findall(rf'"{BASE}/([^"#]*)', text))
    assert len(found) > 20
    assert [path for path in found if not (site / unquote(path)).is_file()] == []


def test_every_page_needs_no_script_and_says_what_it_may_load(site: Path) -> None:
    for path in pages(site):
        page = Page(path)
        policies = [a["content"] for t, a in page.tags if a.get("http-equiv")]
        assert len(policies) == 1, path
        assert "default-src 'none'" in policies[0]
        assert "unsafe" not in policies[0]
        assert "base-uri 'none'; form-action 'none'" in policies[0]
        assert not {t for t, _ in page.tags} & {"script", "form", "iframe", "object", "base"}
        assert not [a for _, a in page.tags if any(n == "style" or n[:2] == "on" for n in a)], path
        style = re.search(r"<style>(.*?)</style>", path.read_text("utf-8"), re.DOTALL)
        assert style
        digest = hashlib.sha256(style[1].encode()).digest()
        assert base64.b64encode(digest).decode() in policies[0], path


def test_the_feed_is_atom(site: Path) -> None:
    feed = etree.parse(site / "feed.atom").getroot()
    entries = feed.findall(f"{ATOM}entry")
    kinds = [e.find(f"{ATOM}category").get("term") for e in entries]

    assert feed.tag == f"{ATOM}feed"
    for element in (feed, *entries):
        assert all(len(element.findall(f"{ATOM}{n}")) == 1 for n in ("id", "title", "updated"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", element.findtext(f"{ATOM}updated"))
        assert element.findtext(f"{ATOM}id").startswith("urn:uuid:")
    assert feed.find(f"{ATOM}author/{ATOM}name").text
    assert {x.get("rel"): x.get("href") for x in feed.findall(f"{ATOM}link")} == {
        "self": f"{BASE}/feed.atom",
        "alternate": f"{BASE}/index.html",
    }
    assert len({e.findtext(f"{ATOM}id") for e in entries}) == len(entries)
    assert set(kinds) == {"finding", "story", "event"}
    assert kinds.count("event") == 4
    assert all(e.find(f"{ATOM}link").get("href").startswith(f"{BASE}/county/") for e in entries)


def test_without_a_public_address_the_feed_links_to_its_own_folder(runs: Path, tmp_path: Path) -> None:
    publish(runs, tmp_path / "site", Frame())
    feed = etree.parse(tmp_path / "site" / "feed.atom").getroot()
    links = [x.get("href") for x in feed.iter(f"{ATOM}link")]

    assert all((tmp_path / "site" / link.partition("#")[0]).is_file() for link in links)
    page = (tmp_path / "site" / FINDING).read_text("utf-8")
    assert "og:url" not in page
    assert "canonical" not in page
    assert "Send us" not in page


def test_a_finding_has_a_link_to_share_with_a_chart_of_its_own_as_picture(site: Path) -> None:
    page = Page(site / FINDING)
    picture = page.meta("og:image")

    assert [a["href"] for _, a in page.tags if a.get("rel") == "bookmark"] == [f"{BASE}/{FINDING}"]
    assert page.meta("og:url") == f"{BASE}/{FINDING}"
    assert (site / picture.removeprefix(f"{BASE}/")).read_bytes().startswith(b"\x89PNG")
    assert "benchmark areas" in page.meta("og:image:alt")
    assert page.meta("og:description").startswith("Better. Crime: 8.1% lower")


def test_a_run_shows_findings_map_data_stories_events_and_where_to_send_more(site: Path) -> None:
    text = (site / "county" / "index.html").read_text("utf-8")
    finding = (site / FINDING).read_text("utf-8")

    assert text.count('<a href="findings/') == 18
    assert '<h2 id="map">Map</h2>' in text
    assert 'href="data/findings.csv"' in text
    assert 'href="neighbourhoods/index.html"' in text
    assert "I see it." in text
    assert "the hall opened" in text
    for page in (text, finding, (site / "index.html").read_text("utf-8")):
        assert page.count("Send us your story or event: ") == 1
        assert 'href="mailto:people@example.org"' in page
    assert "I wait at the window." in finding
    other = "county/findings/all-initiatives-empty-homes-level-ratio.html"
    assert "I wait at the window." not in (site / other).read_text("utf-8")


def test_hostile_names_are_text_everywhere(site: Path) -> None:
    for path in pages(site):
        text = path.read_text("utf-8")
        assert "<script" not in text, path
    assert "&lt;script&gt;alert(1)" in (site / "index.html").read_text("utf-8")
    assert Page(site / "county" / "index.html").meta("og:title") == HOSTILE
    feed = etree.parse(site / "feed.atom").getroot()
    assert any(HOSTILE in (t.text or "") for t in feed.iter(f"{ATOM}summary"))


def test_files_of_a_run_are_given_as_they_are_and_no_others(runs: Path, tmp_path: Path) -> None:
    own = tmp_path / "runs"
    shutil.copytree(runs, own)
    (own / "county" / "secret.txt").write_text("secret")
    (own / "county" / "data" / "extra.csv").write_text("secret")
    publish(own, tmp_path / "site", Frame())
    made = contents(tmp_path / "site" / "county")

    before = {n: sha for n, sha in contents(runs / "county").items() if n != MANIFEST}
    assert {name: made[name] for name in before} == before
    assert not [name for name in made if "secret" in name or "extra" in name]


def test_the_same_runs_give_the_same_bytes(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(runs, copied, copy_function=shutil.copyfile)
    os.utime(copied / "county" / "run.json", (2_000_000_000, 2_000_000_000))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1500000000")
    publish(runs, tmp_path / "a", Frame(base_url=BASE))
    publish(copied, tmp_path / "b", Frame(base_url=BASE))
    publish(runs, tmp_path / "b", Frame(base_url=BASE))

    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert "2017-07-14T02:40:00Z" in (tmp_path / "a" / "feed.atom").read_text()


def test_an_earlier_site_is_replaced_whole(runs: Path, tmp_path: Path) -> None:
    own, out = tmp_path / "runs", tmp_path / "site"
    shutil.copytree(runs, own)
    shutil.copytree(runs / "county", own / "other")
    publish(own, out, Frame())
    assert (out / "other" / "index.html").is_file()
    shutil.rmtree(own / "other")
    publish(own, out, Frame())

    assert not (out / "other").exists()
    assert set(contents(out)) == {MANIFEST, *json.loads((out / MANIFEST).read_text())["files"]}
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda out: (out / "thesis.docx").write_text("years of work"),
        lambda out: (out / "county" / "index.html").write_text("edited"),
        lambda out: (out / "county" / "data" / "link.csv").symlink_to("/etc/hostname"),
        lambda out: (out / MANIFEST).write_text('{"areaeffect_results": 1, "files": {}}'),
        lambda out: (out / MANIFEST).write_text("[" * 100_000),
        lambda out: (out / MANIFEST).unlink(),
    ],
)
def test_a_folder_that_holds_anything_of_a_stranger_is_refused(
    site: Path, runs: Path, tmp_path: Path, spoil: object
) -> None:
    out = tmp_path / "out"
    shutil.copytree(site, out)
    spoil(out)  # type: ignore[operator]
    before = contents(out)

    with pytest.raises(StudyError, match="nothing was changed"):
        publish(runs, out, Frame())
    assert contents(out) == before


def test_a_folder_with_a_manifest_by_name_alone_is_a_strangers(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / MANIFEST).write_text("{}")
    with pytest.raises(StudyError, match="nothing was changed"):
        publish(runs, out, Frame())
    (out / MANIFEST).unlink()
    publish(runs, out, Frame())
    assert (out / "index.html").is_file()


def test_results_of_a_study_are_not_replaced_by_a_site(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    shutil.copytree(runs / "county", out)
    with pytest.raises(StudyError, match="holds results and no site"):
        publish(runs, out, Frame())
    assert contents(out) == contents(runs / "county")


def damage(folder: Path, how: str) -> None:
    if how == "deep":
        (folder / "run.json").write_text("[" * 100_000)
    elif how == "cut":
        text = (folder / "data" / "map.json").read_text()
        (folder / "data" / "map.json").write_text(text[: len(text) // 2])
    elif how == "null":
        told = json.loads((folder / "findings.json").read_text())
        told["findings"][0]["group"] = None
        (folder / "findings.json").write_text(json.dumps(told))
        crate = json.loads((folder / "ro-crate-metadata.json").read_text())
        new = hashlib.sha256((folder / "findings.json").read_bytes()).hexdigest()
        for entry in crate["@graph"]:
            if entry["@id"] == "findings.json":
                entry["sha256"] = new
        (folder / "ro-crate-metadata.json").write_text(json.dumps(crate))
    elif how == "link":
        (folder / "report.pdf").unlink()
        (folder / "report.pdf").symlink_to("/etc/hostname")
    elif how == "gone":
        (folder / "charts" / "all-initiatives-effects.svg").unlink()
    else:
        (folder / "ro-crate-metadata.json").write_text(how)


DAMAGES = ["deep", "cut", "null", "link", "gone", "{}", '{"@graph": [1]}', "\x00"]


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_run_is_left_out_named_and_takes_no_other_with_it(
    runs: Path, tmp_path: Path, how: str
) -> None:
    own = tmp_path / "runs"
    shutil.copytree(runs, own)
    shutil.copytree(runs / "county", own / "bad")
    damage(own / "bad", how)

    made = publish(own, tmp_path / "site", Frame())

    assert (len(made.runs), list(made.faults)) == (1, ["bad"])
    assert (tmp_path / "site" / FINDING).is_file()
    assert not (tmp_path / "site" / "bad").exists()


def test_where_nothing_can_be_published_nothing_is_written(runs: Path, tmp_path: Path) -> None:
    own = tmp_path / "runs"
    own.mkdir()
    with pytest.raises(DataError, match="there is no run"):
        publish(own, tmp_path / "site", Frame())
    shutil.copytree(runs / "county", own / "bad")
    damage(own / "bad", "deep")
    with pytest.raises(DataError, match="bad: "):
        publish(own, tmp_path / "site", Frame())
    with pytest.raises(StudyError, match="no folder"):
        publish(own / "nothing", tmp_path / "site", Frame())
    assert not (tmp_path / "site").exists()


def test_a_collection_lists_its_studies(runs: Path, tmp_path: Path) -> None:
    own = tmp_path / "several" / "all"
    shutil.copytree(runs / "county", own / "crime")
    about = {"title": "Six findings", "collection": {"question": "?", "part": [{"name": "crime"}]}}
    (own / "run.json").write_text(json.dumps(about))
    (own / "findings.json").write_text(json.dumps({"findings": []}))
    publish(own.parent, tmp_path / "site", Frame())

    listed = (tmp_path / "site" / "index.html").read_text()
    page = (tmp_path / "site" / "all" / "index.html").read_text()
    assert 'href="all/index.html"' in listed
    assert "A collection of 1 study. " in listed
    assert "crime/" not in listed
    assert 'href="crime/index.html"' in page
    assert (tmp_path / "site" / "all" / "crime" / "index.html").is_file()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org",
        "ftp://example.org",
        "javascript:alert(1)",
        "https://",
        "https://user:word@example.org",
        "https://example.org/?a=b",
        "https://example.org/#a",
        "https://example.org/\r\nSet-Cookie: a",
        "https://exa mple.org",
        'https://example.org/"><script>',
        "https://example.org:99999",
        "https://example.org/a/../b",
        "https://" + "a" * 400,
    ],
)
def test_what_is_no_public_address_is_refused(text: str) -> None:
    with pytest.raises(StudyError, match="--base-url"):
        base_url_of(text)


@pytest.mark.parametrize(
    "text",
    ["", "people", "people@", "@example.org", "a b@example.org", "mailto:a@example.org",
     "javascript:alert(1)", "a@example.org\nBcc: b@example.org", 'https://example.org/"><b>',
     "a@example.org?bcc=b@example.org", "data:text/html,x"],
)  # fmt: skip
def test_what_is_no_contact_is_refused(text: str) -> None:
    with pytest.raises(StudyError, match="--contact"):
        contact_of(text)


def test_public_addresses_and_contacts_are_taken() -> None:
    assert base_url_of("https://example.org/a/b/") == "https://example.org/a/b"
    assert base_url_of("http://[::1]:8080") == "http://[::1]:8080"
    assert base_url_of(None) == ""
    assert contact_of("a.b+c@example.org").href == "mailto:a.b%2Bc@example.org"
    assert contact_of("https://example.org/form?to=us").href == "https://example.org/form?to=us"
    assert contact_of(None).href == ""


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    told = [sys.executable, "-c", "from areaeffect.cli import main; main()", *map(str, words)]
    return subprocess.run(told, capture_output=True, text=True, check=False, timeout=300)


def test_the_command_publishes_what_evaluate_wrote_and_names_what_it_leaves_out(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    made = command("evaluate", study, "--out", tmp_path / "runs" / "tiny")
    assert made.returncode == 0, made.stderr
    (tmp_path / "runs" / "notes").mkdir()

    out = tmp_path / "site"
    words = ("publish", tmp_path / "runs", "--out", out, "--contact", "people@example.org")
    whole = command(*words, "--base-url", BASE)
    assert (whole.returncode, whole.stderr) == (0, "")
    assert "Published 1 run: " in whole.stdout
    assert "hold no run: notes" in whole.stdout
    assert BASE in (out / "feed.atom").read_text()
    before = contents(out)

    shutil.copytree(tmp_path / "runs" / "tiny", tmp_path / "runs" / "bad")
    damage(tmp_path / "runs" / "bad", "deep")
    partly = command(*words, "--base-url", BASE)
    assert partly.returncode == 3
    assert "Not published: bad: " in partly.stderr
    assert contents(out) == before

    (out / "thesis.docx").write_text("years of work")
    for refused in (
        command(*words),
        command(*words[:4], "--contact", "nobody"),
        command(*words[:4], "--base-url", "example.org"),
        command("publish", tmp_path / "nothing", "--out", tmp_path / "new"),
    ):
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr
    assert contents(out) == before | {"thesis.docx": contents(out)["thesis.docx"]}
