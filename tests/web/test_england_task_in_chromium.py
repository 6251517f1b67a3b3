"""From a postcode to an answer to take away, on the atlas of all England.

By touch on a phone; in all four ways where `AREAEFFECT_ALL_WAYS` is set, as `make soak` does.
England's figures have one date each, so nothing asks for a start, and the answer says how a place
stands. Needs the data folder that `studies/explore/england.toml` reads. The postcodes are made up, in
a directory as its publisher lays it out, and come by `areaeffect fetch postcodes` from a mirror.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from areaeffect.atlas.build import build_atlas
from areaeffect.web.limits import ServerSettings
from areaeffect.web.runs import runs_of
from benchmarks.web_pages import served, watch
from tests.conftest import REPOSITORY
from tests.shared.postcode_directory import NSPL, fetch_postcodes, postcode, zipped
from tests.web.test_whole_task_in_chromium import LONG, WAYS, Way, faults, look

__all__ = ["look"]  # a fixture
#: One ward for each way, so that each asks a question of its own: its name, how many areas it has,
#: and one of them, which has the postcode.
WARDS = {
    "mouse": ("Frinton", 4, "E01021985"),
    "keyboard": ("Kirby-le-Soken & Hamford", 3, "E01021995"),
    "touch": ("West Kirby and Thurstaston", 9, "E01007196"),
    "without script": ("West Clacton & Jaywick Sands", 3, "E01021988"),
}
POSTCODES = {way: postcode(n) for n, way in enumerate(WARDS)}

HERE = [way for way in WAYS if way.name == "touch" or os.environ.get("AREAEFFECT_ALL_WAYS")]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Iterator[str]:
    patch = pytest.MonkeyPatch()
    patch.setenv("AREAEFFECT_SHARED_DATA", str(real_data))
    content = zipped(NSPL, [area for _, _, area in WARDS.values()])
    fetch_postcodes(patch, tmp_path_factory.mktemp("fetched"), content)
    settings = ServerSettings(store=tmp_path_factory.mktemp("england"))
    (settings.store / "atlases").mkdir()
    study = REPOSITORY / "studies" / "explore" / "england.toml"
    build_atlas(study, settings.store / "atlases" / "england", settings.store, lambda *_: None)
    runs_of(settings).seconds = LONG  # a busy machine is slow; the limit has a test of its own
    with served(settings) as found:
        yield found
    runs_of(settings).close()
    patch.undo()


@pytest.mark.real_data
@pytest.mark.parametrize("way", HERE, ids=lambda way: way.name)
def test_the_whole_task_on_england(
    way: Way, look: Callable[[Way], Page], address: str, tmp_path: Path
) -> None:
    ward, n, _ = WARDS[way.name]
    page = look(way)
    watched = watch(page)
    page.goto(address)
    way.write(page, "Name of a place", POSTCODES[way.name])
    way.press(page, "button", "Find")
    page.get_by_text(f"{POSTCODES[way.name]} is in this area").wait_for()
    way.press(page, "button", f"Add {ward}")
    page.get_by_role("heading", name=f"Your neighbourhood: {n} areas").wait_for()
    assert faults(page, way) == []

    way.press(page, "link", "See its figures")
    page.get_by_role("heading", name=ward, level=1).wait_for()
    assert page.get_by_role("heading", name="How it stands").is_visible()
    assert page.get_by_text(re.compile(r"(Higher|Lower) than in \d+% of areas")).first.is_visible()
    assert faults(page, way) == []

    way.press(page, "link", "Compare with places like it")
    page.get_by_role("heading", name=f"{n} areas chosen").wait_for()
    assert page.get_by_text("Every figure here has one date").is_visible()
    assert page.get_by_label("When did the work or change begin?").count() == 0
    assert faults(page, way) == []

    way.press(page, "button", "Find places like it")
    way.wait_for(page, page.get_by_role("heading", name="Before you look at how it stands"))
    assert page.get_by_text("would notice a change").count() == 0
    refused = page.get_by_text("these figures are predicted from the kind of area")
    assert refused.first.is_visible(), "what cannot be answered is said before"
    assert faults(page, way) == []

    way.press(page, "button", "Show how it stands")
    way.wait_for(page, page.get_by_role("link", name="Everything in one archive"))
    assert page.get_by_role("heading", name="What was found").is_visible()
    assert faults(page, way) == []
    with page.expect_download() as taken:
        way.press(page, "link", "Report (PDF)")
    taken.value.save_as(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert watched.violations == []
    assert watched.elsewhere == []
