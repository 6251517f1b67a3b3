"""Every damaged street file is handled with its rows listed, or refused with file and reason."""

from __future__ import annotations

import contextlib
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from areaeffect.errors import AreaEffectError, DataError
from areaeffect.sources.police_uk.categories import breaks_of, choose, months_published, read_categories
from areaeffect.sources.police_uk.files import find_files, read_files
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.lake import open_lake
from tests.shared.street_files import ASB, HEADER_LINE, NAME, crime, month_of, pack, put, street

Build = Callable[[Path], Path]


def csv(data: bytes, name: str = NAME) -> Build:
    return lambda folder: put(folder, data, name)


def zipped(**members: bytes) -> Build:
    return lambda folder: pack(folder / "x.zip", members)


def swapped_columns(line: str) -> str:
    cells = line.split(",")
    cells[4], cells[5] = cells[5], cells[4]
    return ",".join(cells)


#: name: (how to make it, rows kept, reasons of the rows rejected, in file order)
HANDLED: dict[str, tuple[Build, int, list[str]]] = {
    "byte-order mark": (csv(b"\xef\xbb\xbf" + street(crime())), 1, []),
    "UTF-16 with mark": (csv(street(crime()).decode().encode("utf-16")), 1, []),
    "UTF-16 without mark": (csv(street(crime()).decode().encode("utf-16-le")), 1, []),
    "UTF-16 big end first": (csv(street(crime()).decode().encode("utf-16-be")), 1, []),
    "cp1252": (csv(street(crime(location="Caf@")).replace(b"@", b"\xe9")), 1, []),
    "carriage returns": (csv(street(crime(), ASB, end="\r\n")), 2, []),
    "carriage returns alone": (csv(street(crime(), ASB, end="\r")), 2, []),
    "no end of line at the end": (csv(street(crime())[:-1]), 1, []),
    "blank lines": (csv(street(crime(), "", crime("b"), "")), 2, []),
    "quoted comma": (csv(street(crime(location='"On or near A, B"'))), 1, []),
    "doubled quote": (csv(street(crime(location='"The ""Old"" Road"'))), 1, []),
    "identical rows without ID": (csv(street(ASB, ASB, ASB)), 3, []),
    "Crime ID twice": (csv(street(crime("a"), crime("a", area="E01011950"))), 2, []),
    "no location": (csv(street(crime(longitude="", latitude="", area=""))), 1, []),
    "code of Wales": (csv(street(crime(area="W01000001"))), 1, []),
    "old code of Northern Ireland": (csv(street(crime(area="95AA01S1"))), 1, []),
    "code of Northern Ireland": (csv(street(crime(area="N20000001"))), 1, []),
    "header only": (csv(street()), 0, []),
    "NUL": (csv(street(crime("a\x00b"), crime())), 1, ["there is a NUL byte"]),
    "short row": (csv(street("a,2023-01,x", crime())), 1, ["the row has too few fields"]),
    "long row": (csv(street(crime() + ",x,y", crime())), 1, ["the row has too many fields"]),
    "unquoted comma": (
        csv(street(crime(location="On or near A, B"), crime())),
        1,
        ["' B' is not an LSOA code"],
    ),
    "open quote": (
        csv(street(crime(location='"On or near'), crime(), crime("b"))),
        2,
        ["a quote is not closed"],
    ),
    "quote where none may be": (csv(street(crime('"a"b'), crime())), 1, ["a quote is in the wrong place"]),
    "spaces only": (csv(street("   ", crime())), 1, ["the row has too few fields"]),
    "month 13": (csv(street(crime(month="2023-13"), crime())), 1, ["the month is not a month ('2023-13')"]),
    "another month": (
        csv(street(crime(month="2023-02"), crime())),
        1,
        ["the month is 2023-02, the file is of 2023-01"],
    ),
    "blank month": (csv(street(crime(month=""), crime())), 1, ["the month is blank"]),
    "coordinates swapped": (
        csv(street(swapped_columns(crime()), crime())),
        1,
        ["longitude and latitude are swapped"],
    ),
    "in another country": (
        csv(street(crime(longitude="2.35", latitude="48.85"), crime())),
        1,
        ["the coordinates are outside the United Kingdom"],
    ),
    "longitude is not a number": (
        csv(street(crime(longitude="west"), crime())),
        1,
        ["longitude is not a number"],
    ),
    "latitude is NaN": (
        csv(street(crime(latitude="nan"), crime())),
        1,
        ["the coordinates are outside the United Kingdom"],
    ),
    "longitude is infinite": (
        csv(street(crime(longitude="inf"), crime())),
        1,
        ["the coordinates are outside the United Kingdom"],
    ),
    "one coordinate": (csv(street(crime(latitude=""), crime())), 1, ["the latitude is blank"]),
    "other coordinate": (csv(street(crime(longitude=""), crime())), 1, ["the longitude is blank"]),
    "no LSOA code": (csv(street(crime(area="Hartlepool"), crime())), 1, ["'Hartlepool' is not an LSOA code"]),
    "code of another level": (
        csv(street(crime(area="E02000001"), crime())),
        1,
        ["'E02000001' is not an LSOA code"],
    ),
    "no crime type": (csv(street(crime(kind=""), crime())), 1, ["the crime type is blank"]),
    "a header in the middle": (csv(street(crime(), HEADER_LINE)), 1, ["longitude is not a number"]),
    "a record three times": (
        csv(street(crime(), crime(), ASB, ASB, crime("b"), crime())),
        4,
        ["the same record is there again under the same Crime ID"] * 2,
    ),
    "outcomes beside street files": (
        zipped(**{f"2023-01/{NAME}": street(ASB), "2023-01/2023-01-cleveland-outcomes.csv": b"x"}),
        1,
        [],
    ),
    "stop and search beside street files": (
        zipped(**{NAME: street(ASB), "2023-01-cleveland-stop-and-search.csv": b"x"}),
        1,
        [],
    ),
    "files of other programs": (zipped(**{NAME: street(ASB), "__MACOSX/._x": b"x"}), 1, []),
}

