"""`areaeffect demo`: a county with known effects, then the real studies whose data are here."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.commands.evaluate import evaluate_into
from areaeffect.commands.summary import summary
from areaeffect.errors import AreaEffectError
from areaeffect.simulate import CountySpec, simulate_county, write_county
from areaeffect.study.collection import is_collection
from areaeffect.study.file import read_study
from areaeffect.study.model import resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Tell = Callable[[str, int, int], None]

_SEED = 20231219


def demo(
    out: Path,
    studies: Path | None,
    threads: int | None,
    say: Callable[[str], None],
    progress: Callable[[], AbstractContextManager[Tell]],
) -> None:
    """Evaluate the simulated county into `out/county`, real studies into `out/<study>`.

    Parameters
    ----------
    out : folder for the reports; what the demo made before is replaced.
    studies : folder of study folders; None looks for `studies` in a checkout.
    threads : worker processes.
    say : prints a line.
    progress : opens a progress display.
    """
    say("A simulated county: its effects are known, so you can see whether they are found.\n")
    study = write_county(simulate_county(CountySpec(seed=_SEED)), out / "input" / "county")
    truth = json.loads((study.parent / "truth.json").read_text(encoding="utf-8"))
    started = time.monotonic()
    with progress() as tell:
        result = evaluate_into(study, out / "county", threads, tell)
    say(summary(result, truth))
    say(
        f"\nEvaluated in {time.monotonic() - started:.0f} s. "
        f"Report: {out / 'county' / 'report.html'}"
    )
    reports = [out / "county" / "report.html"]
    for path in _real_studies(studies):
        name = path.parent.name
        if is_collection(path):
            say(f"\n{name}: several studies; `areaeffect evaluate {path} --out DIR` takes minutes.")
            continue
        missing = _missing_data(path)
        if missing:
            say(f"\n{name}: not evaluated, {missing[0]} is not here.")
            continue
        say(f"\n{name}: {read_study(path).study.study.title}\n")
        try:
            with progress() as tell:
                result = evaluate_into(path, out / name, threads, tell)
        except AreaEffectError as error:
            say(f"{name}: {error}")
            continue
        say(summary(result))
        reports.append(out / name / "report.html")
    say("\nReports:\n" + "\n".join(f"  {path}" for path in reports))


def _real_studies(studies: Path | None) -> list[Path]:
    """Study files of a folder; by default `studies` of the checkout this runs in."""
    here = Path(__file__).resolve()
    root = next((p for p in here.parents if (p / "pyproject.toml").is_file()), None)
    folder = studies or (root / "studies" if root else None)
    return sorted(folder.glob("*/study.toml")) if folder and folder.is_dir() else []


def _missing_data(path: Path) -> list[Path]:
    file = read_study(path)
    paths = [resolve(f, file.folder) for s in file.study.source.values() for f in s.files]
    return [p for p in paths if not p.exists()]
