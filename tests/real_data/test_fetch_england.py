"""`areaeffect fetch` of a set against the publishers' mirror: whole, interrupted, and then used."""

from __future__ import annotations

import hashlib
import os
import random
import signal
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import pytest
from pandas import read_csv

from areaeffect.commands import fetch as command
from areaeffect.commands.evaluate import evaluate
from areaeffect.commands.init import init
from areaeffect.sources.publishers.releases import catalogue, sets
from areaeffect.sources.publishers.tables import read
from tests.real_data import national_mirror
from tests.shared import publisher_mirror
from tests.shared.two_forms import assert_the_same

pytestmark = pytest.mark.slow
#: Interruptions here; `AREAEFFECT_INTERRUPTIONS=30` for the long run.
INTERRUPTIONS = int(os.environ.get("AREAEFFECT_INTERRUPTIONS", "3"))
#: The other sets are interrupted in the long run alone.
INTERRUPTED = list(sets()) if "AREAEFFECT_INTERRUPTIONS" in os.environ else ["england"]
#: Releases whose file is on record by a hash that the mirror's rewriting of it cannot have.
REWRITTEN = "census_2021_ethnic_group"

#: Releases whose file is read and held against the shared copy.
COMPARED = [
    i for i in sets()["england"] if catalogue()[i].copies and catalogue()[i].files[0].layout != "outlines"
]


@pytest.fixture(scope="module")
def mirror(real_data, tmp_path_factory):
    with publisher_mirror.running() as server, pytest.MonkeyPatch.context() as patch:
        release = catalogue()[REWRITTEN]
        (file,) = release.files
        loose = replace(file, origin=replace(file.origin, sha256=""))
        patch.setitem(catalogue(), REWRITTEN, replace(release, files=(loose,)))
        patch.setenv("AREAEFFECT_MIRROR", server.base)
        national_mirror.fill(server, real_data, tmp_path_factory.mktemp("mirror"))
        national_mirror.fill_police(server, real_data)
        yield server


@pytest.fixture(scope="module")
def set_of(mirror, tmp_path_factory):
    """Return the folder of a whole set, fetched once.

    Another set has the files that it shares with England's from there; in the long run it asks for
    each of them itself.
    """

    @cache
    def fetched(name):
        folder = tmp_path_factory.mktemp(name)
        shared = (
            set() if name == "england" or name in INTERRUPTED else set(sets()[name]) & set(sets()["england"])
        )
        for path in (Path(f.path) for i in shared for f in catalogue()[i].files):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            for own in (fetched("england") / path.parent).glob(f"{path.stem}.*"):
                os.link(own, folder / path.parent / own.name)
        report = command.fetch(command.plan([name], folder), lambda *_: None)
        assert sum(f.asked for f in report.files) == len(report.files) - sum(
            len(catalogue()[i].files) for i in shared
        )
        return folder

    return fetched


@pytest.fixture(scope="module")
def fetched(set_of):
    return set_of("england")


def hashes(folder):
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.mark.parametrize("name", list(sets()))
def test_everything_of_a_set_comes_and_can_be_read(name, set_of, real_data):
    """A release that an earlier set has read is read once: the files are the same."""
    fetched, earlier = set_of(name), list(sets())[: list(sets()).index(name)]
    for release_id in set(sets()[name]).difference(*(sets()[other] for other in earlier), COMPARED):
        release = catalogue()[release_id]
        if release.is_table:
            table = read(release_id, fetched)
            assert len(table.areas) >= release.areas
    assert not (fetched / ".part").exists()


def test_again_changes_nothing_and_asks_nobody(fetched, mirror):
    before, n = hashes(fetched), len(mirror.asked)
    report = command.fetch(command.plan(["england"], fetched), lambda *_: None)
    assert not any(f.asked for f in report.files)
    assert hashes(fetched) == before
    assert len(mirror.asked) == n
    text = report.text()
    assert text.count("Open Parliament Licence v3.0:") == 1
    assert "Ministry of Housing" in text


@pytest.mark.parametrize("release_id", COMPARED)
def test_the_publishers_file_and_the_copy_are_the_same_table(release_id, fetched, real_data):
    assert_the_same(release_id, fetched, real_data)


def _fetch_in_a_process(name, folder):
    command.fetch(command.plan([name], folder), lambda *_: None)