#: name: (how to make it, what the message must hold besides the file's name)
REFUSED: dict[str, tuple[Build, str]] = {
    "empty": (csv(b""), "the file is empty"),
    "white space": (csv(b"\n \n"), "the file is empty"),
    "no header": (csv(crime().encode()), "line 1: the header is missing"),
    "renamed column": (
        csv(street(crime(), header=HEADER_LINE.replace("LSOA code", "LSOA Code 21"))),
        "line 1: column 'LSOA code' is missing. There is 'LSOA Code 21'",
    ),
    "missing column": (
        csv(street(crime(), header=HEADER_LINE.replace(",Context", ""))),
        "column 'Context' is missing",
    ),
    "further column": (
        csv(street(crime(), header=HEADER_LINE + ",Notes")),
        "column 'Notes' is not one of the publisher's",
    ),
    "reordered columns": (
        csv(street(crime(), header=swapped_columns(HEADER_LINE))),
        "line 1: the columns are in another order",
    ),
    "column twice": (
        csv(street(crime(), header=HEADER_LINE.replace("Latitude", "Longitude"))),
        "column 'Longitude' appears twice",
    ),
    "outcomes in a street file": (
        csv(street(header="Crime ID,Month,Reported by,Longitude,Latitude,Outcome type")),
        "this is an outcomes file",
    ),
    "stop and search in a street file": (
        csv(street(header="Type,Date,Latitude,Longitude,Object of search")),
        "this is a stop-and-search file",
    ),
    "an outcomes file": (csv(b"x", "2023-01-cleveland-outcomes.csv"), "it is an outcomes file"),
    "another name": (csv(street(ASB), "crimes.csv"), "not named like a file of data.police.uk"),
    "month 13 in the name": (
        csv(street(ASB), "2023-13-cleveland-street.csv"),
        "'2023-13' in the name is not a month",
    ),
    "unknown crime type": (
        csv(street(crime(), crime(kind="Witchcraft"))),
        "line 3: crime type 'Witchcraft' is unknown (1 rows)",
    ),
    "misspelt crime type": (csv(street(crime(kind="Burglery"))), "Did you mean 'Burglary'?"),
    "neither UTF-8 nor cp1252": (
        csv(street(crime(location="@")).replace(b"@", b"\x81")),
        "line 2: the text is neither UTF-8 nor Windows-1252",
    ),
    "half of UTF-16": (csv(b"\xff\xfe" + b"C\x00r"), "begins as UTF-16 but is not"),
    "NUL in the header": (
        csv(street(header=HEADER_LINE.replace("Month", "Mo\x00nth"))),
        "line 1: there is a NUL byte",
    ),
    "month in the wrong folder": (
        csv(street(ASB), f"2023-02/{NAME}"),
        "the file of 2023-01 lies in the folder of 2023-02",
    ),
    "month in the wrong folder of a zip": (
        zipped(**{f"2023-02/{NAME}": street(ASB)}),
        "the file of 2023-01 lies in the folder of 2023-02",
    ),
    "name points outside the zip": (
        zipped(**{f"../../{NAME}": street(ASB)}),
        "the name points outside the zip",
    ),
    "absolute name": (zipped(**{f"/etc/{NAME}": street(ASB)}), "the name points outside the zip"),
    "drive letter": (zipped(**{f"C:\\{NAME}": street(ASB)}), "the name points outside the zip"),
    "zip bomb": (zipped(**{NAME: b"0" * 20_000_000}), "a zip bomb"),
    "zip without a street file": (zipped(**{"readme.txt": b"x"}), "no street file"),
    "same month twice in a zip": (
        zipped(**{f"a/{NAME}": street(ASB), f"b/{NAME}": street(crime())}),
        "is for the same force and month",
    ),
    "not a zip": (lambda folder: put(folder, b"x" * 100, "x.zip"), "the zip cannot be read"),
    "empty zip file": (lambda folder: put(folder, b"", "x.zip"), "the zip cannot be read"),
    "folder without files": (lambda folder: folder, "no street file was found"),
}


