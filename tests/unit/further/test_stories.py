from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from areaeffect.errors import DataError
from areaeffect.further.stories import read_events, read_stories, stories_section, theme_rows
from areaeffect.results import Verdict
from areaeffect.study.analysis import Stories
from tests.shared.sample_result import sample_result

PLACES = ("Elm Park", "Mill Lane")
STORIES = Stories(folder="stories", themes={"people feel safe": "crime"})
HEAD = """+++
title = "Walking home"
place = "Elm Park"
date = "2021-05"
themes = ["people feel safe"]
consent = true
+++
"""


def put(folder: Path, text: str, name: str = "one.md") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_events_are_sorted_by_date(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    rows = "2021-05,elm  park,opened\n2019,,founded\n2021-05,Elm Park,opened\n"
    path.write_text(f"date,neighbourhood,what\n{rows}")
    assert read_events(path, PLACES) == (
        (("2019", "", "founded"), ("2021-05", "Elm Park", "opened")),
        ("events.csv: 3 rows read, 2 kept, 1 left out.",),
    )


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("last year,Elm Park,opened", "'last year' is not a date"),
        ("2021-13,Elm Park,opened", "'2021-13' is not a date"),
        ("2021-02-31,Elm Park,opened", "'2021-02-31' is not a date"),
        ("9999,Elm Park,opened", "'9999' is not a date"),
        ("2021,Elm Prk,opened", "'Elm Prk' is not a neighbourhood.*Elm Park"),
        ("2021,Elm Park,", "does not say what happened"),
    ],
)
def test_bad_events_are_refused_with_their_row(row: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"date,neighbourhood,what\n{row}\n")
    with pytest.raises(DataError, match=says):
        read_events(path, PLACES)


def test_a_story_without_consent_is_counted_and_not_printed(tmp_path: Path) -> None:
    folder = put(tmp_path / "stories", HEAD + "I wait at the window.")
    put(folder, HEAD.replace("consent = true", "consent = false") + "Secret.", "two.md")
    told, withheld = read_stories(folder, STORIES, PLACES)
    assert [s.text for s in told] == ["I wait at the window."]
    assert withheld == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("No head at all.", "has no head"),
        (HEAD.replace('"Walking home"', "Walking"), "not TOML"),
        (HEAD.replace("consent = true\n", "") + "x", "consent"),
        (HEAD.replace("people feel safe", "people fly") + "x", "theme 'people fly'"),
        (HEAD.replace("Elm Park", "Elm Perk") + "x", "not a neighbourhood.*Elm Park"),
        (HEAD.replace("2021-05", "in May") + "x", "not a period"),
        (HEAD, "1 to 10,000 characters"),
        (HEAD + "x" * 10_001, "1 to 10,000 characters"),
    ],
)
def test_bad_stories_are_refused_with_their_file(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=says):
        read_stories(put(tmp_path / "stories", text), STORIES, PLACES)


def test_themes_stand_beside_the_nearest_finding(tmp_path: Path) -> None:
    told, _ = read_stories(put(tmp_path / "stories", HEAD + "x"), STORIES, PLACES)
    finding = next(f for f in sample_result().findings if f.neighbourhood is None)
    general = replace(finding, family="crime", verdict=Verdict.BETTER, primary=True)
    own = replace(general, neighbourhood="Elm Park", verdict=Verdict.CANNOT_TELL)
    (near,) = theme_rows(told, STORIES, (general, own))
    assert near[3:] == (1, "cannot tell", "Elm Park")
    (far,) = theme_rows(told, STORIES, (general,))
    assert far[3:] == (1, "better", general.group)
    (none,) = theme_rows(told, STORIES, ())
    assert none[3:] == (1, "not studied", "")


def test_without_stories_the_section_still_stands() -> None:
    from areaeffect.further import stories
    from areaeffect.records import DataTable
    from areaeffect.results import Annex

    tables = [("events", stories.EVENTS), ("stories", stories.STORIES), ("themes", stories.THEMES)]
    annex = Annex("stories", stories.Voices(0), tuple(DataTable(n, n, c, ()) for n, c in tables))
    assert len(stories_section(sample_result(), annex).blocks) == 1


def test_events_are_numbered_on_the_trend_and_named_in_its_note() -> None:
    from areaeffect.report import figures

    result = sample_result()
    finding = next(f for f in result.findings if f.neighbourhood is None and f.claim == "change")
    series = next(s for s in result.series if (s.group, s.outcome) == (finding.group, finding.outcome))
    middle = series.periods[len(series.periods) // 2]
    events = ((middle, "", "a hall <b> opened"), ("1066", "Elm Park", "too early"))
    figure = figures.trend(finding, series, events)
    plain = figures.trend(finding, series)
    assert figure.chart.count("<text") == plain.chart.count("<text") + 1
    note = figures.events_note(events)
    assert "Events: 1: a hall <b> opened (everywhere" in note
    assert "2: too early (Elm Park, 1066)" in note


def test_a_group_has_the_events_of_its_own_places_and_of_everywhere() -> None:
    from areaeffect.further import stories
    from areaeffect.further.stories import events_of
    from areaeffect.records import DataTable
    from areaeffect.results import ALL_INITIATIVES, Annex

    result = sample_result()
    treated = next(a for a in result.areas if a.role == "treated")
    rows = (("2019", treated.neighbourhood, "x"), ("2020", "", "y"), ("2021", "elsewhere", "z"))
    annex = Annex("stories", stories.Voices(0), (DataTable("events", "E", stories.EVENTS, rows),))
    held = replace(result, annexes=(annex,))
    assert [e[2] for e in events_of(held, treated.initiative)] == ["x", "y"]
    assert [e[2] for e in events_of(held, ALL_INITIATIVES)] == ["x", "y", "z"]
    assert events_of(result, treated.initiative) == ()
