"""Compare: a question is asked once, power comes first, and everything can be taken away."""

from __future__ import annotations

import io
import json
import re
import shutil
import time
import tomllib
import zipfile
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from areaeffect.compare.explore import load_base
from areaeffect.compare.question import Question
from areaeffect.web import limits
from areaeffect.web.atlas import find_atlas
from areaeffect.web.limits import Refusal, ServerSettings
from areaeffect.web.resident import MEMORY_WORDS
from areaeffect.web.runs import Runs, runs_of
from benchmarks.compare_choices import ANSWERED, choices, steps_of
from tests.web.small_atlas import START, client, settled


@pytest.fixture(scope="module")
def asking(tiny: ServerSettings) -> TestClient:
    return client(tiny)


@pytest.fixture(scope="module")
def planned(asking: TestClient) -> str:
    answer = asking.post("/compare", data=START)
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    assert settled(asking, address)["parts"] == ["asked", "design", "power"]
    return address


@pytest.fixture(scope="module")
def answered(asking: TestClient, planned: str) -> str:
    assert asking.post(f"{planned}/answer").status_code == 303
    standing = settled(asking, planned)
    assert standing["state"] == "done", standing
    return planned


def test_an_empty_store_says_what_to_do(settings: ServerSettings) -> None:
    answer = client(settings).get("/compare")
    assert answer.status_code == 200
    assert "areaeffect tiles" in answer.text


def test_a_server_that_computes_nothing_has_no_compare(tiny: ServerSettings) -> None:
    assert client(replace(tiny, read_only=True)).get("/compare").status_code == 404


def test_the_form_holds_what_its_address_says(asking: TestClient) -> None:
    page = asking.get("/compare?areas=T009,T010&name=Abbey&start=2013-01&nearest=30").text
    assert 'value="Abbey"' in page
    assert 'value="January 2013"' in page
    assert "<option selected>30</option>" in page
    assert page.count('href="/compare?areas=T0') == 2, "each area can be taken out"


def test_what_cannot_be_asked_is_said_beside_its_field(asking: TestClient) -> None:
    answer = asking.post("/compare", data=START | {"start": "2019-01", "name": '"><script>'})
    assert answer.status_code == 422
    assert answer.text.count("aria-invalid") == 2
    assert 'href="#start"' in answer.text
    assert "<script>" not in answer.text.replace('<script type="module"', "")


def test_what_could_be_detected_comes_before_any_effect(asking: TestClient, planned: str) -> None:
    page = asking.get(planned).text
    for words in ("Your benchmark areas", "Are they alike?", "What this could detect"):
        assert words in page
    for words in ("What was found", "This says", "placebo p", "Exploratory: read this first"):
        assert words not in page
    assert "Show what happened" in page


def test_an_answer_cannot_be_asked_for_first(asking: TestClient, tiny: ServerSettings) -> None:
    runs, atlas = Runs(settings=tiny), find_atlas(tiny, "")
    question = Question(
        areas=("T033",), start="2013-02", name="Unplanned", placebos=199, nearest=30, buffer_km=0.0
    )
    key = runs.key(atlas, question)
    (runs.folder / key).mkdir(parents=True)
    asked = {"base": "tiny", "question": question.to_dict()}
    (runs.folder / key / "run.json").write_text(json.dumps(asked))
    refused = asking.post(f"/compare/{key}/answer")
    assert refused.status_code == 409
    assert len(refused.content) <= limits.ERROR_BYTES


def test_the_answer_says_that_it_is_exploratory_and_what_it_cannot_say(
    asking: TestClient, answered: str
) -> None:
    page = asking.get(answered).text
    order = [page.index(words) for words in ("Exploratory: read this first", "What was found")]
    order += [page.index(words) for words in ("What this could detect", "Your benchmark areas")]
    assert order == sorted(order)
    assert "This does not say" in page
    assert page.count("not estimable") >= 5
    assert "control" not in page.lower()
    assert "Show what happened" not in page


def test_the_answer_offers_its_charts_as_pictures(asking: TestClient, answered: str) -> None:
    offered = re.findall(rf'href="({answered}/charts/[^"]+[.]png)"', asking.get(answered).text)
    assert offered
    for address in offered:
        assert asking.get(address).content.startswith(b"\x89PNG")