def truncated(folder: Path) -> Path:
    path = pack(folder / "x.zip", {NAME: month_of("2023-01", 500)})
    return put(folder, path.read_bytes()[:-200], "cut.zip")


def corrupted(folder: Path) -> Path:
    path = pack(folder / "x.zip", {NAME: month_of("2023-01", 500)})
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    return put(folder, bytes(data), "bad.zip")


def lying_about_size(folder: Path) -> Path:
    """A member whose header says 1 kB and whose stream holds 20 MB."""
    path = pack(folder / "x.zip", {NAME: b"0" * 20_000_000})
    data = path.read_bytes().replace((20_000_000).to_bytes(4, "little"), b"\x00\x04\x00\x00")
    return put(folder, data, "lies.zip")


def encrypted(folder: Path) -> Path:
    path = pack(folder / "x.zip", {NAME: street(ASB)})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return put(folder, bytes(data), "secret.zip")


REFUSED |= {
    "zip cut short": (truncated, "the zip cannot be read"),
    "bytes of the zip changed": (corrupted, "damaged"),
    "zip that lies about sizes": (lying_about_size, "damaged"),
    "encrypted zip": (encrypted, "the file is encrypted"),
}


def test_the_corpus_is_large_enough() -> None:
    assert len(HANDLED) + len(REFUSED) >= 45


