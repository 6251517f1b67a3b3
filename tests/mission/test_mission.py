"""What the mission asks of a study, in one page: findings, voices, value, a site, where next."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as etree

import pytest

from areaeffect.commands.where_next import Request, where_next_into
from areaeffect.outcomes import FAMILIES
from areaeffect.results import ALL_INITIATIVES, Verdict
from areaeffect.simulate.write import STORIES
from areaeffect.web.limits import base_url_of, contact_of
from areaeffect.web.site_pages import Frame, publish
from areaeffect.wording import sentence
from tests.mission.conftest import COST, COUNCIL, DEPRIVED, FUNDING, RESIDENTS, Mission

CONTRAST = "Resident-led against other initiatives"
BASE = "https://example.org/places"
ATOM = "{http://www.w3.org/2005/Atom}"

# ---------------------------------------------------------------- findings


@pytest.mark.parametrize("claim", ["change", "level"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_finding_of_both_kinds(mission: Mission, family: str, claim: str) -> None:
    rows = json.loads((mission.out / "findings.json").read_text(encoding="utf-8"))["findings"]
    own = [
        r for r in rows
        if (r["family"], r["claim"], r["group"]) == (family, claim, ALL_INITIATIVES)
    ]  # fmt: skip
    assert own
    for row in own:
        assert row["low"] <= row["estimate"] <= row["high"]
        assert row["sentence"]
        assert row["maryland"] <= (2 if claim == "level" else 3)


def test_a_change_is_found_where_it_was_put_and_only_there(mission: Mission) -> None:
    for outcome in ("antisocial_behaviour", "criminal_damage", "environment_score"):
        assert mission.find(RESIDENTS, outcome).verdict is Verdict.BETTER
        assert mission.find(COUNCIL, outcome).verdict is Verdict.CANNOT_TELL


def test_a_level_is_higher_or_lower_and_never_better(mission: Mission) -> None:
    of_groups = [f for f in mission.result.findings if f.neighbourhood is None and f.outcome]
    assert {f.verdict for f in of_groups if f.claim == "level"} <= {
        Verdict.HIGHER, Verdict.LOWER, Verdict.ALIKE, Verdict.CANNOT_TELL
    }  # fmt: skip


def test_resident_led_and_other_initiatives_are_contrasted(mission: Mission) -> None:
    both = mission.find(CONTRAST, "antisocial_behaviour")
    led, other = (mission.find(g, "antisocial_behaviour") for g in (RESIDENTS, COUNCIL))
    assert led.estimate is not None
    assert other.estimate is not None
    assert both.estimate == pytest.approx((1 + led.estimate) / (1 + other.estimate) - 1)
    assert both.verdict is Verdict.BETTER
    assert (led.n_neighbourhoods, other.n_neighbourhoods) == (5, 4)


def test_the_most_deprived_places_have_a_finding_of_their_own(mission: Mission) -> None:
    annex = mission.result.annex("groups")
    assert annex is not None
    rows = [r for r in annex.table("groups").records() if r["value"] == DEPRIVED]
    asked = {f.outcome for f in mission.result.findings if f.outcome and f.claim == "change"}
    assert {r["outcome"] for r in rows} >= asked
    assert {r["neighbourhoods"] for r in rows} == {len(mission.deprived)}
    assert DEPRIVED in (mission.out / "annex.html").read_text(encoding="utf-8")


def test_areas_of_another_initiative_never_serve_as_benchmark_areas(mission: Mission) -> None:
    design = json.loads((mission.out / "design.json").read_text(encoding="utf-8"))
    roles = {a["area"]: (a["role"], a["reason"]) for a in design["areas"]}
    assert {roles[code] for code in mission.others} == {("left out", "in another initiative of the register")}
    annex = mission.result.annex("register")
    assert annex is not None
    assert "Wardens" in (mission.out / "annex.html").read_text(encoding="utf-8")


def test_what_is_said_names_size_places_and_interval(mission: Mission) -> None:
    text = sentence(mission.find(RESIDENTS, "antisocial_behaviour"))
    for words in ("5 neighbourhoods", "benchmark areas", "95%", "2017"):
        assert words in text


# ---------------------------------------------------------------- value and voices


def test_the_value_is_the_avoided_crimes_at_the_study_s_own_price(mission: Mission) -> None:
    annex = mission.result.annex("value")
    assert annex is not None
    rows = [r for r in annex.table("value").records() if r["group"] == RESIDENTS]
    avoided = mission.find(RESIDENTS, "crime").avoided
    assert avoided is not None
    (row,) = rows
    assert row["avoided"] == pytest.approx(avoided)
    assert row["value"] == pytest.approx(avoided * COST)
    assert row["low"] < row["value"] < row["high"]
    assert row["per_pound"] == pytest.approx(row["value"] / FUNDING)


def test_only_the_study_s_own_costs_are_used(mission: Mission) -> None:
    annex = mission.result.annex("value")
    assert annex is not None
    page = (mission.out / "annex.html").read_text(encoding="utf-8")
    assert "accounts of the county council" in page


def test_stories_and_events_stand_beside_the_numbers_and_change_none(mission: Mission) -> None:
    page = (mission.out / "annex.html").read_text(encoding="utf-8")
    for title, _, consent, text in STORIES:
        assert (title in page) == consent
        assert (text.split("\n")[0] in page) == consent
    assert "the partnership held its first meeting" in page


# ---------------------------------------------------------------- a site


@pytest.fixture(scope="module")
def site(mission: Mission) -> Path:
    out = mission.out.parent.parent / "site"
    frame = Frame(contact=contact_of("people@example.org"), base_url=base_url_of(BASE))
    publish(mission.out.parent, out, frame)
    return out


def test_the_feed_holds_findings_stories_and_events(site: Path) -> None:
    entries = etree.parse(site / "feed.atom").getroot().findall(f"{ATOM}entry")
    kinds = {e.find(f"{ATOM}category").get("term") for e in entries}
    assert kinds == {"finding", "story", "event"}
    for entry in entries:
        address = entry.find(f"{ATOM}link").get("href").partition("#")[0]
        assert (site / address.removeprefix(f"{BASE}/")).is_file()


def test_every_finding_has_a_link_to_share(site: Path) -> None:
    pages = sorted((site / "county" / "findings").glob("*.html"))
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        address = f"{BASE}/{page.relative_to(site).as_posix()}"
        assert f'<a rel="bookmark" href="{address}">' in text
        assert f'<meta property="og:url" content="{address}">' in text


def test_the_finding_of_a_programme_has_its_chart_as_picture(site: Path) -> None:
    page = site / "county" / "findings" / "residents-first-crime-change-ratio.html"
    (picture,) = re.findall(r'property="og:image" content="([^"]+)"', page.read_text("utf-8"))
    assert (site / picture.removeprefix(f"{BASE}/")).read_bytes().startswith(b"\x89PNG")


def test_every_run_says_where_to_send_a_story_or_an_event(site: Path) -> None:
    text = (site / "county" / "index.html").read_text(encoding="utf-8")
    assert "Send us your story or event: " in text
    assert 'href="mailto:people@example.org"' in text


# ---------------------------------------------------------------- where next


def test_places_to_work_next_are_new_and_ranked(mission: Mission) -> None:
    folder = mission.study.parent
    request = Request(study=mission.study, results=mission.out, first=5)
    made = where_next_into(request, folder / "next", lambda _step, _done, _of: None)
    treated = {a for d in mission.result.designs for a in d.areas}
    listed = [str(made.areas[a]) for place in made.places for a in place]
    assert listed
    assert len(listed) == len(set(listed))
    assert not set(listed) & (treated | mission.others)
    assert (folder / "next" / "where_next.html").is_file()
