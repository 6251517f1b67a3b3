"""Fetching, against a real HTTP server on loopback that behaves well and badly."""

from __future__ import annotations

import fcntl
import hashlib
import json
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from itertools import pairwise
from urllib.error import HTTPError
from urllib.request import Request

import pytest

from areaeffect.errors import DataError, StudyError
from areaeffect.sources.publishers import download as fetching
from areaeffect.sources.publishers import fetch as command
from areaeffect.sources.publishers.download import Item, fetch
from areaeffect.sources.publishers.releases import catalogue
from areaeffect.sources.publishers.tables import read

FILE_7 = "/media/691ded56d140bbbaa59a2a7d/File_7.csv"
CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Publisher(ThreadingHTTPServer):
    """Serves files by path; `plan` says, request by request, what goes wrong."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {FILE_7: CONTENT}
        self.plan = []
        self.asked = []
        self.etag = '"first"'
        self.has_ranges = True
        self.sends_length = True

    def address(self, path=FILE_7):
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        publisher = self.server
        publisher.asked.append((self.path, self.headers.get("Range", "")))
        fault, *rest = publisher.plan.pop(0) if publisher.plan else (None,)
        if fault == "status":
            return self._refuse(*rest)
        if fault == "page":
            return self._send(200, b"<html>Log in</html>", {"Content-Type": "text/html"})
        content = publisher.files.get(self.path)
        if content is None:
            return self._refuse(404)
        headers = {"Content-Type": "application/octet-stream"}
        if publisher.etag:
            headers["ETag"] = publisher.etag
        asked = self.headers.get("Range")
        cut = rest[0] if fault == "break" else None
        if asked and publisher.has_ranges and self.headers["If-Range"] == publisher.etag:
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
            shown = 7 if fault == "wrong part" else first
            headers["Content-Range"] = f"bytes {shown}-{len(content) - 1}/{len(content)}"
            return self._send(206, content[first:], headers, cut)
        return self._send(200, content, headers, cut)

    def _refuse(self, status, headers=()):
        self._send(status, b"", dict(headers))

    def _send(self, status, body, headers, cut=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.server.sends_length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None or not self.server.sends_length:
            self.close_connection = True


@pytest.fixture
def publisher():
    server = Publisher()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def get(publisher, tmp_path):
    """Fetch the publisher's file; pauses are written down, not waited for."""
    pauses = []

    def run(**facts):
        again = facts.pop("again", False)
        progress = facts.pop("progress", lambda *_: None)
        facts = {"address": publisher.address(), "path": "imd/File_7.csv", **facts}
        (done,) = fetch(
            [Item("imd", **facts)], tmp_path, progress, again=again, pause=pauses.append
        )
        return done

    run.pauses = pauses
    return run


def test_a_file_is_fetched_whole_with_progress_and_a_record(publisher, get, tmp_path):
    steps = []
    done = get(sha256=SHA256, progress=lambda *step: steps.append(step))
    assert done.asked
    assert done.path.read_bytes() == CONTENT
    assert steps[0] == ("imd", 0, len(CONTENT))
    assert steps[-1] == ("imd", len(CONTENT), len(CONTENT))
    assert all(a[1] <= b[1] for a, b in pairwise(steps))
    record = json.loads((tmp_path / "imd" / "File_7.csv.fetched.json").read_text())
    assert record["sha256"] == SHA256
    assert record["etag"] == '"first"'
    assert sorted(p.name for p in (tmp_path / "imd").iterdir()) == [
        "File_7.csv",
        "File_7.csv.fetched.json",
    ]


def test_what_is_here_is_not_asked_for_again(publisher, get):
    get()
    publisher.shutdown()
    assert not get().asked
    assert len(publisher.asked) == 1


def test_again_asks_the_publisher(publisher, get):
    get()
    publisher.files[FILE_7] = b"a new edition"
    assert get(again=True).path.read_bytes() == b"a new edition"


def test_a_broken_transfer_goes_on_where_it_stopped(publisher, get):
    publisher.plan = [("break", 300_000), ("break", 300_000)]
    done = get(sha256=SHA256)
    assert done.path.read_bytes() == CONTENT
    assert [r for _, r in publisher.asked] == ["", "bytes=300000-", "bytes=600000-"]
    assert get.pauses == [1.0, 1.0]  # each try brought something: no longer pauses


def test_the_next_command_goes_on_where_the_last_gave_up(publisher, get, tmp_path):
    publisher.plan = [("break", 300_000)] + [("status", 503)] * 5
    with pytest.raises(DataError) as caught:
        get()
    assert str(caught.value) == (
        f"imd: {publisher.address()} could not be read after 5 tries in a row: it answers 503 "
        "Service Unavailable. 300,000 bytes are here and will be used. Run the command again "
        "later; it goes on where it stopped."
    )
    assert not (tmp_path / "imd" / "File_7.csv").exists()
    assert get().path.read_bytes() == CONTENT
    assert publisher.asked[-1] == (FILE_7, "bytes=300000-")