@pytest.mark.parametrize("case", HANDLED)
def test_rows_kept_and_rows_rejected_are_rows_read(case: str, tmp_path: Path) -> None:
    build, kept, reasons = HANDLED[case]
    (tmp_path / "in").mkdir()
    report = ingest_police_uk([build(tmp_path / "in")], tmp_path / "store")
    assert (report.rows_read, report.rows_kept) == (kept + len(reasons), kept)
    assert report.rows_rejected == len(reasons)
    listed = [row for row in rejected_rows(tmp_path / "store")]
    assert [row["reason"] for row in listed] == reasons
    assert all(NAME in row["file"] and row["line"] >= 2 for row in listed)


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_trusted_is_refused_with_its_name(case: str, tmp_path: Path) -> None:
    build, message = REFUSED[case]
    (tmp_path / "in").mkdir()
    path = build(tmp_path / "in")
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        ingest_police_uk([path], tmp_path / "store")
    problem = str(caught.value)
    assert path.name in problem or NAME in problem
    assert not list((tmp_path / "store").rglob("*.parquet"))


def rejected_rows(store: Path) -> list[dict[str, object]]:
    import pyarrow.parquet as pq

    files = open_lake(store).names("police_uk/rejected")
    return [r for f in files for r in pq.read_table(store / f, partitioning=None).to_pylist()]


def test_a_rejected_row_is_listed_with_file_line_reason_and_text(tmp_path: Path) -> None:
    path = put(tmp_path, street(crime(), "too,short"))
    ingest_police_uk([path], tmp_path / "store")
    assert rejected_rows(tmp_path / "store") == [
        {"file": NAME, "line": 3, "reason": "the row has too few fields", "row": "too,short"}
    ]


def test_a_member_of_a_zip_is_named_with_its_zip(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {f"2023-01/{NAME}": street("too,short", ASB)})
    ingest_police_uk([path], tmp_path / "store")
    assert rejected_rows(tmp_path / "store")[0]["file"] == f"x.zip/2023-01/{NAME}"


def test_every_damaged_file_of_a_folder_is_named_at_once(tmp_path: Path) -> None:
    put(tmp_path / "in", b"")
    put(tmp_path / "in", b"", "2023-02-cleveland-street.csv")
    with pytest.raises(DataError) as caught:
        ingest_police_uk([tmp_path / "in"], tmp_path / "store")
    assert len(caught.value.problems) == 2


def test_a_path_that_does_not_exist_is_answered_with_the_nearest(tmp_path: Path) -> None:
    put(tmp_path, street(ASB))
    with pytest.raises(AreaEffectError, match=f"Did you mean '{NAME}'"):
        ingest_police_uk([tmp_path / "2023-01-clevland-street.csv"], tmp_path / "store")


def test_a_file_that_ends_within_a_row_is_cut_short_and_refused(tmp_path: Path) -> None:
    whole = street(crime("a"), crime("b"), crime("c"))
    path = put(tmp_path / NAME, whole[:-90])
    with pytest.raises(DataError, match="line 4: the file ends within a row: it is cut short"):
        ingest_police_uk([path], tmp_path / "store")
    complete = put(tmp_path / NAME, whole.rstrip(b"\n"))
    assert ingest_police_uk([complete], tmp_path / "store").rows_kept == 3


def test_a_file_put_together_from_copies_is_refused(tmp_path: Path) -> None:
    rows = [crime(f"{i}") for i in range(120)]
    path = put(tmp_path / NAME, street(*rows, ASB, *rows, ASB))
    with pytest.raises(DataError, match="120 of its 242 rows are there again"):
        ingest_police_uk([path], tmp_path / "store")


def test_passed_over_files_are_recorded(tmp_path: Path) -> None:
    members = {NAME: street(ASB), "2023-01-cleveland-outcomes.csv": b"x", "readme.txt": b"x"}
    report = ingest_police_uk([pack(tmp_path / "x.zip", members)], tmp_path / "store")
    assert report.files_passed_over == 2
    assert report.notes == (
        "Passed over because it is an outcomes file, not street-level crime: "
        "x.zip/2023-01-cleveland-outcomes.csv.",
        "Passed over because it is not named like a file of data.police.uk: x.zip/readme.txt.",
    )
    passed = [r for r in open_lake(tmp_path / "store").manifest() if r["status"] == "passed over"]
    assert [r["file"] for r in passed] == ["x.zip/2023-01-cleveland-outcomes.csv", "x.zip/readme.txt"]


