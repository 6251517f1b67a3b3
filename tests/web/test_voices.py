"""Stories and events: nothing shows before a moderator says so, and nothing tells who wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from areaeffect.errors import DataError
from areaeffect.further.stories import (
    Front,
    Story,
    parse_story,
    read_events,
    read_stories,
    story_text,
)
from areaeffect.study.survey import Stories
from areaeffect.web import limits
from areaeffect.web.settings import Settings
from areaeffect.web.submission import THEMES, TRAP
from areaeffect.web.voices import Voice, Voices
from tests.web.published import FORM, TOKEN, client, make_runs

CONTACT = "somebody@example.org"
STORY = {
    "kind": "story",
    "run": "county",
    "place": "neighbourhood-1-residents-first",
    "date": "2021-05",
    "title": 'The bench, the mower; and "us"',
    "text": "We started with one bench.\r\n\r\n+++\r\n<b>Now</b> there is a rota.",
    "theme": ["social_relationships", "environment"],
    "contact": CONTACT,
    "consent": "yes",
}
EVENT = {k: v for k, v in STORY.items() if k not in {"text", "theme"}} | {
    "kind": "event",
    "title": "The hall, opened at last",
}
SIGNED = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_runs(tmp_path_factory.mktemp("voices") / "runs")


@pytest.fixture
def public(settings: Settings, runs: Path) -> Settings:
    return replace(settings, runs=runs, read_only=True, token=TOKEN)


@pytest.fixture
def site(public: Settings) -> Iterator[TestClient]:
    with client(public) as found:
        yield found


def send(site: TestClient, form: dict[str, object] = STORY, **changes: object) -> str:
    answer = site.post("/stories/submit", data=form | changes)
    assert answer.status_code == 201, answer.text
    code = re.search(r"<code>([0-9a-f]{32})</code>", answer.text)
    return code[1] if code else ""


def waiting(site: TestClient) -> list[tuple[str, str]]:
    page = site.get("/stories/moderate", headers=SIGNED)
    return re.findall(
        r'name="run" value="([^"]+)"><input type="hidden" name="key" value="(\w+)"', page.text
    )


def decide(site: TestClient, decision: str) -> None:
    for run, key in waiting(site):
        form = {"run": run, "key": key, "decision": decision}
        answer = site.post("/stories/moderate", data=form, headers=SIGNED, follow_redirects=False)
        assert answer.status_code == 303


def everything(site: TestClient) -> str:
    pages = ["/stories", "/stories.json", "/stories/feed.atom", "/stories/events.ics", "/feed.atom"]
    pages += ["/runs/county", "/runs/county.json", "/runs/county/feed.atom"]
    pages += [f"/runs/county/neighbourhoods/{STORY['place']}{end}" for end in ("", ".json", ".csv")]
    pages += re.findall(r'href="(/stories/[0-9a-f]{32})"', site.get("/stories").text)
    return "\n".join(site.get(path).text for path in pages)


def test_a_story_waits_until_a_moderator_shows_it(site: TestClient) -> None:
    send(site)
    assert "one bench" not in everything(site)
    assert len(waiting(site)) == 1

    decide(site, "show")

    told = everything(site)
    assert "one bench" in told
    assert "&lt;b&gt;Now&lt;/b&gt;" in told
    assert "<b>Now</b> there" not in site.get("/stories").text
    assert waiting(site) == []
    assert "one bench" in site.get(f"/runs/county/neighbourhoods/{STORY['place']}").text


def test_what_is_refused_is_deleted(site: TestClient, public: Settings) -> None:
    send(site)
    decide(site, "refuse")

    left = [p for p in public.work.rglob("*") if p.is_file() and p.name != ".lock"]
    assert left == []
    assert "one bench" not in everything(site)


def test_the_contact_is_shown_to_the_moderator_alone_and_then_deleted(
    site: TestClient, public: Settings
) -> None:
    send(site)
    send(site, EVENT)
    assert CONTACT in site.get("/stories/moderate", headers=SIGNED).text
    assert all(p.stat().st_mode & 0o077 == 0 for p in public.work.rglob("*.txt"))
    assert CONTACT not in everything(site)

    decide(site, "show")

    assert CONTACT not in everything(site)
    kept = [p for p in public.work.rglob("*") if p.is_file()]
    assert not any(CONTACT.encode() in p.read_bytes() for p in kept)


def test_what_is_shown_is_what_a_study_reads(site: TestClient, public: Settings) -> None:
    send(site)
    send(site, EVENT)
    decide(site, "show")
    folder = public.work / "stories" / "county"
    themes = {title: name for name, title in THEMES.items()}
    places = ["Neighbourhood 1"]

    told, withheld = read_stories(
        folder / "stories", Stories(folder="stories", themes=themes), places
    )
    events = read_events(folder / "events.csv", places)

    assert withheld == 0
    (story,) = told
    assert story.front.title == STORY["title"]
    assert story.text == "We started with one bench.\n\n+++\n<b>Now</b> there is a rota."
    assert events == (("2021-05", "Neighbourhood 1", "The hall, opened at last"),)


def test_whoever_has_the_code_can_take_it_back(site: TestClient) -> None:
    codes = [send(site), send(site, EVENT), send(site, title="Waits")]
    for run, key in waiting(site)[:2]:
        form = {"run": run, "key": key, "decision": "show"}
        site.post("/stories/moderate", data=form, headers=SIGNED)
    assert "one bench" in everything(site)

    assert site.post("/stories/withdraw", data={"code": "0" * 32}).status_code == 422
    for code in codes:
        assert site.post("/stories/withdraw", data={"code": code}).status_code == 200

    told = everything(site)
    assert "one bench" not in told
    assert "The hall, opened" not in told
    assert waiting(site) == []


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("consent", "", "if you agree"),
        ("place", "elsewhere", "Choose a neighbourhood"),
        ("place", "../../etc", "Choose a neighbourhood"),
        ("date", "last May", "2014-05-12"),
        ("date", "2021-02-31", "does not have this day"),
        ("date", "9999", "from 1900"),
        ("title", "", "Write a title"),
        ("title", "=1+1", "Begin with a letter"),
        ("title", "two\nlines", "one line"),
        ("title", "\u202eright to left", "signs that cannot be shown"),
        ("text", "", "Write your story"),
        ("text", "bell\x07", "signs that cannot be shown"),
        ("text", "http://a http://b https://c", "at most 2 web addresses"),
        ("theme", "", "at least one"),
        ("contact", "a\x00b", "signs that cannot be shown"),
    ],
)
def test_a_form_with_a_fault_comes_back_as_it_was_filled_in(
    site: TestClient, field: str, value: str, says: str
) -> None:
    answer = site.post("/stories/submit", data=STORY | {field: value})

    assert answer.status_code == 422
    assert says in answer.text
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}"' in answer.text
    assert f'id="{field}-error"' in answer.text
    kept = "one bench" if field != "text" else "The bench, the mower"
    assert kept in answer.text
    assert waiting(site) == []


@pytest.mark.parametrize(
    ("field", "letters"),
    [
        ("title", limits.TITLE_LETTERS),
        ("text", limits.STORY_LETTERS),
        ("contact", limits.CONTACT_LETTERS),
    ],
)
def test_a_text_over_its_limit_is_refused_in_few_bytes(
    site: TestClient, field: str, letters: int
) -> None:
    send(site, STORY | {field: "x" * letters})
    answer = site.post("/stories/submit", data=STORY | {field: "x" * (letters + 1)})

    assert answer.status_code == 422
    assert len(answer.content) <= limits.ERROR_BYTES
    assert len(waiting(site)) == 1


def test_a_form_over_its_limit_is_refused_said_or_not(site: TestClient) -> None:
    block = b"text=" + b"x" * limits.STORY_BYTES
    said = site.post("/stories/submit", content=block, headers=FORM)
    unsaid = site.post("/stories/submit", content=iter([block]), headers=FORM)

    assert (said.status_code, unsaid.status_code) == (413, 413)
    assert max(len(said.content), len(unsaid.content)) <= limits.ERROR_BYTES


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"run": "nowhere"}, 404), ({"run": "../county"}, 404), ({"else": "x"}, 400)],
)
def test_a_form_that_is_not_ours_is_refused(
    site: TestClient, changes: dict[str, str], status: int
) -> None:
    assert site.post("/stories/submit", data=STORY | changes).status_code == status


def test_only_plain_forms_are_read(site: TestClient) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain", ""):
        answer = site.post("/stories/submit", content=b"{}", headers={"content-type": kind})
        assert answer.status_code == 415, kind


def test_a_form_of_another_site_is_not_carried_out(site: TestClient) -> None:
    for path in (
        "/stories/submit",
        "/stories/withdraw",
        "/stories/moderate",
        "/stories/moderate/sign-in",
    ):
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            answer = site.post(path, data=STORY, headers=headers | SIGNED)
            assert answer.status_code == 403, path
    assert waiting(site) == []


def test_who_fills_in_the_hidden_field_is_thanked_and_not_kept(site: TestClient) -> None:
    assert send(site, STORY | {TRAP: "http://buy.example"}) == ""
    assert waiting(site) == []


def test_so_many_an_hour_from_one_address_and_no_more(site: TestClient) -> None:
    for _ in range(limits.STORIES_AN_HOUR):
        send(site)
    answer = site.post("/stories/submit", data=STORY)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
    assert len(answer.content) <= limits.ERROR_BYTES
    assert len(waiting(site)) == limits.STORIES_AN_HOUR


def test_so_many_a_day_and_so_many_that_wait(
    public: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STORIES_WAITING", 1)
    with client(public) as site:
        send(site)
        assert site.post("/stories/submit", data=STORY).status_code == 422
    monkeypatch.setattr(limits, "STORIES_A_DAY", 0)
    with client(public) as site:
        assert site.post("/stories/submit", data=STORY).status_code == 503


def test_the_moderation_page_is_for_the_holder_of_the_token(site: TestClient) -> None:
    send(site)
    ((run, key),) = waiting(site)
    form = {"run": run, "key": key, "decision": "show"}

    for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": "areaeffect_token=wrong"}):
        assert "one bench" not in site.get("/stories/moderate", headers=headers).text
        assert site.get("/stories/moderate", headers=headers).status_code == 401
        assert site.post("/stories/moderate", data=form, headers=headers).status_code == 401
    assert site.post("/stories/moderate/sign-in", data={"token": "wrong"}).status_code == 401

    signed = site.post("/stories/moderate/sign-in", data={"token": TOKEN}, follow_redirects=False)
    cookie = signed.headers["set-cookie"].lower()
    assert signed.status_code == 303
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "one bench" in site.get("/stories/moderate").text
    assert site.post("/stories/moderate", data=form, follow_redirects=False).status_code == 303
    assert site.post("/stories/moderate", data=form).status_code == 409


def test_the_token_cannot_be_guessed_for_long(site: TestClient) -> None:
    statuses = [
        site.post("/stories/moderate/sign-in", data={"token": str(n)}).status_code
        for n in range(limits.SIGN_INS_AN_HOUR + 1)
    ]
    assert statuses == [401] * limits.SIGN_INS_AN_HOUR + [429]
    codes = [
        site.post("/stories/withdraw", data={"code": str(n)}).status_code
        for n in range(limits.SIGN_INS_AN_HOUR + 1)
    ]
    assert codes == [422] * limits.SIGN_INS_AN_HOUR + [429]


@pytest.mark.parametrize(
    "changes", [{"run": "../x"}, {"key": "../../x"}, {"decision": "burn"}, {"key": ""}]
)
def test_a_decision_names_what_waits_and_nothing_else(
    site: TestClient, changes: dict[str, str]
) -> None:
    form = {"run": "county", "key": "0" * 32, "decision": "show"} | changes
    assert site.post("/stories/moderate", data=form, headers=SIGNED).status_code == 422


def test_without_anybody_to_moderate_nothing_is_taken(settings: Settings, runs: Path) -> None:
    with client(replace(settings, runs=runs, read_only=True)) as site:
        assert site.get("/stories/submit").status_code == 404
        assert site.get("/stories/moderate").status_code == 404
        assert "/stories/submit" not in site.get("/stories").text


def test_stories_put_into_the_folder_by_hand_are_shown_if_they_can_be_read(
    site: TestClient, public: Settings
) -> None:
    folder = public.work / "stories" / "county"
    (folder / "stories").mkdir(parents=True)
    front = Front(
        title="By hand", place="Neighbourhood 1", date="2020", themes=("Crime",), consent=True
    )
    (folder / "stories" / "one.md").write_text(story_text(Story(front, "Read me.")))
    unsaid = front.model_copy(update={"consent": False, "title": "No consent"})
    (folder / "stories" / "two.md").write_text(story_text(Story(unsaid, "Hide me.")))
    (folder / "stories" / "three.md").write_text("no head")
    (folder / "stories" / "four.md").write_bytes(b"\xff\xfe")
    (folder / "events.csv").write_text(
        "date,neighbourhood,what\n2020,,Opened\nsoon,,Never\n2020,,\n"
    )

    told = everything(site)

    assert "Read me." in told
    assert "Opened" in told
    assert "Hide me." not in told
    assert "Never" not in told


WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=80).filter(
    str.strip
)


@given(title=WORDS, place=WORDS, theme=WORDS, text=WORDS)
def test_a_story_comes_back_as_it_was_written(
    title: str, place: str, theme: str, text: str
) -> None:
    front = Front(title=title, place=place, date="2021-05", themes=(theme,), consent=True)
    story = Story(front, text.strip())
    assert parse_story(story_text(story), "here") == story


def test_a_run_with_a_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    voices = Voices(tmp_path / "voices")
    voice = Voice("../out", "Elm Park", "event", "2020", "Opened")
    with pytest.raises(DataError, match="not the name of a published run"):
        voices.submit(voice)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_moderates_and_hands_over_to_a_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import tomllib

    from typer.testing import CliRunner

    from areaeffect.cli import app

    voices = Voices(Settings(store=tmp_path).stories)
    for title in ("Good", "Bad"):
        voices.submit(Voice("county", "Elm Park", "event", "2020", title), CONTACT)

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["stories", *words, "--store", str(tmp_path)])
        assert result.exit_code == 0, result.output
        return result.output

    listed = run("list")
    keys = dict(re.findall(r"(\w{32})  event of county: Elm Park, 2020\n  (\w+)", listed))
    good, bad = (key for title in ("Good", "Bad") for key, t in keys.items() if t == title)
    assert CONTACT in listed
    assert run("show", good) == "shown: Good\n"
    assert run("refuse", bad) == "refused and deleted: Bad\n"
    assert run("list") == "Nothing waits for a decision.\n"

    part = Stories.model_validate(tomllib.loads(run("for-study", "county"))["stories"])
    assert part.events is not None
    assert read_events(Path(part.events), ["Elm Park"]) == (("2020", "Elm Park", "Good"),)


def test_rows_of_events_that_cannot_be_shown_are_kept(tmp_path: Path) -> None:
    voices = Voices(tmp_path / "voices")
    voices.submit(Voice("county", "Elm Park", "event", "2020", "Opened"))
    path = tmp_path / "voices" / "county" / "events.csv"
    path.write_text("date,neighbourhood,what,who\nsoon,,Never,Ann\n")

    voices.decide("county", voices.waiting()[0][0].key, show=True)

    assert [v.title for v in voices.shown()] == ["Opened"]
    assert "soon,,Never,,,Ann" in path.read_text()


def test_events_decided_at_once_are_all_kept(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    voices = Voices(tmp_path / "voices")
    for n in range(20):
        voices.submit(Voice("county", "Elm Park", "event", "2020", f"Event {n}"))
    keys = [v.key for v, _ in voices.waiting()]
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(lambda key: Voices(tmp_path / "voices").decide("county", key, show=True), keys)
        )

    assert {v.title for v in voices.shown()} == {f"Event {n}" for n in range(20)}