def test_a_file_that_changed_in_between_is_fetched_from_the_start(publisher, get):
    publisher.plan = [("break", 300_000)]
    new = CONTENT[::-1]

    def change(name, here, total):
        if here >= 300_000:
            publisher.files[FILE_7], publisher.etag = new, '"second"'

    assert get(progress=change).path.read_bytes() == new


def test_without_ranges_it_starts_again(publisher, get):
    publisher.has_ranges = False
    publisher.plan = [("break", 300_000)]
    assert get().path.read_bytes() == CONTENT


def test_without_a_validator_a_part_is_not_trusted(publisher, get):
    publisher.etag = ""
    publisher.plan = [("break", 300_000)]
    assert get().path.read_bytes() == CONTENT
    assert [r for _, r in publisher.asked] == ["", ""]


def test_a_wrong_part_is_thrown_away(publisher, get):
    publisher.plan = [("break", 300_000), ("wrong part",)]
    assert get().path.read_bytes() == CONTENT
    assert [r for _, r in publisher.asked] == ["", "bytes=300000-", ""]


def test_a_stale_part_that_spoils_the_hash_is_fetched_once_more(publisher, get, tmp_path):
    folder = tmp_path / "imd"
    folder.mkdir()
    (folder / "File_7.csv.part").write_bytes(b"x" * 1000)
    memo = {"address": publisher.address(), "etag": '"first"'}
    (folder / "File_7.csv.part.json").write_text(json.dumps(memo))
    assert get(sha256=SHA256).path.read_bytes() == CONTENT


def test_a_changed_file_is_refused_with_what_was_expected(publisher, get, tmp_path):
    publisher.files[FILE_7] = b"another edition"
    got = hashlib.sha256(b"another edition").hexdigest()
    with pytest.raises(DataError) as caught:
        get(sha256=SHA256, bytes=len(CONTENT), page="https://example.org/imd")
    assert str(caught.value) == (
        f"imd: {publisher.address()} does not hold the file on record: expected sha256 "
        f"{SHA256[:12]}… and 1,048,576 bytes, got sha256 {got[:12]}… and 15 bytes. What came was "
        "deleted. Likely the publisher replaced the file, or a proxy answered in its place. Look "
        "at https://example.org/imd; a new edition needs a release of its own."
    )
    assert list((tmp_path / "imd").iterdir()) == []


def test_pauses_double_until_it_gives_up(publisher, get):
    publisher.plan = [("status", 502)] * 4
    assert get().asked
    assert get.pauses == [1.0, 2.0, 4.0, 8.0]


def test_the_pause_a_server_asks_for_is_kept(publisher, get):
    soon = formatdate(usegmt=True)
    publisher.plan = [
        ("status", 429, {"Retry-After": "17"}),
        ("status", 503, {"Retry-After": soon}),
    ]
    get()
    assert get.pauses == [17.0, 0.0]


def test_a_server_that_asks_for_an_hour_is_left_alone(publisher, get):
    publisher.plan = [("status", 429, {"Retry-After": "3600"})]
    with pytest.raises(DataError, match=r"after 1 try: it answers 429 .* wait 3,600 seconds\."):
        get()
    assert get.pauses == []


def test_a_moved_file_says_where_to_look(publisher, get):
    with pytest.raises(DataError) as caught:
        get(address=publisher.address("/gone.csv"), page="https://example.org/imd")
    assert str(caught.value) == (
        f"imd: {publisher.address('/gone.csv')} answers 404 Not Found. Nothing was fetched. The "
        "publisher may have moved the file. Look for it on https://example.org/imd."
    )
    assert get.pauses == []


def test_a_login_page_is_not_a_file(publisher, get):
    publisher.plan = [("page",)]
    with pytest.raises(DataError, match="answers with a web page, not with the file"):
        get()


def test_an_empty_file_is_refused(publisher, get):
    publisher.files[FILE_7] = b""
    with pytest.raises(DataError, match="holds an empty file"):
        get()


def test_a_redirection_is_followed_and_the_part_still_asked_for(publisher, get):
    publisher.files["/new.csv"] = CONTENT
    moved = ("status", 302, {"Location": "/new.csv"})
    publisher.plan = [moved, ("break", 300_000), moved]
    assert get(sha256=SHA256).path.read_bytes() == CONTENT
    assert publisher.asked[-1] == ("/new.csv", "bytes=300000-")


def test_a_redirection_to_an_unprotected_address_is_refused():
    request = Request("https://example.org/file.csv")
    with pytest.raises(HTTPError, match="unprotected address, http://example"):
        fetching._OnwardOnly().redirect_request(
            request, BytesIO(), 302, "Found", {}, "http://example.org/file.csv"
        )


def test_a_killed_fetch_goes_on_from_its_part(publisher, get, tmp_path):
    """What a process wrote before SIGKILL: a part and a memo, no record."""
    publisher.plan = [("break", 300_000), *([("status", 503)] * 5)]
    with pytest.raises(DataError):
        get()
    folder = tmp_path / "imd"
    assert sorted(p.name for p in folder.iterdir()) == ["File_7.csv.part", "File_7.csv.part.json"]
    with (folder / "File_7.csv.part").open("r+b") as part:
        part.truncate(123_457)
    assert get().path.read_bytes() == CONTENT
    assert publisher.asked[-1] == (FILE_7, "bytes=123457-")


