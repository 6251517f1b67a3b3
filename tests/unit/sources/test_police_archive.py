"""Archives of police.uk from a mirror: whole, or the members that are wanted by parts."""

from __future__ import annotations

import io
import json
import random
import zipfile

import pytest

from areaeffect.commands import fetch as command
from areaeffect.errors import DataError, StudyError
from areaeffect.sources.publishers.police_archive import MonthsWanted, archive_of, fetch_archives
from areaeffect.sources.publishers.transport import Client, FetchSettings
from tests.shared import publisher_mirror

S3 = "https://policeuk-data.s3.amazonaws.com/archive/"
PAGE = "https://data.police.uk/data/archive/"
MONTHS = ("2017-03", "2017-04")


def street(month, force):
    return f"Crime ID,Month\n,{month}\n".encode() + random.Random(month + force).randbytes(20_000)


def archive(months=MONTHS, forces=("cleveland", "durham", "city-of-london"), skip=()):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        for month in months:
            for force in forces:
                out.writestr(f"{month}/{month}-{force}-outcomes.csv", "x" * 100)
                if (month, force) not in skip:
                    out.writestr(f"{month}/{month}-{force}-street.csv", street(month, force))
            out.writestr(f"{month}/padding.bin", random.Random(month).randbytes(4 << 20))
    return made.getvalue()


@pytest.fixture
def mirror():
    with publisher_mirror.running() as server:
        server.put(f"{S3}2017-04.zip", archive())
        server.fail(f"{PAGE}2017-04.zip", *[("redirect", f"{S3}2017-04.zip")] * 200)
        yield server


@pytest.fixture
def client(mirror):
    return Client(FetchSettings(mirror=mirror.base, first_pause=0.01))


def test_only_the_wanted_members_are_read_from_the_remote_zip(mirror, client, tmp_path):
    wanted = MonthsWanted("2017-03", "2017-04", ("cleveland",))
    files, gaps = fetch_archives(wanted, tmp_path, lambda *_: None, client)
    assert gaps == ()
    for month in MONTHS:
        path = tmp_path / "police_uk" / month / f"{month}-cleveland-street.csv"
        assert path.read_bytes() == street(month, "cleveland")
        record = json.loads(path.with_name(f"{path.name}.fetched.json").read_text())
        assert record["address"] == f"{PAGE}2017-04.zip#{month}/{path.name}"
    ranges = [r.removeprefix("bytes=").split("-") for _, _, r in mirror.asked if r]
    asked = sum(int(last) - int(first) + 1 for first, last in ranges if last)
    assert asked < len(mirror.files[f"{S3}2017-04.zip".removeprefix("https://")]) / 4
    assert len(files) == 2
    before = len(mirror.asked)
    again, _ = fetch_archives(wanted, tmp_path, lambda *_: None, client)
    assert len(mirror.asked) == before
    assert not any(f.asked for f in again)


def test_a_month_that_the_archive_lacks_is_a_gap_and_no_zero(mirror, client, tmp_path):
    mirror.put(f"{S3}2017-04.zip", archive(skip={("2017-03", "durham")}))
    wanted = MonthsWanted("2017-03", "2017-04", ("durham", "cleveland"))
    files, gaps = fetch_archives(wanted, tmp_path, lambda *_: None, client)
    assert gaps == ("durham 2017-03",)
    assert len(files) == 3


@pytest.mark.parametrize(("given", "meant"), [("cleaveland", "cleveland"), ("South Wales", "south-wales")])
def test_an_unknown_force_is_guessed_before_anything_is_asked(given, meant, tmp_path):
    with pytest.raises(StudyError, match=rf"'{given}'\. Did you mean '{meant}'\?"):
        command.plan(["police_uk"], tmp_path, "2017-03", "2017-04", [given])


def test_a_force_that_no_longer_publishes_is_a_gap_and_no_typing_error(mirror, client, tmp_path):
    months = MonthsWanted("2017-03", "2017-04", ("greater-manchester", "cleveland"))
    files, gaps = fetch_archives(months, tmp_path, lambda *_: None, client)
    assert gaps == ("greater-manchester 2017-03", "greater-manchester 2017-04")
    assert len(files) == 2


def test_a_zip_that_changes_while_it_is_read_is_refused(mirror, client, tmp_path):
    cut = ("header", "ETag", '"another"')
    mirror.fail(f"{S3}2017-04.zip", (), (), cut, (), cut)
    with pytest.raises(DataError, match="changed while it was read"):
        fetch_archives(MonthsWanted("2017-03", "2017-04", ("durham",)), tmp_path, lambda *_: None, client)


def test_a_server_without_parts_is_named(mirror, client, tmp_path):
    mirror.fail(f"{S3}2017-04.zip", (), ("no ranges",))
    with pytest.raises(DataError, match="it does not send parts of a file"):
        fetch_archives(MonthsWanted("2017-03", "2017-03", ("durham",)), tmp_path, lambda *_: None, client)


def test_whole_archives_are_fetched_and_a_page_in_their_place_is_not(mirror, client, tmp_path):
    wanted = MonthsWanted("2017-03", "2017-03", ())
    mirror.put(f"{S3}2017-04.zip", b"PK not a zip")
    with pytest.raises(DataError, match="does not hold a zip"):
        fetch_archives(wanted, tmp_path, lambda *_: None, client)
    assert not (tmp_path / "police_uk" / "2017-04.zip").exists()
    mirror.put(f"{S3}2017-04.zip", archive())
    ((done,), _) = fetch_archives(wanted, tmp_path, lambda *_: None, client)
    assert zipfile.is_zipfile(done.path)


def test_four_archives_cover_everything_since_the_first_month():
    wanted = MonthsWanted("2009-01", "2026-05", ())
    assert list(wanted.archives) == ["2017-04", "2020-04", "2023-04", "2026-04", "latest"]
    assert wanted.months[0] == "2010-12"
    assert sum(map(len, wanted.archives.values())) == len(wanted.months) == 186
    # one up to 2017-04 holds everything before it; a later one holds 36 months
    assert archive_of("2010-12") == "2017-04"
    assert all(
        len(months) == 36
        for archive, months in wanted.archives.items()
        if archive not in {"2017-04", "latest"}
    )


@pytest.mark.parametrize(
    ("first", "last", "what"),
    [
        ("2017-13", "2017-14", "'2017-13' is not a month"),
        ("", "2017-04", "'' is not a month"),
        ("2018-01", "2017-04", "the first month is after the last"),
        ("2008-01", "2009-04", "begins with 2010-12"),
    ],
)
def test_months_that_cannot_be_are_refused(tmp_path, first, last, what):
    with pytest.raises(StudyError, match=what):
        command.plan(["police_uk"], tmp_path, first, last)


def test_months_without_police_uk_are_refused(tmp_path):
    with pytest.raises(StudyError, match="belong to police_uk"):
        command.plan(["imd"], tmp_path, "2017-01")
