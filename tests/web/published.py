"""A folder of published runs made from the sample result, with names that try to break out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient

from areaeffect.further.stories import EVENTS, STORIES, THEMES, Voices
from areaeffect.records import DataTable
from areaeffect.report.files import write_result
from areaeffect.results import Annex
from areaeffect.web.app import create_app
from areaeffect.web.limits import ServerSettings
from tests.shared.sample_result import FORMULA, HOSTILE, sample_result

HERE = "http://127.0.0.1:8321"
TOKEN = "a-token-for-tests-of-24-signs"


def make_runs(folder: Path, *, shapes: bool = False) -> Path:
    """Write one run, `county`, with a story and events of its own."""
    event = ("2019-05", "", f"{HOSTILE} the hall opened")
    old = (("9999", "", "A date beyond any calendar"), ("0000", "", "A date before any"))
    story = ("Walking, home; again", HOSTILE, "2021", "Safer", "I wait at the window.\n\nI see it.")
    themes = (("Safer", "crime", HOSTILE, 1, "better", "All initiatives"),)
    tables = (
        DataTable("events", "What happened", EVENTS, (event, ("2014", "", FORMULA), *old)),
        DataTable("stories", "What people say", STORIES, (story,)),
        DataTable("themes", "Themes beside verdicts", THEMES, themes),
    )
    annexes = (Annex("stories", Voices(0), tables),)
    result = replace(sample_result(shapes=shapes, placebos=39), title=HOSTILE, annexes=annexes)
    folder.mkdir()
    write_result(result, folder / "county")
    return folder


def client(settings: ServerSettings) -> TestClient:
    """Return a client of an app with these settings; errors become answers."""
    return TestClient(create_app(settings), base_url=HERE, raise_server_exceptions=False)
