"""The command line as a user meets it: exit codes, messages, and nothing half written."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from areaeffect.report.files import write_result
from tests.shared.sample_result import sample_result
from tests.unit.commands.conftest import RunHere

PROGRAM = [sys.executable, "-c", "from areaeffect.cli import main; main()"]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example")
    done = run(folder, "init", ".")
    assert done.returncode == 0, done.stderr
    text = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(text.replace("placebos = 499", "placebos = 59"), "utf-8")
    return folder


def test_the_example_that_init_writes_runs(example: Path) -> None:
    done = run(example, "check", "study.toml", "--json")
    assert done.returncode == 0, done.stderr
    checked = json.loads(done.stdout)
    assert checked["n_areas"] == 400
    assert not checked["warnings"]
    assert not checked["refused"]
    assert [few for *_, few in checked["placebos"]] == [""]
    first, *_, last = checked["smallest_effects"]
    assert re.search(r": a fall of \d+(\.\d)?% or more \(59 placebo programmes", first), first
    assert last.startswith("`areaeffect power study.toml`")
    done = run(example, "evaluate", "study.toml", "--out", "results", "--json")
    assert done.returncode == 0, done.stderr
    findings = json.loads(done.stdout)
    assert {"study", "seal", "findings"} <= set(findings)
    told = [f["verdict"] for f in findings["findings"] if f["primary"]]
    assert told == ["better"], "the example's known effect is found"
    assert (example / "results" / "report.html").is_file()
    before = (example / "results" / "report.html").read_bytes()
    assert run(example, "report", "results").returncode == 0
    assert (example / "results" / "report.html").read_bytes() == before


def test_init_writes_over_nothing(example: Path, run_here: RunHere) -> None:
    done = run_here("init", ".", folder=example)
    assert done.code == 2
    assert "is already there" in done.err


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("nearest = 60", "neerest = 60", 2, "Did you mean 'nearest'?"),
        ("seed = 1", "seed = = 1", 2, "line 15: not valid TOML"),
        ("outcomes.csv", "outcome.csv", 3, "Did you mean 'outcomes.csv'?"),
        ("buffer_km = 0.2", "buffer_km = 90", 2, "no area is left to compare with"),
    ],
)
def test_a_fault_has_its_exit_code_one_message_and_no_folder(
    example: Path, old: str, new: str, code: int, said: str, run_here: RunHere
) -> None:
    text = (example / "study.toml").read_text(encoding="utf-8")
    (example / "faulty.toml").write_text(text.replace(old, new), encoding="utf-8")
    done = run_here("evaluate", "faulty.toml", "--out", "faulty", folder=example)
    assert done.code == code
    assert said in done.err
    assert "Traceback" not in done.err
    assert not (example / "faulty").exists()


def test_a_command_that_does_not_exist_is_refused_with_the_nearest(run_here: RunHere) -> None:
    done = run_here("evalute", "study.toml")
    assert done.code == 2
    assert "Did you mean 'evaluate'?" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("evaluate", "x.toml"), "Missing option '--out'.\nTry `areaeffect evaluate --help`."),
        (("power", "--thread", "2"), "no option '--thread'. Did you mean '--threads'?\nTry `area"),
        (("store", "wher"), "Did you mean 'where'?\nTry `areaeffect store --help`."),
    ],
)
def test_a_wrong_word_is_named_with_the_help_of_its_command(
    words: tuple[str, ...], said: str, run_here: RunHere
) -> None:
    done = run_here(*words)
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize("words", [(), ("store",), ("ingest",)])
def test_a_command_without_words_shows_its_help(words: tuple[str, ...], run_here: RunHere) -> None:
    done = run_here(*words)
    assert done.code == 2
    said = done.err
    assert said.startswith(f"Usage: {' '.join(['areaeffect', *words])} [OPTIONS] COMMAND")
    assert "..." not in said.split("Commands:")[1]
    assert "Error" not in said


def test_the_version_is_printed(run_here: RunHere) -> None:
    done = run_here("--version")
    assert done.code == 0
    assert re.fullmatch(r"areaeffect \d+\.\d+\.\d+\n", done.out)


def test_a_report_opens_in_the_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_here: RunHere
) -> None:
    write_result(sample_result(placebos=19, shapes=False), tmp_path / "run")
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(opened.append(address)))
    done = run_here("report", tmp_path / "run", "--open")
    assert done.code == 0
    assert opened == [(tmp_path / "run" / "report.html").as_uri()]
    assert f"No web browser can be opened here. Open {opened[0]}" in done.err


def test_a_folder_of_other_files_is_left_alone(example: Path, run_here: RunHere) -> None:
    (example / "mine").mkdir()
    (example / "mine" / "letter.txt").write_text("dear all", encoding="utf-8")
    done = run_here("evaluate", "study.toml", "--out", "mine", folder=example)
    assert done.code == 2
    assert [p.name for p in (example / "mine").iterdir()] == ["letter.txt"]


def test_ctrl_c_ends_with_130_one_line_and_no_folder(example: Path) -> None:
    text = (example / "study.toml").read_text(encoding="utf-8")
    (example / "long.toml").write_text(text.replace("placebos = 59", "placebos = 9999"), "utf-8")
    listens = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    with subprocess.Popen(
        [*PROGRAM[:2], listens + PROGRAM[2], "evaluate", "long.toml", "--out", "long"],
        cwd=example,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while "placebo" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip().splitlines()[-1] == "Interrupted; no results were written."
    assert "Traceback" not in said
    assert not list(example.glob("long/"))
    assert not list(example.glob(".long*"))


@pytest.mark.parametrize(
    ("words", "work", "said"),
    [
        (
            ("ingest", "police-uk", "a.zip"),
            "sources.police_uk.ingest.ingest_police_uk",
            "the store is unchanged, or",
        ),
        (("fetch", "imd_2010"), "commands.fetch.fetch", "what has arrived is kept. The same command goes"),
        (("demo",), "commands.demo.demo", "the reports named above are complete."),
        (("power", "study.toml"), "commands.check.power", "no results were written."),
    ],
)
def test_ctrl_c_says_what_is_left(
    words: tuple[str, ...], work: str, said: str, monkeypatch: pytest.MonkeyPatch, run_here: RunHere
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"areaeffect.{work}", interrupted)
    done = run_here(*words)
    assert done.code == 130
    assert f"Interrupted; {said}" in done.err


@pytest.mark.parametrize("words", [("--help",), ("evaluate", "--help"), ("serve", "--help")])
def test_help_needs_none_of_the_heavy_packages(words: tuple[str, ...]) -> None:
    heavy = "numpy", "pandas", "duckdb", "pyarrow", "geopandas", "scipy", "starlette"
    code = (
        f"import sys; sys.argv = ['areaeffect', *{words!r}]\n"
        "from areaeffect.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