def test_a_report_that_was_not_finished_can_be_written(
    asking: TestClient, tiny: ServerSettings, answered: str
) -> None:
    """As where the server was stopped between the answer and the report."""
    for part in ("result", "parquet"):
        shutil.rmtree(runs_of(tiny).folder / answered.rpartition("/")[2] / part)
    restarted = client(replace(tiny))
    runs_of(tiny)._jobs.clear()
    assert restarted.get(f"{answered}.json").json()["state"] == "cancelled"
    assert "The report and the data were not finished." in restarted.get(answered).text
    assert restarted.post(f"{answered}/answer").status_code == 303
    settled(restarted, answered)
    assert restarted.get(f"{answered}/report.html").status_code == 200


def test_compare_without_areas_begins_with_a_search(asking: TestClient) -> None:
    page = asking.get("/compare").text
    assert 'action="/find"' in page
    assert "Name of a place, ward or council" in page


def test_the_same_question_is_answered_once(asking: TestClient, answered: str) -> None:
    again = asking.post("/compare", data=START)
    assert again.headers["location"] == answered
    assert asking.post(f"{answered}/answer").status_code == 303
    assert asking.get(f"{answered}.json").json()["state"] == "done"


def test_everything_can_be_taken_away(asking: TestClient, answered: str) -> None:
    page = asking.get(answered).text
    links = set(part.split('"')[0] for part in page.split(f'href="{answered}/')[1:])
    assert {"study.toml", "chosen_areas.csv", "report.html", "report.pdf", "everything.zip"} <= links
    for link in links:
        answer = asking.get(f"{answered}/{link}")
        assert answer.status_code == 200, link
        assert answer.headers["content-disposition"].startswith("attachment"), link
    assert tomllib.loads(asking.get(f"{answered}/study.toml").text)["study"]["exploratory"] is True
    archive = zipfile.ZipFile(io.BytesIO(asking.get(f"{answered}/everything.zip").content))
    names = {name.partition("/")[2] for name in archive.namelist()}
    assert {"study.toml", "findings.json", "data/findings.csv", "parquet/findings.parquet"} <= names
    assert (
        asking.get(f"{answered}/everything.zip").content == asking.get(f"{answered}/everything.zip").content
    )


@pytest.mark.parametrize(
    "path", ["../../run.json", "..%2f..%2frun.json", "data/../../run.json", "/etc/passwd", "asked", "", "x"]
)
def test_only_a_runs_own_files_are_given(asking: TestClient, answered: str, path: str) -> None:
    refused = asking.get(f"{answered}/{path}", headers={"accept": "application/json"})
    assert refused.status_code in (404, 307), path
    assert len(refused.content) <= limits.ERROR_BYTES


@pytest.mark.parametrize("key", ["0" * 20, "x", "../etc", "0" * 19 + "/"])
def test_a_run_that_is_not_here_says_so(asking: TestClient, key: str) -> None:
    assert asking.get(f"/compare/{key}").status_code in (404, 307)


def test_a_place_that_cannot_be_compared_is_stopped_on_the_form(asking: TestClient) -> None:
    """One small area is no answer: the form offers its ward and its neighbours at once."""
    page = asking.get("/compare?areas=T009").text
    assert "One area alone is too small" in page
    assert page.count('class="repair"') == 2
    refused = asking.post("/compare", data=START | {"areas": "T009"})
    assert refused.status_code == 422
    assert "One area alone is too small" in refused.text


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("soon", "is not a date"),
        ("2014-12", "Ask about January 2014"),
        ("February 2010", "Ask about January 2012"),
    ],
)
def test_a_date_that_cannot_be_asked_keeps_the_form(asking: TestClient, start: str, words: str) -> None:
    answer = asking.post("/compare", data=START | {"start": start})
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="Abbey"' in answer.text
    for link in re.findall(r'class="repair" href="([^"]+)"', answer.text):
        assert "There is a problem" not in asking.get(unescape(link)).text


