"""`areaeffect demo`: real areas first, then a county whose effects are known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.commands.diff import summary
from areaeffect.commands.evaluate import evaluate_into
from areaeffect.commands.init import example_files
from areaeffect.errors import AreaEffectError
from areaeffect.results import Result, Verdict
from areaeffect.simulate import CountySpec, simulate_county, write_county
from areaeffect.study.file import is_collection, read_study
from areaeffect.study.parts import resolve
from areaeffect.wording import main_findings

if TYPE_CHECKING:
    Tell = Callable[[str, int, int], None]

_SEED = 20231219


def demo(
    out: Path,
    studies: Path | None,
    threads: int | None,
    say: Callable[[str], None],
    progress: Callable[[], AbstractContextManager[Tell]],
) -> None:
    """Evaluate real London areas, a county with known effects, and the studies of a checkout.

    Parameters
    ----------
    out : folder for the reports: `london`, `county` and one a study; what the demo made before is
        replaced.
    studies : folder of study folders; None looks for `studies` in a checkout.
    threads : worker processes.
    say : prints a line.
    progress : opens a progress display.
    """
    say("Real areas first: Big Local neighbourhoods in London, recorded crime 2008 to 2016.\n")
    study = copy_example("london", out / "input" / "london") / "study.toml"
    _evaluated(study, out / "london", threads, say, progress)
    reports = [out / "london" / "report.html"]
    say("\nNext a simulated county, whose effects are known: are they found?\n")
    study = write_county(simulate_county(CountySpec(seed=_SEED)), out / "input" / "county")
    truth = json.loads((study.parent / "truth.json").read_text(encoding="utf-8"))
    found = _found(_evaluated(study, out / "county", threads, say, progress, truth), truth)
    reports.append(out / "county" / "report.html")
    for path in _real_studies(studies):
        name = path.parent.name
        if is_collection(path):
            say(f"\n{name}: several studies; `areaeffect evaluate {path} --out DIR` takes minutes.")
            continue
        missing = missing_data(path)
        if missing:
            say(f"\n{name}: not evaluated, {missing[0]} is not here.")
            continue
        say(f"\n{name}: {read_study(path).study.study.title}\n")
        try:
            _evaluated(path, out / name, threads, say, progress)
            reports.append(out / name / "report.html")
        except AreaEffectError as error:
            say(f"{name}: {error}")
    say("\nReports:\n" + "\n".join(f"  {path}" for path in reports))
    say(f"\nThe made-up county: {found}")
    say("The web app, on the same county: areaeffect serve --demo")
    say(f"Open this report first: {reports[0].resolve().as_uri()}")


def copy_example(name: str, folder: Path) -> Path:
    """Copy an example of the package, data and study files, into a folder; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in example_files(name).items():
        (folder / file).write_bytes(content)
    return folder


def _evaluated(
    study: Path,
    out: Path,
    threads: int | None,
    say: Callable[[str], None],
    progress: Callable[[], AbstractContextManager[Tell]],
    truth: Mapping[str, Mapping[str, float]] | None = None,
) -> Result:
    """Evaluate a study, print its findings, and return them."""
    started = time.monotonic()
    with progress() as tell:
        result = evaluate_into(study, out, threads, tell)
    say(summary(result, truth))
    say(f"\nEvaluated in {time.monotonic() - started:.0f} s. Report: {out / 'report.html'}")
    return result


def _found(result: Result, truth: Mapping[str, Mapping[str, float]]) -> str:
    """Return how many of the known effects lie inside their interval, and how many were seen."""
    n = inside = real = seen = 0
    for f in main_findings(result.findings):
        effect = truth.get(f.group, {}).get(f.outcome)
        if effect is None or f.low is None or f.high is None:
            continue
        n, inside = n + 1, inside + (f.low <= effect <= f.high)
        real += effect != 0
        seen += effect != 0 and f.verdict in (Verdict.BETTER, Verdict.WORSE)
    return (
        f"{inside} of {n} known effects lie inside their interval; "
        f"{seen} of {real} that are not zero were found."
    )


def _real_studies(studies: Path | None) -> list[Path]:
    folder = studies_folder(studies)
    return sorted(folder.glob("*/study.toml")) if folder else []


def studies_folder(named: Path | None) -> Path | None:
    """Return the folder of real studies: the one named, or `studies` of the checkout this is in."""
    here = Path(__file__).resolve()
    root = next((p for p in here.parents if (p / "pyproject.toml").is_file()), None)
    folder = named or (root / "studies" if root else None)
    return folder if folder and folder.is_dir() else None


def missing_data(path: Path) -> list[Path]:
    """Return the files of a study's sources that are not here."""
    file = read_study(path)
    paths = [resolve(f, file.folder) for s in file.study.source.values() for f in s.files]
    return [p for p in paths if not p.exists()]