@pytest.mark.parametrize("name", INTERRUPTED)
def test_an_interrupted_fetch_goes_on_to_the_same_bytes(name, set_of, mirror, tmp_path):
    """Killed at random moments, it goes on where it was; no half file has a final name."""
    whole, chance = hashes(set_of(name)), random.Random(20)
    fork, killed = get_context("fork"), 0
    for item in mirror.items.values():
        item.not_ready = 1 if item.format == "geoPackage" else 0
    for _ in range(50 * INTERRUPTIONS):
        process = fork.Process(target=_fetch_in_a_process, args=(name, tmp_path))
        process.start()
        if killed == INTERRUPTIONS:
            process.join()
            break
        process.join(chance.uniform(0.2, 2.0))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.join()
        here = {p: h for p, h in hashes(tmp_path).items() if not p.startswith(".part")}
        for path, digest in here.items():
            if not path.endswith(".fetched.json"):
                assert digest == whole[path], path
        if process.exitcode == 0 and killed < INTERRUPTIONS:  # whole already: begin again
            for path in list(here)[::3]:
                (tmp_path / path).unlink()
    assert killed == INTERRUPTIONS
    assert process.exitcode == 0
    assert hashes(tmp_path) == whole


def test_a_study_of_hartlepool_runs_from_nothing_but_what_was_fetched(fetched, mirror, tmp_path, monkeypatch):
    monkeypatch.setenv("AREAEFFECT_FETCHED", str(fetched))
    monkeypatch.setenv("AREAEFFECT_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(tmp_path / "nothing"))
    wanted = command.plan(["police_uk"], None, "2023-01", "2025-11", ["cleveland"])
    report = command.fetch(wanted, lambda *_: None)
    assert len(report.files) == 35
    assert report.gaps == ()
    init(tmp_path / "study", "england")
    listed = read_csv(tmp_path / "study/areas.csv")["area_code"]
    places = read("places_lsoa21", fetched)
    inside = places.areas[places.texts["ltla22_name"] == "Hartlepool"]
    assert set(listed) <= set(inside)
    result = evaluate(tmp_path / "study/study.toml", 1)
    assert result.findings[0].estimate is not None
    assert result.findings[0].verdict


#: A study of two places by files that a set brings, on areas of Wales or of 2011.
ELSEWHERE = """
[study]
title = "Two places"
question = "Did recorded crime change?"
window = {{ start = "2023-01", end = "2025-10" }}

[source.police]
kind = "police_uk"
ingest = ["${{AREAEFFECT_FETCHED}}/police_uk"]
vintage = "{vintage}"
boundaries = "${{AREAEFFECT_FETCHED}}/geography/{outlines}"
boundaries_area = "{area}"

[source.residents]
kind = "published"
release = "{residents}"

[source.deprivation]
kind = "published"
release = "{deprivation}"

[[initiative]]
name = "An initiative"
areas = "areas.csv"

[design]
covariates = [{{ column = "deprivation.{column}", as_of = "{as_of}" }}]
history = "12-month blocks"
nearest = 60

[[outcome]]
name = "all_crime"
family = "crime"
label = "recorded crime"
unit = "crimes"
source = "police"
category = ["all-crime"]
exposure = "residents.residents"
claim = "change"
better = "lower"
smallest_effect_of_interest = 0.05

[analysis]
placebos = 199
"""
WELSH = {
    "vintage": "lsoa21",
    "outlines": "LSOA_2021_EW_BGC_V5.gpkg",
    "area": "LSOA21CD",
    "residents": "census_2021_residents",
    "deprivation": "census_2021_household_deprivation",
    "column": "not_deprived",
    "as_of": "2021",
}
OF_2011 = {
    "vintage": "lsoa11",
    "outlines": "LSOA_2011_EW_BGC_V3.geojson",
    "area": "LSOA11CD",
    "residents": "population_mid_year",
    "deprivation": "imd_2019",
    "column": "imd_score",
    "as_of": "2019",
}


@pytest.mark.parametrize(
    ("name", "force", "begins", "values"),
    [("wales", "gwent", "Newport 0", WELSH), ("england-2011", "cleveland", "Hartlepool 0", OF_2011)],
)
def test_a_study_elsewhere_runs_from_nothing_but_what_was_fetched(
    name, force, begins, values, set_of, tmp_path, monkeypatch
):
    """A Welsh place, and a place on areas of 2011."""
    fetched = set_of(name)
    monkeypatch.setenv("AREAEFFECT_FETCHED", str(fetched))
    monkeypatch.setenv("AREAEFFECT_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(tmp_path / "nothing"))
    wanted = command.plan(["police_uk"], None, "2023-01", "2025-10", [force])
    assert command.fetch(wanted, lambda *_: None).gaps == ()
    found = read(f"places_{values['vintage']}", fetched)
    inside = [a for a, n in zip(found.areas, found.names, strict=True) if n.startswith(begins)]
    rows = [f"{area},Place {i // 3},2025-01-01" for i, area in enumerate(inside[:6])]
    (tmp_path / "areas.csv").write_text("\n".join(["area_code,neighbourhood,start_date", *rows]))
    (tmp_path / "study.toml").write_text(ELSEWHERE.format(**values))
    finding = evaluate(tmp_path / "study.toml", 1).findings[0]
    assert finding.estimate is not None
    assert finding.verdict
