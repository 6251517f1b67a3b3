"""Dead ends of Compare: random places and dates of an atlas, each asked as a visitor would.

    python -m benchmarks.compare_choices ATLAS [--choices 200] [--answers 20] [--seed 20231219]

ATLAS is the folder that `areaeffect tiles` wrote. A choice can be answered, is stopped on the form
with a question that can be asked instead (which is then asked), or is a dead end. Every choice is
planned; the first `--answers` of them are answered too, and what step 2 offered is compared with
what step 3 answers.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.compare.explore import design_or_refuse, estimated, load_base, plan_into
from areaeffect.compare.question import POWER, POWER_FILE, REFUSED, REFUSED_FILE, Question, has
from areaeffect.periods import label
from areaeffect.placebo.workers import single_threaded
from areaeffect.results import Verdict
from areaeffect.web.atlas import Atlas
from areaeffect.web.search import name_of, places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from areaeffect.compare.explore import Base

#: Questions asked one after another, each offered instead of the last.
MOST_REPAIRS = 3


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
        yield Question(areas=chosen, start=start, name=name_of(atlas, chosen), placebos=199)


def ends(
    atlas: Atlas, base: Base, question: Question, folder: Path, *, answer: bool = True
) -> str | Question:
    """Return how one question ends: a question to ask instead, or in words.

    'answered', 'planned' where no answer is wanted, else why it is a dead end.
    """
    flight = atlas.preflight
    if flight.asks_levels:
        question = replace(question, start=label(flight.earliest, flight.kind))
    obstacles = flight.obstacles(question)
    if obstacles:
        repairs = [r for o in obstacles for r in o.repairs]
        return repairs[0].question if repairs else f"no repair: {obstacles[0].what}"
    if not answer:
        with single_threaded():
            if design_or_refuse(base, question, folder) is not None:
                return "planned"
    else:
        plan_into(base, question, folder, lambda *_: None)
    if has(folder, REFUSED):
        refusal = json.loads((folder / REFUSED / REFUSED_FILE).read_text("utf-8"))
        if not refusal["repairs"]:
            return f"no repair: {refusal['what']}"
        return Question.from_dict(refusal["repairs"][0]["question"])
    report = json.loads((folder / POWER / POWER_FILE).read_text("utf-8"))
    offered = {r["outcome"] for r in report["rows"] if r["group"]}
    with single_threaded():
        found = estimated(base, question, folder, lambda *_: None).findings
    own = [f for f in found if f.group == question.name and f.outcome]
    answered = {f.outcome for f in own if f.verdict is not Verdict.NOT_ESTIMABLE}
    if offered != answered:
        return f"step 2 offers {sorted(offered)}, step 3 answers {sorted(answered)}"
    return "answered"


def main() -> None:
    """Ask, count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("atlas", type=Path)
    parser.add_argument("--choices", type=int, default=200)
    parser.add_argument("--answers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20231219)
    given = parser.parse_args()
    atlas = Atlas(given.atlas)
    base = load_base(given.atlas / "base.toml", Path(atlas.manifest["base_folder"]))
    counted: Counter[str] = Counter()
    answers = 0
    for question in choices(atlas, given.choices, given.seed):
        steps: list[str] = []
        end: str | Question = question
        while isinstance(end, Question) and len(steps) <= MOST_REPAIRS:
            asked = end
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch)
                end = ends(atlas, base, asked, folder, answer=answers < given.answers)
            steps.append("stopped with a repair" if isinstance(end, Question) else end)
        answers += steps[-1] == "answered"
        is_dead = steps[-1] not in {"answered", "planned"}
        if is_dead:
            print(question, steps[-1], flush=True)
        counted[" > ".join([*steps[:-1], "DEAD END" if is_dead else steps[-1]])] += 1
        print(sum(counted.values()), end=" ", file=sys.stderr, flush=True)
    for way, n in counted.most_common():
        print(f"{n:4d}  {way}")


if __name__ == "__main__":
    main()