def test_a_month_published_again_replaces_the_earlier_and_both_are_recorded(tmp_path: Path) -> None:
    first = pack(tmp_path / "a.zip", {NAME: street(ASB)})
    second = pack(tmp_path / "b.zip", {NAME: street(ASB, crime())})
    store = tmp_path / "store"
    ingest_police_uk([first], store)
    ingest_police_uk([second], store)
    assert incidents(store) == counted(store) == 2
    manifest = {r["release"]: r for r in open_lake(store).manifest()}
    assert manifest["a.zip"]["status"] == "replaced"
    assert manifest["a.zip"]["replaced_by"] == manifest["b.zip"]["sha256"]
    assert manifest["b.zip"]["status"] == "current"


def test_two_releases_in_one_command_give_the_same_store_as_in_two(tmp_path: Path) -> None:
    first = pack(tmp_path / "a.zip", {NAME: street(ASB)})
    second = pack(tmp_path / "b.zip", {NAME: street(ASB, crime())})
    ingest_police_uk([first], tmp_path / "one")
    ingest_police_uk([second], tmp_path / "one")
    ingest_police_uk([first, second], tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_month_without_rejects_takes_the_earlier_rejects_away(tmp_path: Path) -> None:
    store = tmp_path / "store"
    ingest_police_uk([pack(tmp_path / "a.zip", {NAME: street("x,y", ASB)})], store)
    ingest_police_uk([pack(tmp_path / "b.zip", {NAME: street(ASB)})], store)
    assert rejected_rows(store) == []


def test_overlapping_archives_hold_the_same_month_once(tmp_path: Path) -> None:
    other = "2023-02-cleveland-street.csv"
    first = pack(tmp_path / "a.zip", {NAME: street(ASB)})
    second = pack(tmp_path / "b.zip", {NAME: street(ASB), other: month_of("2023-02", 3)})
    report = ingest_police_uk([first, second], tmp_path / "store")
    assert report.rows_read == 1 + 1 + 3
    assert incidents(tmp_path / "store") == counted(tmp_path / "store") == 4


def test_other_forces_of_a_month_stay_when_one_is_published_again(tmp_path: Path) -> None:
    store = tmp_path / "store"
    durham = "2023-01-durham-street.csv"
    ingest_police_uk([pack(tmp_path / "a.zip", {NAME: street(ASB), durham: street(ASB, ASB)})], store)
    ingest_police_uk([pack(tmp_path / "b.zip", {NAME: street(ASB, ASB, ASB)})], store)
    assert incidents(store) == counted(store) == 5


def test_a_repeat_changes_no_byte(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {NAME: street(ASB, crime(), "x"), "readme.txt": b"x"})
    first = ingest_police_uk([path], tmp_path / "store").to_dict()
    before = contents(tmp_path / "store")
    again = ingest_police_uk([path], tmp_path / "store").to_dict()
    assert contents(tmp_path / "store") == before
    assert again == first | {"files_new": 0}


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    a = put(tmp_path, street(ASB, crime()))
    b = put(tmp_path, month_of("2023-02", 20), "2023-02-cleveland-street.csv")
    ingest_police_uk([a, b], tmp_path / "one")
    ingest_police_uk([b, a], tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_small_batches_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    months = {
        f"2023-{m:02d}-{f}-street.csv": month_of(f"2023-{m:02d}", 30 + m)
        for m in range(1, 5)
        for f in ("cleveland", "durham")
    }
    path = pack(tmp_path / "a.zip", months)
    ingest_police_uk([path], tmp_path / "one")
    monkeypatch.setattr("areaeffect.sources.police_uk.ingest.BATCH_BYTES", 1)
    ingest_police_uk([path], tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_manifest_holds_no_path_of_this_machine(tmp_path: Path) -> None:
    ingest_police_uk([put(tmp_path, street(ASB))], tmp_path / "store")
    assert str(tmp_path) not in (tmp_path / "store" / "manifest.jsonl").read_text()


def test_a_limit_on_all_that_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("areaeffect.sources.police_uk.files.MAX_TOTAL_BYTES", 1000)
    with pytest.raises(DataError, match="were unpacked"):
        ingest_police_uk([put(tmp_path, month_of("2023-01", 50))], tmp_path / "store")


def test_a_file_may_not_be_larger_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("areaeffect.sources.police_uk.files.MAX_FILE_BYTES", 1000)
    data = month_of("2023-01", 50)
    for path in (put(tmp_path, data), pack(tmp_path / "a.zip", {NAME: data})):
        with pytest.raises(DataError, match="the file unpacks to over"):
            ingest_police_uk([path], tmp_path / "store")


def test_labels_stand_once_and_months_of_a_category_do_not_overlap() -> None:
    table = read_categories()
    assert len({c.label for c in table}) == len(table)
    months = [f"{y}-{m:02d}" for y in range(2011, 2026) for m in range(1, 13)]
    for category in {c.category for c in table}:
        spans = [c for c in table if c.category == category]
        for month in months:
            held = [c for c in spans if c.valid_from <= month <= (c.valid_to or "9999-12")]
            assert len(held) <= 1


def test_all_crime_leaves_antisocial_behaviour_out() -> None:
    assert "anti-social-behaviour" not in choose((), "x")
    assert choose((), "x") == choose(("all-crime",), "x")
    assert choose(("all-crime", "anti-social-behaviour"), "x") == tuple(
        sorted({c.category for c in read_categories()})
    )


def test_an_unknown_category_of_an_outcome_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="Did you mean 'anti-social-behaviour'"):
        choose(("antisocial-behaviour",), "x")


def test_a_category_is_not_published_before_it_existed() -> None:
    assert months_published(("shoplifting",), ("2011-08", "2011-09")) == (False, True)
    assert months_published(("violent-crime",), ("2013-04", "2013-05")) == (True, True)
    assert months_published(("bicycle-theft", "drugs"), ("2013-04", "2013-05")) == (False, True)


def test_a_sum_that_holds_where_a_category_was_before_is_published_throughout() -> None:
    months = ("2011-08", "2012-01", "2013-06")
    thefts = ("bicycle-theft", "other-theft", "theft-from-the-person")
    assert months_published(thefts, months) == (False, True, True)
    assert months_published(choose((), ""), months) == (True, True, True)
    order = ("possession-of-weapons", "public-disorder-weapons", "public-order")
    assert months_published(order, months) == (False, True, True)


@pytest.mark.parametrize(
    ("asked", "months"),
    [
        (("other-crime",), ["2011-09"]),
        (("other-theft",), ["2013-05"]),
        (("other-crime", "other-theft"), ["2011-09", "2013-05"]),
        (("violent-crime",), ["2013-05"]),
        (("public-disorder-weapons", "public-order"), ["2013-05"]),
        (("bicycle-theft", "other-theft", "theft-from-the-person"), []),
        (("burglary", "drugs"), []),
        ((), []),
    ],
)
def test_a_category_that_changed_its_meaning_is_a_break(asked: tuple[str, ...], months: list[str]) -> None:
    assert [b.month for b in breaks_of(asked or choose(asked, ""))] == months


def test_a_file_of_which_no_row_can_be_used_replaces_nothing(tmp_path: Path) -> None:
    store = tmp_path / "store"
    ingest_police_uk([put(tmp_path / "good", street(ASB, crime()))], store)
    for bad in (street(crime(month="Jan-23"), crime(area="x")), street()):
        with pytest.raises(DataError, match="no row of the file can be used") as caught:
            ingest_police_uk([put(tmp_path / "bad", bad)], store)
        assert caught.value.exit_code == 3
        assert incidents(store) == counted(store) == 2


def test_an_archive_given_again_is_what_the_store_holds(tmp_path: Path) -> None:
    store = tmp_path / "store"
    later = pack(tmp_path / "2023-12.zip", {NAME: street(ASB, ASB, ASB)})
    earlier = pack(tmp_path / "2023-03.zip", {NAME: street(ASB)})
    for given, n in ((later, 3), (earlier, 1), (later, 3), (later, 3)):
        ingest_police_uk([given], store)
        assert incidents(store) == counted(store) == n
    ingest_police_uk([later, earlier], store)
    assert incidents(store) == counted(store) == 1
    manifest = open_lake(store).manifest()
    assert sorted((r["release"], r["status"]) for r in manifest) == [
        ("2023-03.zip", "current"),
        ("2023-12.zip", "replaced"),
    ]


def test_two_files_of_a_month_in_a_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    put(folder / "a", street(ASB))
    put(folder / "b", street(ASB, ASB))
    with pytest.raises(DataError, match="is for the same force and month"):
        ingest_police_uk([folder], tmp_path / "store")
    ingest_police_uk([folder / "a", folder / "b"], tmp_path / "store")
    assert incidents(tmp_path / "store") == 2


def test_monthly_archives_in_a_folder_are_taken_by_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    pack(folder / "2023-12.zip", {NAME: street(ASB, ASB)})
    pack(folder / "2023-03.zip", {NAME: street(ASB)})
    ingest_police_uk([folder], tmp_path / "store")
    assert incidents(tmp_path / "store") == 2
    pack(folder / "download.zip", {NAME: street(ASB)})
    with pytest.raises(DataError, match="is for the same force and month"):
        ingest_police_uk([folder], tmp_path / "store")


def incidents(store: Path) -> int:
    return rows(f"SELECT count(*) FROM read_parquet('{store}/police_uk/incidents/**/*.parquet')")


def counted(store: Path) -> int:
    return rows(f"SELECT sum(n) FROM read_parquet('{store}/police_uk/counts/**/*.parquet')")


def rows(query: str) -> int:
    with duckdb.connect() as connection:
        found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0


def contents(store: Path) -> dict[str, bytes]:
    files = (p for p in store.rglob("*") if p.is_file() and p.name != ".lock")
    return {p.relative_to(store).as_posix(): p.read_bytes() for p in files}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_damaged_at_any_byte_is_named(tmp_path: Path, method: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("2023-01/2023-01-cleveland-street.csv", f"{HEADER_LINE}\n" * 40)
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x95]) + whole[at + 1 :])
        with contextlib.suppress(DataError):  # any other fault of a zip would end the test
            list(read_files(find_files([path]).files))
    path.write_bytes(whole[:60] + b"\x00\xff" * 20 + whole[100:])
    with pytest.raises(DataError, match=r"a\.zip"):
        list(read_files(find_files([path]).files))


@pytest.mark.parametrize(
    ("force", "police", "is_named"),
    [
        ("cleveland", "Cleveland Police", False),
        ("durham", "Cleveland Police", True),
        ("cleveland", "British Transport Police", True),
        ("devon-and-cornwall", "Devon & Cornwall Police", False),
        ("metropolitan", "Metropolitan Police Service", False),
        ("gwent", "Heddlu Gwent", False),  # no force has this name in the files
    ],
)
def test_a_file_whose_rows_are_of_another_police_force_is_named(
    tmp_path: Path, force: str, police: str, is_named: bool
) -> None:
    text = month_of("2023-01", 30).decode().replace("Cleveland Police", police).encode()
    put(tmp_path / "in", text, f"2023-01-{force}-street.csv")
    said = ingest_police_uk([tmp_path / "in"], tmp_path / "store").text()
    assert ("which its name does not say" in said) == is_named
    assert (f"its rows fall within {police}" in said) == is_named