def test_a_question_that_nothing_answers_comes_back_to_the_form(tiny: ServerSettings) -> None:
    runs, atlas = Runs(settings=tiny), find_atlas(tiny, "")
    question = Question(
        areas=("T040", "T041"), start="2013-01", name="Unlike", placebos=199, nearest=30, buffer_km=0.0
    )
    folder = runs.folder / runs.key(atlas, question)
    (folder / "refused").mkdir(parents=True)
    repair = {"words": "Look wider", "question": replace(question, nearest=120).to_dict()}
    refusal = {"what": "no area is like it", "repairs": [repair]}
    (folder / "refused" / "refused.json").write_text(json.dumps(refusal))
    asked = {"base": "tiny", "question": question.to_dict()}
    (folder / "run.json").write_text(json.dumps(asked))
    asking = client(tiny)
    back = asking.get(f"/compare/{folder.name}")
    assert back.status_code == 303
    page = asking.get(back.headers["location"]).text
    assert "Nothing about this place can be compared in these figures: no area is like it." in page
    assert "Look wider" in page
    assert asking.post(f"/compare/{folder.name}/answer").status_code == 409


def test_no_random_choice_is_a_dead_end(tiny: ServerSettings) -> None:
    """As `python -m benchmarks.compare_choices` asks of real places."""
    atlas = find_atlas(tiny, "")
    base = load_base(atlas.folder / "base.toml", Path(atlas.manifest["base_folder"]))
    for question in choices(atlas, 6, 5):
        assert steps_of(atlas, base, replace(question, placebos=199))[-1] == ANSWERED, question


def asked_of(runs: Runs, tiny: ServerSettings, start: str) -> str:
    question = Question(
        areas=("T021", "T022"), start=start, name="Bridge", placebos=999, nearest=30, buffer_km=0.0
    )
    return runs.submit(find_atlas(tiny, ""), question)


def ask_much(runs: Runs, tiny: ServerSettings) -> None:
    for nearest in (30, 60, 120):
        for buffer in (0.5, 1.0):
            question = Question(
                areas=("T033", "T034"),
                start="2013-05",
                name="Castle",
                placebos=999,
                nearest=nearest,
                buffer_km=buffer,
            )
            runs.submit(find_atlas(tiny, ""), question)


def wait_for(runs: Runs, key: str) -> str:
    until = time.monotonic() + 60
    while runs.standing(key).active:
        assert time.monotonic() < until
        time.sleep(0.02)
    job = runs.standing(key).job
    assert job is not None
    return f"{job.state}: {job.what} {job.fix}"


def test_a_run_over_its_limits_is_stopped_and_the_next_one_runs(tiny: ServerSettings) -> None:
    runs = Runs(settings=tiny, seconds=0.0)
    try:
        assert "took longer" in wait_for(runs, asked_of(runs, tiny, "2013-03"))
        runs.seconds, runs.memory = limits.RUN_SECONDS, 1
        assert MEMORY_WORDS in wait_for(runs, asked_of(runs, tiny, "2013-04"))
        runs.memory = limits.RUN_MEMORY_BYTES
        assert wait_for(runs, asked_of(runs, tiny, "2013-05")).startswith("done")
        assert not [p for p in runs.folder.glob("*/.*")], "what was stopped leaves nothing behind"
    finally:
        runs.close()


def test_a_worker_that_dies_takes_its_run_and_is_replaced(tiny: ServerSettings) -> None:
    runs = Runs(settings=tiny)
    try:
        wait_for(runs, asked_of(runs, tiny, "2013-02"))
        (worker,) = runs._workers.values()
        assert worker.process.stdin is not None
        worker.process.stdin.write(b"an order that is never read")
        worker.process.kill()
        worker.process.wait()
        key = asked_of(runs, tiny, "2013-06")
        assert wait_for(runs, key).startswith(("done", "failed"))
        assert wait_for(runs, asked_of(runs, tiny, "2013-06")).startswith("done")
    finally:
        runs.close()


def test_the_queue_has_an_end_and_a_run_can_be_stopped(tiny: ServerSettings) -> None:
    runs = Runs(settings=tiny)
    try:
        keys = [asked_of(runs, tiny, f"2013-{m:02d}") for m in range(7, 13)]
        runs.cancel(keys[-1])
        assert runs.standing(keys[-1]).job.state == "cancelled"
        with pytest.raises(Refusal) as full:
            ask_much(runs, tiny)
        assert full.value.status == 503
        assert full.value.headers["retry-after"]
    finally:
        runs.close()


def test_the_oldest_runs_go_when_there_are_too_many(
    tiny: ServerSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs = Runs(settings=replace(tiny, store=tmp_path))
    monkeypatch.setattr(limits, "KEPT_RUNS", 10)
    for i in range(10):
        (runs.folder / f"{i:020d}").mkdir(parents=True)
    runs._make_room("f" * 20)
    assert len(list(runs.folder.iterdir())) == 9
