"""Fetching, against a publishers' mirror on loopback that behaves well and badly."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from areaeffect.commands import fetch as command
from areaeffect.errors import DataError, StudyError
from areaeffect.sources.publishers import transport
from areaeffect.sources.publishers.download import PARTS, fetch, jobs_of
from areaeffect.sources.publishers.releases import By, Origin, catalogue
from areaeffect.sources.publishers.transport import Client, FetchSettings
from tests.shared import publisher_mirror
from tests.shared.publisher_mirror import HUB, SERVICES, Item, Service

ADDRESS = "https://pldr.org/table.csv"
MAIN = "from areaeffect.cli import main; main()"
ROWS = [("E01000001", 1.5), ("E01000002", 2.5), ("E01000003", 3.5)]


def table(rows=ROWS, header="lsoa21_code,perc,deciles"):
    return "\n".join([header, *(f"{code},{value},{5}" for code, value in rows), ""]).encode()


CONTENT = table([(f"E01{i:06d}", i / 7) for i in range(40_000)])  # a megabyte and more


def release(rows=3, path="table.csv", **origin):
    """A release of one CSV: three areas with a number each."""
    origin = {"by": By.DIRECT, "address": ADDRESS, "seen": "2026-09", **origin}
    one = catalogue()["loneliness"]
    columns = tuple(replace(c, published=c.copied) for c in one.columns)
    file = replace(one.copies[0], path=path, origin=Origin(**origin), sha256="", rows=rows)
    return replace(one, id="lonely", areas=rows, columns=columns, files=(file,), copies=())


@pytest.fixture
def mirror():
    with publisher_mirror.running() as server:
        server.put(ADDRESS, table())
        yield server


@pytest.fixture
def get(mirror, tmp_path):
    """Fetch one release through the mirror."""

    def run(one=None, *, again=False, progress=lambda *_: None):
        client = Client(FetchSettings("me@example.org", mirror.base, first_pause=0.01))
        jobs = jobs_of([one or release()], tmp_path)
        (done,) = fetch(jobs, tmp_path, progress, client, again=again)
        return done

    return run


def large(mirror):
    mirror.put(ADDRESS, CONTENT)
    return release(40_000)


def refused(get, *args):
    with pytest.raises(DataError) as caught:
        get(*args)
    return str(caught.value)


def asked(mirror):
    return [asked_range for _, path, asked_range in mirror.asked if path == "pldr.org/table.csv"]


def test_a_file_is_fetched_whole_with_progress_and_a_record(mirror, get, tmp_path):
    seen = []
    done = get(large(mirror), progress=lambda *step: seen.append(step))
    assert done.path.read_bytes() == CONTENT
    assert done.asked
    record = json.loads((tmp_path / "table.csv.fetched.json").read_text())
    assert record == {
        "address": ADDRESS,
        "bytes": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    assert seen[-1] == ("lonely", len(CONTENT), len(CONTENT))
    assert not (tmp_path / PARTS).exists()
    (agent,) = mirror.agents
    assert agent.endswith("(me@example.org)")


def test_what_is_here_is_not_asked_for_again_unless_told_to(mirror, get):
    get()
    assert not get().asked
    assert len(mirror.asked) == 1
    assert get(again=True).asked


def test_a_broken_transfer_goes_on_where_it_stopped(mirror, get):
    mirror.fail(ADDRESS, ("cut", 1000), ("cut", 500))
    assert get(large(mirror)).path.read_bytes() == CONTENT
    assert asked(mirror) == ["", "bytes=1000-", "bytes=1500-"]


def test_the_next_command_goes_on_where_the_last_gave_up(mirror, get, tmp_path):
    one = large(mirror)
    mirror.fail(ADDRESS, ("cut", 1000), *[("cut", 0)] * transport.TRIES)
    said = refused(get, one)
    assert "could not be read after 5 tries in a row" in said
    assert "1,000 bytes are here and will be used" in said
    assert not (tmp_path / "table.csv").exists()
    assert get(one).path.read_bytes() == CONTENT
    assert asked(mirror)[-1] == "bytes=1000-"


def test_a_file_that_changed_in_between_is_fetched_from_the_start(mirror, get):
    one = large(mirror)
    mirror.fail(ADDRESS, ("cut", 1000), *[("cut", 0)] * transport.TRIES)
    refused(get, one)
    newer = CONTENT.replace(b"E01000007,1.0", b"E01000007,9.0")
    mirror.put(ADDRESS, newer)
    assert get(one).path.read_bytes() == newer


@pytest.mark.parametrize("how", ["no ranges", "wrong part"])
def test_without_usable_ranges_it_starts_again(mirror, get, how):
    mirror.fail(ADDRESS, ("cut", 1000), (how,))
    assert get(large(mirror)).path.read_bytes() == CONTENT


def test_without_a_validator_a_part_is_not_trusted(mirror, get):
    mirror.etags = False
    mirror.fail(ADDRESS, ("cut", 1000))
    assert get(large(mirror)).path.read_bytes() == CONTENT
    assert asked(mirror) == ["", ""]


def test_a_file_of_unknown_length_is_fetched(mirror, get):
    headers = {"Content-Length": None, "Connection": "close"}
    mirror.fail(ADDRESS, ("answer", 200, table(), headers))
    assert get().path.read_bytes() == table()


def test_an_answer_that_is_packed_unasked_is_unpacked(mirror, get):
    mirror.fail(ADDRESS, ("gzip",))
    assert get(large(mirror)).path.read_bytes() == CONTENT


def test_a_file_on_record_is_known_by_its_hash(mirror, get, tmp_path):
    pinned = release(sha256=hashlib.sha256(table()).hexdigest())
    assert get(pinned).asked
    mirror.put(ADDRESS, table([*ROWS[:2], ("E01000003", 9.5)]))
    said = refused(lambda one: get(one, again=True), pinned)
    assert "does not hold the file on record" in said
    assert "a new edition needs a release of its own" in said
    assert (tmp_path / "table.csv").read_bytes() == table()
    assert not (tmp_path / PARTS).exists()


def test_a_busy_server_is_given_the_time_it_asks_for(mirror, get):
    mirror.fail(ADDRESS, ("status", 429, {"Retry-After": "1"}))
    start = time.monotonic()
    assert get().asked
    assert time.monotonic() - start >= 1


def test_a_server_that_asks_for_an_hour_is_left_alone(mirror, get):
    mirror.fail(ADDRESS, ("status", 503, {"Retry-After": "3600"}))
    assert "it asks to wait 3,600 seconds" in refused(get)
    assert len(asked(mirror)) == 1


def test_a_server_that_stays_busy_is_given_up(mirror, get):
    mirror.fail(ADDRESS, *[("status", 503)] * 20)
    assert "answers 503" in refused(get)
    assert len(asked(mirror)) == transport.TRIES


def test_a_moved_file_says_which_when_it_was_seen_and_what_to_do(mirror, get):
    mirror.files.clear()
    assert refused(get) == (
        f"lonely: {ADDRESS} does not give the file: it answers 404 Not Found. It was last seen "
        "there in 2026-09. The publisher may have moved it. Look for the file on "
        "https://github.com/humaniverse/loneliness, and put it where `areaeffect fetch --dry-run` "
        "says that it belongs."
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><body>Log in", "text/html"),
        (b"\n<!DOCTYPE html><title>Guest network", "text/csv"),
        (b'{"status": "unknown"}', "application/json"),
        (b"lsoa21_code,perc", "text/html; charset=utf-8"),
    ],
)
def test_a_login_page_is_not_a_table(mirror, get, tmp_path, body, kind):
    mirror.fail(ADDRESS, ("answer", 200, body, {"Content-Type": kind}))
    assert "answers with a web page, not with the file" in refused(get)
    assert not (tmp_path / "table.csv").exists()
    assert get().path.read_bytes() == table()


def test_an_empty_file_is_refused(mirror, get):
    mirror.put(ADDRESS, b"")
    assert "it holds an empty file" in refused(get)


def test_a_redirect_to_a_named_host_is_followed(mirror, get):
    mirror.put("https://files.pldr.org/a.csv", table())
    mirror.fail(ADDRESS, ("redirect", "https://files.pldr.org/a.csv"))
    assert get(release(hosts=("files.pldr.org",))).path.read_bytes() == table()


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("https://elsewhere.org/a.csv", "elsewhere.org, which is not among the release's hosts"),
        ("https://pldr.org.elsewhere.org/a.csv", "not among the release's hosts"),
        ("https://pldr.org@elsewhere.org/a.csv", "not among the release's hosts"),
        ("https://pldr.org:8443/a.csv", "not among the release's hosts"),
        ("http://pldr.org/a.csv", "an unprotected address, http://pldr.org/a.csv"),
        ("ftp://pldr.org/a.csv", "an unprotected address"),
        ("file:///etc/passwd", "an unprotected address"),
        ("", "a malformed answer: it redirects to ''"),
        ("https://pldr.org/ü", "a malformed answer: it redirects to"),
        ("/table.csv", "redirects endlessly"),
    ],
)
def test_a_redirect_elsewhere_is_refused(mirror, get, tmp_path, location, why):
    mirror.fail(ADDRESS, *[("redirect", location)] * 9)
    assert why in refused(get)
    assert not (tmp_path / "table.csv").exists()


def test_more_than_the_file_can_be_is_stopped(mirror, get, monkeypatch):
    monkeypatch.setattr("areaeffect.sources.publishers.resolvers.SMALL", 1000)
    known = replace(large(mirror))
    (file,) = known.files
    known = replace(known, files=(replace(file, origin=replace(file.origin, bytes=10)),))
    assert "where at most 1,040 are expected" in refused(get, known)
    headers = {"Content-Length": None, "Connection": "close"}
    mirror.fail(ADDRESS, ("answer", 200, CONTENT, headers))
    assert "sends more than 1,040 bytes" in refused(get, known)


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (("header", "Content-Length", "12x"), "Content-Length is '12x'"),
        (("header", "Content-Length", "-5"), "Content-Length is '-5'"),
        (("status", 503, {"Retry-After": "soon"}), "Invalid Retry-After header: soon"),
    ],
)
def test_a_malformed_header_is_refused(mirror, get, fault, what):
    mirror.fail(ADDRESS, fault)
    said = refused(get)
    assert "sends a malformed answer" in said
    assert what in said


def test_a_malformed_range_is_refused(mirror, get):
    mirror.fail(ADDRESS, ("cut", 1000), ("header", "Content-Range", "bytes ?-?/*"))
    assert "Content-Range is 'bytes ?-?/*'" in refused(get, large(mirror))


def test_a_longer_length_than_comes_is_a_broken_transfer(mirror, get):
    mirror.fail(ADDRESS, ("answer", 200, table(), {"Content-Length": "999"}))
    assert get().path.read_bytes() == table()


def test_nobody_there_is_tried_and_then_said(tmp_path):
    client = Client(FetchSettings(mirror="http://127.0.0.1:9", first_pause=0.001))
    with pytest.raises(DataError, match="could not be read after 5 tries in a row"):
        fetch(jobs_of([release()], tmp_path), tmp_path, lambda *_: None, client)


def test_a_file_that_was_edited_here_is_left_as_it_is(get, tmp_path):
    get()
    (tmp_path / "table.csv").write_bytes(b"mine")
    assert "is not the one that came" in refused(get)
    assert (tmp_path / "table.csv").read_bytes() == b"mine"


def test_a_file_put_there_by_hand_is_checked(mirror, get, tmp_path):
    (tmp_path / "table.csv").write_bytes(table())
    assert not get().asked
    (tmp_path / "table.csv").write_bytes(table(ROWS[:2]))
    said = refused(get)
    assert "another edition of 'lonely': 2 rows, where 3 are on record" in said
    assert "Move it away, or fetch it with --again." in said
    assert mirror.asked == []


def test_two_at_once_do_not_write_into_one_file(mirror, get, tmp_path):
    (tmp_path / PARTS).mkdir()
    with (tmp_path / PARTS / "table.csv").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "another `areaeffect fetch` is getting it" in refused(get)
    assert get().asked


def test_at_most_two_requests_at_a_time_and_others_go_on_where_one_fails(mirror, tmp_path):
    many = []
    for i in range(8):
        address = f"https://pldr.org/{i}.csv"
        mirror.put(address, table() if i != 3 else b"")
        one = release(path=f"{i}.csv", address=address)
        many.append(replace(one, id=f"lonely_{i}"))
    client = Client(FetchSettings(mirror=mirror.base, first_pause=0.01))
    with pytest.raises(DataError) as caught:
        fetch(jobs_of(many, tmp_path), tmp_path, lambda *_: None, client)
    assert len(caught.value.problems) == 2
    assert caught.value.problems[1].what == "7 of 8 files are here and can be used."
    assert len(list(tmp_path.glob("*.csv"))) == 7
    assert mirror.most_at_once <= transport.AT_ONCE


def test_a_full_disk_is_said_before_with_the_space_needed(mirror, get, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    said = refused(get, large(mirror))
    assert "the disk is full: 1.2 MB are needed, 0.0 MB are free" in said
    assert DataError.exit_code == 3


def test_a_full_disk_ends_the_command_with_3_and_the_space_needed(mirror, tmp_path):
    full = "import shutil; usage = shutil.disk_usage('/')._replace(free=10)\n"
    full += f"shutil.disk_usage = lambda _: usage\n{MAIN}"
    done = subprocess.run(
        [sys.executable, "-c", full, "fetch", "imd_2010", "--into", str(tmp_path)],
        env={**os.environ, "AREAEFFECT_MIRROR": mirror.base},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert re.search(r"the disk is full: [\d.]+ MB are needed, 0.0 MB are free", done.stderr)
    assert "Make room, or name another folder with --into" in done.stderr
    assert not list(tmp_path.rglob("*.csv"))


def test_a_disk_that_fills_meanwhile_keeps_what_came(mirror, get, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(transport.os, "fsync", full)
        assert "the disk is full" in refused(get)
    assert not (tmp_path / "table.csv").exists()
    assert get().path.read_bytes() == table()


# ---------------------------------------------------------------- other editions and layouts


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (table(ROWS[:2]), "this is another edition of 'lonely': 2 rows, where 3 are on record."),
        (
            table(header="lsoa21_code,percent_lonely,deciles"),
            "lonely: the publisher may have changed the file: there is no column 'perc'. It has "
            "instead: 'percent_lonely'.",
        ),
        (
            table(header="LSOA21CD,perc,deciles"),
            "table.csv: the publisher may have changed the file: there is no column 'lsoa21_code'. "
            "It has instead: 'LSOA21CD', 'perc', 'deciles'.",
        ),
        (
            b"LSOA21CD,LSOA21NM,RUC21CD,RUC21NM,Urban_rural_flag\nE01000001,A,UN1,Urban,Urban\n",
            "table.csv: this is the file of 'rural_urban_lsoa21': it has the columns of that release.",
        ),
        (
            table([("E02000001", 1), ("E02000002", 2), ("E02000003", 3)]),
            "lonely: 'E02000001' is not a code of vintage lsoa21 (3 such codes).",
        ),
    ],
)
def test_another_edition_is_refused_by_name(mirror, get, tmp_path, content, sentence):
    mirror.put(ADDRESS, content)
    assert sentence in refused(get)
    assert not (tmp_path / "table.csv").exists()
    assert not (tmp_path / PARTS).exists()


# ---------------------------------------------------------------- the ways to get a file


def test_govuk_is_searched_where_the_file_moved(mirror, get):
    page = "/government/statistics/lonely"
    new = "https://assets.publishing.service.gov.uk/media/68ff/Lonely_v2.csv"
    one = release(by=By.GOVUK, page=page, match=r"^Lonely_v\d\.csv$", sha256="0" * 64)
    mirror.files.clear()
    mirror.put(new, table())
    mirror.govuk(page, {"Notes": new.replace("Lonely_v2.csv", "notes.pdf"), "The table": new})
    assert get(one).address == new
    mirror.govuk(page, {"The table": new.replace("Lonely_v2", "Lonely_v2_final")})
    said = refused(lambda o: get(o, again=True), one)
    assert "lists no single file named like" in said
    assert "It lists: Lonely_v2_final.csv" in said


def test_the_newest_edition_of_a_dataset_of_ons_is_taken(mirror, get):
    dataset = "/peoplepopulationandcommunity/lonely"
    address = f"https://www.ons.gov.uk{dataset}"
    mirror.ons(dataset, "mid2024revised", "lonely20222024.csv", table())
    one = release(by=By.ONS, address=address, match=r"^lonely\d{8}\.csv$")
    assert get(one).address.endswith("/mid2024revised/lonely20222024.csv")


def hub(**origin):
    return release(by=By.HUB, address="", on_demand=True, **origin)


def test_the_hub_is_asked_until_the_file_is_ready(mirror, get):
    mirror.items["abc"] = Item(table(), not_ready=3)
    assert get(hub(item="abc")).path.read_bytes() == table()
    assert sum(path == f"{HUB}/abc/csv?layers=0" for _, path, _ in mirror.asked) == 4


def test_a_hub_that_says_so_with_status_200_is_asked_again(mirror, get):
    mirror.items["abc"] = Item(table())
    waits = json.dumps({"status": "ExportingData", "progress": 4}).encode()
    mirror.fail(f"{HUB}/abc/csv", *[("answer", 200, waits)] * 2)
    assert get(hub(item="abc")).path.read_bytes() == table()


def test_a_hub_that_never_finishes_is_said(mirror, get, monkeypatch):
    monkeypatch.setattr("areaeffect.sources.publishers.resolvers._POLLS", 3)
    mirror.items["abc"] = Item(table(), not_ready=99)
    assert "still says that the file is being made, after 3 asks" in refused(get, hub(item="abc"))


def as_rows(rows=ROWS):
    return [{"lsoa21_code": c, "perc": v, "deciles": 5, "ObjectId": i} for i, (c, v) in enumerate(rows, 1)]


def test_the_service_stands_in_for_an_item_that_is_gone(mirror, get):
    mirror.services["LONELY_v2"] = Service(as_rows(), most=2)  # shorter pages than asked for
    done = get(hub(item="gone", service="LONELY_v2"))
    assert done.address == f"https://{SERVICES}/LONELY_v2/FeatureServer/0"
    assert done.path.read_text().splitlines()[1] == "E01000001,1.5,5,1"
    assert len(done.path.read_text().splitlines()) == 4


def test_an_error_that_comes_with_status_200_is_refused(mirror, get):
    said = refused(get, hub(service="LONELY_v1"))
    assert "it answers with an error: Invalid URL" in said
    mirror.items["abc"] = Item(json.dumps({"error": {"message": "Item is private"}}).encode())
    assert "it answers with an error: Item is private" in refused(get, hub(item="abc"))


def test_a_service_that_gives_fewer_rows_than_it_says_is_refused(mirror, get, tmp_path):
    mirror.services["LONELY_v2"] = Service(as_rows(), says=5)
    assert "does not give all its rows: 3 came" in refused(get, hub(service="LONELY_v2"))
    assert not (tmp_path / "table.csv").exists()


NOMIS = "https://www.nomisweb.co.uk/api/v01/dataset/NM_1_1.data.csv?geography=TYPE151"


def nomis(rows):
    one = release(rows, by=By.NOMIS, address=NOMIS, on_demand=True)
    (file,) = one.files
    file = replace(file, layout="nomis", area="GEOGRAPHY_CODE")
    columns = tuple(replace(c, published="OBS_VALUE") for c in one.columns[:1])
    return replace(one, files=(file,), columns=columns)


def test_nomis_is_read_page_by_page_and_goes_on_at_the_page_it_was_at(mirror, get):
    rows = [[f"{'EW'[i // 40_000]}010{i % 40_000:05d}", i] for i in range(60_000)]
    mirror.nomis["NM_1_1"] = [["GEOGRAPHY_CODE", "OBS_VALUE"], *rows]
    third = f"{NOMIS}&RecordLimit=25000&RecordOffset=50000"
    mirror.fail(third, *[("status", 503)] * transport.TRIES)
    refused(get, nomis(60_000))
    done = get(nomis(60_000))
    assert len(done.path.read_text().splitlines()) == 60_001
    offsets = [p.rpartition("=")[2] for _, p, _ in mirror.asked if "RecordLimit=25000" in p]
    assert offsets == ["0", "25000", *["50000"] * (transport.TRIES + 1)]


def test_nomis_that_does_not_say_how_many_rows_there_are_is_refused(mirror, get):
    mirror.put(f"{NOMIS}&RecordLimit=1&RecordOffset=0", b"Error: no data")
    assert "does not answer with rows that say how many there are" in refused(get, nomis(3))


def test_nomis_that_changes_meanwhile_is_refused_and_begun_again(mirror, get):
    rows = [[f"E01{i:06d}", i] for i in range(30_000)]
    mirror.nomis["NM_1_1"] = [["GEOGRAPHY_CODE", "OBS_VALUE"], *rows]
    second = f"{NOMIS}&RecordLimit=25000&RecordOffset=25000"
    other = b'"GEOGRAPHY_CODE","OBS_VALUE","RECORD_COUNT"\r\n"E01000001",1,29999\r\n'
    mirror.fail(second, ("answer", 200, other, {"Content-Type": "text/csv"}))
    assert "It says 29,999 now and said 30,000 before" in refused(get, nomis(30_000))
    mirror.nomis["NM_1_1"] = mirror.nomis["NM_1_1"][:-1]
    assert len(get(nomis(29_999)).path.read_text().splitlines()) == 30_000


# ---------------------------------------------------------------- the command


def test_names_that_mean_nothing_are_refused_together(tmp_path):
    with pytest.raises(StudyError) as caught:
        command.plan(["imd_2018", "englnd"], tmp_path)
    first, second = map(str, caught.value.problems)
    assert first.endswith("Did you mean 'imd_2019'?")
    assert second.endswith("Did you mean 'england'?")


def test_a_plan_says_files_megabytes_and_where(tmp_path, monkeypatch):
    monkeypatch.setenv("AREAEFFECT_CONTACT", "me@example.org")
    plan = command.plan(["england"], tmp_path)
    assert plan.text().startswith(f"{len(plan.jobs)} files to fetch (about ")
    assert f"into {tmp_path}; 0 files are here already." in plan.text()
    assert "LSOA_2021_EW_BGC_V5.gpkg" in plan.table()
    assert list(tmp_path.iterdir()) == []


def test_a_release_that_no_command_gets_says_what_a_person_does(tmp_path):
    plan = command.plan(["universal_credit_households"], tmp_path)
    with pytest.raises(DataError, match="Stat-Xplore gives tables to people who are signed in"):
        command.fetch(plan, lambda *_: None)


def test_the_mirror_and_the_contact_are_settings(monkeypatch):
    monkeypatch.setenv("AREAEFFECT_MIRROR", "ftp://mirror")
    monkeypatch.setenv("AREAEFFECT_CONTACT", "me\r\nX-Other: 1")
    with pytest.raises(StudyError) as caught:
        FetchSettings.from_environment()
    assert [p.where for p in caught.value.problems] == ["AREAEFFECT_MIRROR", "AREAEFFECT_CONTACT"]


def test_every_address_is_tried_without_a_download(mirror, tmp_path, monkeypatch):
    monkeypatch.setenv("AREAEFFECT_MIRROR", mirror.base)
    names = ["mental_health_index", "rural_urban_lsoa21", "business_counts", "msoa_names_2021"]
    mirror.put("https://pldr.org/download/2noyv/q3n/samhi_21_01_v5.00_2011_2022_LSOA.csv", b"x" * 9)
    mirror.services["LSOA21_RUC21_EW_LU"] = Service([{}] * 12)
    mirror.nomis["NM_142_1"] = [["A"], [1], [2]]
    found = command.check(command.plan(names, tmp_path), lambda *_: None)
    said = {c.release: c.says or c.problem for c in found.checks}
    assert said["mental_health_index"] == "9 bytes"
    assert said["rural_urban_lsoa21"] == "12 rows"
    assert said["business_counts"] == "2 rows"
    assert "it answers 404" in said["msoa_names_2021"]
    assert [c.release for c in found.checks if c.problem] == ["rural_urban_lsoa21", "msoa_names_2021"]
    assert found.text().endswith("4 addresses tried, 2 moved.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("country", "what"),
    [("scotland", "no recorded crime by small area"), ("northern-ireland", "without areas")],
)
def test_a_country_without_small_area_crime_says_what_remains(tmp_path, country, what):
    with pytest.raises(StudyError, match=f"{what}.*docs/how-to/another-country.md"):
        command.plan([country], tmp_path)


def test_the_command_fetches_through_the_mirror_and_says_licences(mirror, tmp_path):
    def run(*words):
        return subprocess.run(
            [sys.executable, "-c", MAIN, "fetch", *words, "--into", str(tmp_path)],
            env={**os.environ, "AREAEFFECT_MIRROR": mirror.base},
            capture_output=True,
            text=True,
            check=False,
        )

    address = catalogue()["fly_tipping_total"].files[0].origin
    name = "https://assets.publishing.service.gov.uk/media/1/Local_authority_flytipping_incidents_x.csv"
    mirror.put(name, b"title\nYear,ONS Code,Total Incidents\n2012-13,E06000001,5\n")
    mirror.govuk(address.page, {"Incidents": name})
    done = run("fly_tipping_total")
    assert done.returncode == 3  # one authority, where 300 are on record
    assert "another edition of 'fly_tipping_total': 1 local authorities" in done.stderr
    rows = "".join(f"2012-13,E06{i:06d},5\n" for i in range(300))
    mirror.put(name, f"title\nYear,ONS Code,Total Incidents\n{rows}".encode())
    done = run("fly_tipping_total")
    assert done.returncode == 0, done.stderr
    assert "1 file to fetch" in done.stderr
    assert "Open Government Licence v3.0: fly_tipping_total" in done.stdout
    before = len(mirror.asked)
    assert "fetch: " not in run("fly_tipping_total", "--dry-run").stdout
    assert len(mirror.asked) == before
    tried = run("fly_tipping_total", "imd_2010", "--check")
    assert tried.returncode == 3
    assert "2 addresses tried, 1 moved." in tried.stdout


def test_ctrl_c_ends_at_once_and_keeps_what_came(mirror, tmp_path):
    address = catalogue()["imd_2010"].files[0].origin.address
    mirror.put(address, CONTENT * 8)
    mirror.fail(address, ("slow", 0.05))
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "fetch", "imd_2010", "--into", str(tmp_path)],
        env={**os.environ, "AREAEFFECT_MIRROR": mirror.base},
        stderr=subprocess.PIPE,
        text=True,
    )
    part = tmp_path / PARTS / "deprivation" / "1871702.csv"
    until = time.monotonic() + 60
    while time.monotonic() < until and not (part.is_file() and part.stat().st_size):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - start < 5
    assert "Interrupted; what has arrived is kept. The same command goes on." in said
    assert part.stat().st_size > 0
    assert not (tmp_path / "deprivation" / "1871702.csv").exists()