def test_a_file_of_unknown_length_is_fetched(publisher, get):
    publisher.sends_length = False
    assert get(sha256=SHA256).path.read_bytes() == CONTENT


def test_nobody_there_is_tried_and_then_told(get):
    with pytest.raises(DataError, match=r"5 tries in a row: .*refused"):
        get(address="http://127.0.0.1:9/nothing.csv")


def test_a_file_that_was_edited_here_is_left_as_it_is(publisher, get):
    done = get()
    done.path.write_bytes(b"edited")
    with pytest.raises(DataError, match=r"not the one on record: .* It was left as it is"):
        get()
    assert done.path.read_bytes() == b"edited"
    assert get(again=True).path.read_bytes() == CONTENT


def test_other_files_are_fetched_although_one_fails(publisher, tmp_path):
    items = [
        Item("a", publisher.address("/gone.csv"), "a.csv"),
        Item("b", "file:///etc/hostname", "b.csv"),
        Item("c", publisher.address(), "c.csv"),
    ]
    with pytest.raises(DataError) as caught:
        fetch(items, tmp_path, pause=lambda _: None)
    assert len(caught.value.problems) == 2
    assert (tmp_path / "c.csv").read_bytes() == CONTENT


def test_two_at_once_do_not_write_into_one_file(publisher, get, tmp_path):
    (tmp_path / "imd").mkdir()
    with (tmp_path / "imd" / "File_7.csv.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="another `areaeffect fetch` is getting it"):
            get()


def test_a_folder_that_cannot_be_written_is_named(publisher, get, tmp_path):
    (tmp_path / "imd").write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"the file cannot be written: .*imd"):
        get()


# ---------------------------------------------------------------- the command


def test_a_release_comes_by_name_and_can_be_read(publisher, tmp_path, monkeypatch):
    release = catalogue()["imd_2019_file_7"]
    header = ["LSOA code (2011)", "LSOA name (2011)", *(c.published for c in release.columns)]
    row = ["E01000001", "City of London 001A", *("5" for _ in release.columns)]
    text = "\n".join(",".join(f'"{cell}"' for cell in line) for line in (header, row))
    path = "/" + release.files[0].address.split("/", 3)[3]
    publisher.files[path] = f"{text}\n".encode()
    there = publisher.address("")

    def locally(items, *rest, **options):
        moved = [
            Item(i.name, there + "/" + i.address.split("/", 3)[3], i.path, i.sha256) for i in items
        ]
        return fetching.fetch(moved, *rest, **options)

    monkeypatch.setattr(command, "fetch_items", locally)
    report = command.fetch(["imd_2019_file_7", "imd_2019"], tmp_path, lambda *_: None)
    assert [f.path for f in report.files] == [tmp_path / release.files[0].path]
    assert [(b.release, b.page) for b in report.by_hand] == [("imd_2019", release.page)]
    assert report.to_dict()["files"][0]["asked"] is True
    assert "no address on record: imd_2019" in report.text()
    table = read("imd_2019_file_7", tmp_path)
    assert table.values["imd_score"].tolist() == [[5.0]]
    assert table.names.tolist() == ["City of London 001A"]


def test_names_that_mean_nothing_are_refused_together(tmp_path):
    with pytest.raises(StudyError) as caught:
        command.fetch(["imd_2091", "police_uk:2025-13"], tmp_path, lambda *_: None)
    assert [str(p) for p in caught.value.problems] == [
        "there is no release 'imd_2091' to fetch. Did you mean 'imd_2019'?",
        "there is no release 'police_uk:2025-13' to fetch. Did you mean 'police_uk:latest'?",
    ]


def test_a_release_without_an_address_says_where_to_take_it_from(tmp_path):
    with pytest.raises(DataError) as caught:
        command.fetch(["vacant_dwellings_615"], tmp_path, lambda *_: None)
    assert str(caught.value) == (
        "vacant_dwellings_615: no address is on record. Take it from https://www.gov.uk/government/"
        "statistical-data-sets/live-tables-on-dwelling-stock-including-vacants and put it into "
        f"{tmp_path} as empty_homes/mhclg_live_table_615_vacant_dwellings_local_authority_2004_2015"
        ".xls. (The file on record: the workbook as published, from "
        "StudentDataLabs/EmptyHousingInnovationLab@491d68d.)"
    )


def test_a_release_of_the_same_edition_is_offered(tmp_path):
    with pytest.raises(DataError, match=r" Or fetch imd_2019_file_7\.$"):
        command.fetch(["imd_2019"], tmp_path, lambda *_: None)


def test_a_month_of_police_uk_has_the_publishers_layout(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(command, "fetch_items", lambda items, *_, **__: asked.extend(items) or ())
    command.fetch(["police_uk:2025-11"], tmp_path, lambda *_: None)
    assert asked[0].address == "https://data.police.uk/data/archive/2025-11.zip"
    assert asked[0].path == "police_uk/2025-11.zip"
