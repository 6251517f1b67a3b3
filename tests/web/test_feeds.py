"""Feeds and calendars hold to their standards, whatever the texts in them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.web import limits
from areaeffect.web.feeds import Entry, Happening, atom, calendar, span
from areaeffect.web.settings import Settings
from tests.shared.sample_result import HOSTILE
from tests.web.published import client, make_runs

ATOM = "{http://www.w3.org/2005/Atom}"
WHEN = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
ANY = st.text(max_size=200)


def unfolded(body: bytes) -> list[str]:
    assert body.endswith(b"\r\n")
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    assert b"\n" not in body.replace(b"\r\n", b"")
    return body.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


@given(title=ANY, summary=ANY)
def test_a_feed_is_xml_with_all_that_atom_asks_for(title: str, summary: str) -> None:
    entries = [Entry(f"/x/{n}", title, summary, WHEN, "story") for n in range(2)]
    feed = fromstring(atom(title, "/x/feed.atom", "https://example.org", entries))

    ids = [e.findtext(f"{ATOM}id") for e in (feed, *feed.iter(f"{ATOM}entry"))]
    assert len(set(ids)) == 3
    assert all(i and re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", i) for i in ids)
    for part in (feed, *feed.iter(f"{ATOM}entry")):
        assert part.find(f"{ATOM}title") is not None
        assert part.findtext(f"{ATOM}updated") == "2026-11-22T12:30:00Z"
        links = {x.get("rel"): x.get("href") for x in part.findall(f"{ATOM}link")}
        assert str(links["alternate"]).startswith("https://example.org/x")
    assert feed.findtext(f"{ATOM}author/{ATOM}name")


def test_a_feed_holds_the_newest() -> None:
    many = limits.FEED_ENTRIES + 1
    entries = [Entry(f"/x/{n}", "t", "s", WHEN + timedelta(days=n), "story") for n in range(many)]
    feed = fromstring(atom("A feed", "/x/feed.atom", "", entries))

    listed = [e.findtext(f"{ATOM}updated") for e in feed.iter(f"{ATOM}entry")]
    assert len(listed) == limits.FEED_ENTRIES
    assert listed == sorted(map(str, listed), reverse=True)
    assert feed.findtext(f"{ATOM}updated") == listed[0]


@given(title=ANY, place=ANY, day=st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_a_calendar_line_is_never_too_long_nor_broken_by_a_text(
    title: str, place: str, day: date
) -> None:
    happening = Happening("/stories/x", day.isoformat(), title, place, "A run", WHEN)
    lines = unfolded(calendar("Events", "https://example.org", [happening]))

    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    names = [line.partition(":")[0].partition(";")[0] for line in lines]
    assert names.count("BEGIN") == names.count("END") == 2
    for needed in ("VERSION", "PRODID", "UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"):
        assert names.count(needed) == 1, needed
    assert f"DTSTART;VALUE=DATE:{day:%Y%m%d}" in lines or day.year < 1000


@pytest.mark.parametrize(
    ("day", "first", "after"),
    [
        ("2014", date(2014, 1, 1), date(2015, 1, 1)),
        ("2014-12", date(2014, 12, 1), date(2015, 1, 1)),
        ("2014-02", date(2014, 2, 1), date(2014, 3, 1)),
        ("2014-12-31", date(2014, 12, 31), date(2015, 1, 1)),
        ("2014-02-31", date(2014, 2, 1), date(2014, 3, 1)),
    ],
)
def test_a_date_spans_what_is_known_of_it(day: str, first: date, after: date) -> None:
    assert span(day) == (first, after)


def test_text_of_a_calendar_is_escaped() -> None:
    happening = Happening("/x", "2014", "a\\b;c,d\r\ne", "Elm, Park", "Run", WHEN)
    text = calendar("Events", "", [happening]).decode()
    assert "SUMMARY:a\\\\b\\;c\\,d\\ne\r\n" in text
    assert "LOCATION:Elm\\, Park\r\n" in text


def test_findings_stories_and_events_are_in_the_feeds(settings: Settings, tmp_path: Path) -> None:
    runs = make_runs(tmp_path / "runs")
    with client(replace(settings, runs=runs, read_only=True)) as site:
        everything = site.get("/feed.atom")
        own = site.get("/runs/county/feed.atom")
        ics = site.get("/runs/county/events.ics")
        listed = site.get("/stories.json").json()["stories"]

    kinds = [c.get("term") for c in fromstring(everything.content).iter(f"{ATOM}category")]
    assert {"finding", "story", "event"} == set(kinds)
    assert everything.headers["content-type"].startswith("application/atom+xml")
    assert len(list(fromstring(own.content).iter(f"{ATOM}entry"))) == len(kinds)
    assert HOSTILE in [t.text for t in fromstring(own.content).iter(f"{ATOM}title")]
    assert ics.headers["content-type"].startswith("text/calendar")
    events = [s for s in listed if s["kind"] == "event"]
    assert ics.text.count("BEGIN:VEVENT") == len(events) == 2
