"""Dead ends of Compare: random places and dates of an atlas, each asked as a visitor would.

    python -m benchmarks.compare_choices ATLAS LOG [--choices 100] [--minutes 60] [--seed 20231219]

ATLAS is the folder that `areaeffect tiles` wrote. Each choice is stopped on the form with a
question that can be asked instead, which is then asked, or is planned, answered and its page made,
with as many placebo programmes as the form asks for. It is a dead end where a stop has no repair,
where what step 2 offered is not what step 3 answers, or where anything fails.

LOG keeps a line a choice. The same command goes on where it was stopped, and prints what the log
holds; `taskset -c 0` keeps it to one processor, which starts no other processes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.compare.explore import (
    POWER,
    POWER_FILE,
    REFUSED,
    REFUSED_FILE,
    estimated,
    has,
    load_base,
    plan_into,
)
from areaeffect.compare.page import answer_sections
from areaeffect.compare.question import Question
from areaeffect.document.page import sections_html
from areaeffect.errors import AreaEffectError
from areaeffect.periods import label
from areaeffect.placebo.workers import single_threaded
from areaeffect.results import Verdict
from areaeffect.web.atlas import Atlas
from areaeffect.web.selection import name_of, places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from areaeffect.compare.explore import Base

#: Questions asked one after another, each offered instead of the last.
MOST_REPAIRS = 3
ANSWERED, REPAIRED = "answered", "stopped with a repair"


def choices(atlas: Atlas, n: int, seed: int) -> Iterator[Question]:
    """Yield random choices: a ward, a few areas, one area or a small council, and any date."""
    random = np.random.default_rng(seed)
    flight, codes = atlas.preflight, atlas.table["code"]
    named = [p for p in places(atlas) if p.kind != "area" and len(p.positions) <= 100]
    window = [o.periods for o in flight.outcomes]
    first, last = min(p.first for p in window), max(p.first + p.n for p in window)
    for _ in range(n):
        kind = random.choice(["ward", "near", "one", "scattered"], p=[0.5, 0.25, 0.1, 0.15])
        if kind == "ward" and named:
            areas = list(named[int(random.integers(len(named)))].positions)
        elif kind == "one":
            areas = [int(random.integers(len(codes)))]
        elif kind == "near" and flight.middles is not None:
            middle = flight.middles[int(random.integers(len(codes)))]
            away = np.hypot(*(flight.middles - middle).T)
            areas = list(np.argsort(away)[: int(random.integers(2, 12))])
        else:
            areas = list(random.choice(len(codes), int(random.integers(2, 8)), replace=False))
        chosen = tuple(sorted(str(codes[i]) for i in areas))
        start = "" if flight.asks_levels else label(int(random.integers(first, last)), flight.kind)
        yield Question(areas=chosen, start=start, name=name_of(atlas, chosen))


def ends(atlas: Atlas, base: Base, question: Question, folder: Path) -> str | Question:
    """Return how one question ends: `ANSWERED`, a question to ask instead, or why it is a dead end."""
    flight = atlas.preflight
    if flight.asks_levels:
        question = replace(question, start=label(flight.earliest, flight.kind))
    obstacles = flight.obstacles(question)
    if obstacles:
        repairs = [r for o in obstacles for r in o.repairs]
        return repairs[0].question if repairs else f"no repair: {obstacles[0].what}"
    try:
        plan_into(base, question, folder, lambda *_: None)
        if has(folder, REFUSED):
            refusal = json.loads((folder / REFUSED / REFUSED_FILE).read_text("utf-8"))
            if not refusal["repairs"]:
                return f"no repair: {refusal['what']}"
            return Question.from_dict(refusal["repairs"][0]["question"])
        with single_threaded():
            result = estimated(base, question, folder, lambda *_: None)
            sections_html(answer_sections(result), {})
    except AreaEffectError as error:
        return f"stopped after the form: {error.problems[0].what}"
    report = json.loads((folder / POWER / POWER_FILE).read_text("utf-8"))
    offered = {r["outcome"] for r in report["rows"] if r["group"]}
    own = [f for f in result.findings if f.group == question.name and f.outcome]
    answered = {f.outcome for f in own if f.verdict is not Verdict.NOT_ESTIMABLE}
    if offered != answered:
        return f"step 2 offers {sorted(offered)}, step 3 answers {sorted(answered)}"
    return ANSWERED


def steps_of(atlas: Atlas, base: Base, question: Question) -> list[str]:
    """Ask a question, and what is offered instead of it, to the end; return how each step ended."""
    steps: list[str] = []
    end: str | Question = question
    while isinstance(end, Question) and len(steps) <= MOST_REPAIRS:
        with tempfile.TemporaryDirectory() as scratch:
            end = ends(atlas, base, end, Path(scratch))
        steps.append(REPAIRED if isinstance(end, Question) else end)
    return steps


def main() -> None:
    """Ask, keep, count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("atlas", type=Path)
    parser.add_argument("log", type=Path)
    parser.add_argument("--choices", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=20231219)
    given = parser.parse_args()
    lines = given.log.read_text("utf-8").splitlines() if given.log.is_file() else []
    kept: dict[int, list[str]] = {one["choice"]: one["steps"] for one in map(json.loads, lines)}
    atlas, until = Atlas(given.atlas), time.monotonic() + 60 * given.minutes
    base: Base | None = None
    for n, question in enumerate(choices(atlas, given.choices, given.seed)):
        if n in kept or time.monotonic() > until:
            continue
        base = base or load_base(given.atlas / "base.toml", Path(atlas.manifest["base_folder"]))
        kept[n] = steps_of(atlas, base, question)
        line = {"choice": n, "steps": kept[n], "areas": question.areas, "start": question.start}
        with given.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        print(n, *kept[n], sep=" > ", file=sys.stderr, flush=True)
    counted = Counter(
        " > ".join(steps if steps[-1] == ANSWERED else [*steps[:-1], "DEAD END"]) for steps in kept.values()
    )
    for way, n in counted.most_common():
        print(f"{n:4d}  {way}")


if __name__ == "__main__":
    main()
