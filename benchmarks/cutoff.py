"""Placement by a rank with a cap: size and bias, by the rule and by a design that does not know it.

    python -m benchmarks.cutoff                     goes on where it stopped, then writes the page
    python -m benchmarks.cutoff --national 60       so many national worlds

Nothing was done in any of these programmes, so every finding is wrong. London is one world: the
first programme takes the places that the rule takes, the next the ones it takes of those that
remain (an earlier phase that was left out), and so on; none shares a place with another. They are
evaluated with the start in 2012 and in 2013; errors are clustered by programme. A national world is
a map of `benchmarks/worlds/generate.py` of 6,000 areas, 300 authorities and 40 police forces, with
shared shocks and a trend by deprivation; the score is deprivation and half as much of its own.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from areaeffect.assembly.assemble import Assembled, assemble
from areaeffect.design.cutoff import ranked
from areaeffect.findings.conclude import conclude
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind
from areaeffect.placebo.workers import single_threaded
from areaeffect.register.registered import Registered
from areaeffect.study.analysis import DesignPart
from areaeffect.study.file import read_study
from benchmarks.worlds import rig
from benchmarks.worlds.generate import World
from benchmarks.worlds.london import STUDY
from benchmarks.worlds.table import share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from areaeffect.panel import Panel
    from areaeffect.results import Bools, Finding, Floats, Ints
    from areaeffect.study.file import StudyFile

PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation" / "cutoff.md"
PLACEBOS = 199
#: Places of a programme in London, the most of one borough, and programmes one after another.
LONDON = ((10, 2, 24), (30, 3, 10))
STARTS = (2012, 2013)
NATIONAL, AT_MOST = 150, 3
WORLD = World(
    areas=6000, months=60, boroughs=300, forces=40, places=1, size=1, starts=(36,), outcomes=1,
    per_month=30.0, trend=0.03, lean=0.01, reach=2.5, force=0.06, step=0.06,
)  # fmt: skip
RULE, TODAY = "by the rule", "without it"
_SEED = 20260925


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ground:
    """Where programmes are placed: a study, its data, the score and the groups of the cap.

    Parameters
    ----------
    file, data : a study without initiatives, and its panel.
    score : (n_areas,), the highest are chosen.
    group : (n_areas,), authorities.
    place : (n_areas,), the place of each area; None where each is one.
    may : (n_areas,), areas of places that have all values.
    """

    file: StudyFile
    data: Assembled
    score: Floats
    group: Ints
    place: Ints | None
    may: Bools

    def places(self) -> list[Ints]:
        """Return the areas of every place that has all values."""
        of = self.place[self.may] if self.place is not None else np.flatnonzero(self.may)
        order = np.argsort(of, kind="stable")
        cuts = np.flatnonzero(np.diff(of[order])) + 1
        return list(np.split(np.flatnonzero(self.may)[order], cuts))

    def chosen(self, n: int, at_most: int, programmes: int) -> Iterator[tuple[list[Ints], Bools]]:
        """Yield programme after programme, with the areas of those before it."""
        places, gone = self.places(), np.zeros(len(self.score), dtype=bool)
        rule = ranked(
            places,
            score=np.array([-self.score[p].mean() for p in places]),
            group=np.array([self.group[p[0]] for p in places]),
            at_most=at_most,
            first=np.zeros(len(places), dtype=bool),
            n_areas=len(self.score),
        )
        left = np.ones(len(places), dtype=bool)
        for _ in range(programmes):
            taken = rule.taken(left, n)
            if len(taken) < n:
                return
            mine = [rule.places[p] for p in taken]
            yield mine, gone.copy()
            left[taken] = False
            gone[np.concatenate(mine)] = True

    def evaluate(
        self, mine: Sequence[Ints], gone: Bools, start: int, at_most: int, way: str, seed: int
    ) -> dict[str, object]:
        """Evaluate one programme, and return what is counted of its finding."""
        file, data = self.study_of(mine, gone, start, at_most, way, seed)
        return _counted(conclude(rig.evaluated(file, data, held_out=0)[1])[0])

    def study_of(
        self, mine: Sequence[Ints], gone: Bools, start: int, at_most: int, way: str, seed: int
    ) -> tuple[StudyFile, Assembled]:
        """Return the study of one programme, and its data."""
        panel, study = self.data.panel, self.file.study
        more = {
            "placed.score": self.score.astype(str),
            "placed.group": np.array([f"G{g:03d}" for g in self.group]),
            "placed.place": self._named(),
            "placed.gone": np.where(gone | ~self.may, "1", "0"),
        }
        panel = replace(
            panel,
            attributes={**panel.attributes, **more},
            covariates=np.column_stack([panel.covariates, self.score]),
            covariate_names=(*panel.covariate_names, "score"),
            covariate_as_of=("",) * (panel.covariates.shape[1] + 1),
        )
        analysis = study.analysis.model_copy(
            update={
                "placebos": PLACEBOS,
                "checks": False,
                "placebo_neighbourhoods": None if self.place is None else "placed.place",
            }
        )
        design = _design(len(mine), at_most, way, panel, one=self.place is None)
        study = study.model_copy(
            update={
                "design": design,
                "analysis": analysis,
                "study": study.study.model_copy(update={"seed": _SEED + seed}),
            }
        )
        units = tuple(
            Neighbourhood(
                initiative="Placed",
                name=f"Place {g:03d}",
                areas=areas,
                start=start,
                start_kind=PeriodKind.MONTH,
                resident_led=None,
            )
            for g, areas in enumerate(sorted(mine, key=lambda areas: int(areas[0])))
        )
        return replace(self.file, study=study), Assembled(panel, Registered(neighbourhoods=units), None)

    def _named(self) -> np.ndarray:
        of = np.arange(len(self.score)) if self.place is None else self.place
        return np.array([f"P{p:05d}" for p in of])


def _design(n: int, at_most: int, way: str, panel: Panel, *, one: bool) -> DesignPart:
    gone = {"column": "placed.gone", "values": ["1"], "reason": "an earlier phase"}
    covariates = [f"placed.{name}" for name in panel.covariate_names]
    left_out = [gone] if (panel.attributes["placed.gone"] == "1").any() else []
    written: dict[str, object] = {"covariates": covariates, "exclude": left_out}
    written["unit"] = "programme" if one else "neighbourhood"
    if way == RULE:
        cap = {"by": "placed.group", "at_most": at_most}
        written |= {"score": "placed.score", "chosen": f"highest {n}", "cap": cap}
    return DesignPart.model_validate(written)


def _counted(findings: Sequence[Finding]) -> dict[str, object]:
    whole = next(f for f in findings if f.neighbourhood is None and f.form == "ratio")
    if whole.estimate is None or whole.low is None or whole.high is None:
        return {"estimate": None}
    ends = np.log1p([whole.estimate, whole.low, whole.high])
    return {
        "estimate": float(ends[0]),
        "half": float(ends[2] - ends[1]) / 2,
        "rejects": bool(whole.low > 0 or whole.high < 0),
    }


@cache
def london() -> Ground:
    """Read London's recorded crime, and its Indices of 2010 as a score of middle-layer areas."""
    file = read_study(STUDY)
    with single_threaded():
        data = assemble(file)
    panel, shared = data.panel, Path(os.environ["AREAEFFECT_SHARED_DATA"])
    indices = pd.read_parquet(shared / "deprivation" / "imd2010_england_lsoa01_domains.parquet")
    older = pd.read_parquet(shared / "geography" / "lookup_lsoa01_lsoa11.parquet")
    joined = older.merge(indices[["lsoa01_code", "IMD_score"]], on="lsoa01_code")
    score = joined.groupby("lsoa11_code")["IMD_score"].mean().reindex(panel.areas).to_numpy()
    name = "lookup_lsoa11_msoa11_ltla11_ltla21_region21.parquet"
    middle = pd.read_parquet(shared / "geography" / name).set_index("lsoa11_code")
    codes = middle["msoa11_code"].reindex(panel.areas).fillna("").to_numpy().astype(str)
    measure = next(iter(panel.measures.values()))
    may = measure.observed.all(axis=1) & np.isfinite(panel.covariates).all(axis=1)
    may &= np.isfinite(score) & (codes != "")
    return Ground(
        file=file,
        data=data,
        score=np.asarray(score, dtype=float),
        group=np.unique(panel.attributes["london.borough"], return_inverse=True)[1].ravel(),
        place=np.unique(codes, return_inverse=True)[1].ravel(),
        may=np.asarray(may & ~np.isin(codes, codes[~may])),
    )


def national(seed: int) -> Ground:
    """Draw one national world and its score."""
    made = rig.studied(WORLD, seed, PLACEBOS)
    need = made.drawn.covariates[:, 0]
    score = need + 0.5 * np.random.default_rng([seed, 77]).standard_normal(len(need))
    every = np.ones(len(need), dtype=bool)
    return Ground(
        file=made.file, data=made.data, score=score, group=made.drawn.borough, place=None, may=every
    )


def measure(folder: Path, worlds: int) -> None:
    """Evaluate every programme that is not in the folder yet, by both ways."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, at_most, programmes in LONDON:
        asked = [(k, y, w) for k in range(programmes) for y in STARTS for w in (RULE, TODAY)]
        missing = [a for a in asked if not _file(folder, f"London {n}", *a).exists()]
        if not missing:
            continue
        ground = london()
        for k, (mine, gone) in enumerate(ground.chosen(n, at_most, programmes)):
            for _, year, way in [a for a in missing if a[0] == k]:
                found = ground.evaluate(mine, gone, 12 * year, at_most, way, k)
                _write(_file(folder, f"London {n}", k, year, way), found)
    for seed in range(worlds):
        asked = [(seed, 0, way) for way in (RULE, TODAY)]
        missing = [a for a in asked if not _file(folder, "national", *a).exists()]
        if not missing:
            continue
        ground = national(seed)
        mine, gone = next(ground.chosen(NATIONAL, AT_MOST, 1))
        for _, _, way in missing:
            start = rig.FIRST + WORLD.starts[0]
            _write(
                _file(folder, "national", seed, 0, way),
                ground.evaluate(mine, gone, start, AT_MOST, way, seed),
            )


def _file(folder: Path, where: str, number: int, year: int, way: str) -> Path:
    name = f"{where} {number:03d} {year} {way}".replace(" ", "_")
    return folder / f"{name}.json"


def _write(path: Path, found: dict[str, object]) -> None:
    path.write_text(json.dumps(found, sort_keys=True) + "\n", encoding="utf-8")


def page(folder: Path) -> str:
    """Return the table of what was measured, as Markdown."""
    lines = [_INTRODUCTION]
    for where in (*(f"London {n}" for n, *_ in LONDON), "national"):
        for way in (RULE, TODAY):
            name = where.replace(" ", "_")
            paths = sorted(folder.glob(f"{name}_[0-9]*_{way.replace(' ', '_')}.json"))
            rows = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
            whose = [path.name[len(name) + 1 :][:3] for path in paths]
            kept = [(r, w) for r, w in zip(rows, whose, strict=True) if r["estimate"] is not None]
            if len({w for _, w in kept}) < 2:
                continue
            clusters = [w for _, w in kept]
            rejects = share([float(r["rejects"]) for r, _ in kept], clusters)
            bias = share([r["estimate"] for r, _ in kept], clusters, digits=4)
            spread = np.std([r["estimate"] for r, _ in kept], ddof=1)
            half = np.median([r["half"] for r, _ in kept])
            label = f"{where}" if where != "national" else f"national {NATIONAL}"
            lines.append(
                f"| {label} | {way} | {len(set(clusters))} | {len(kept)} | {rejects} | {bias} | "
                f"{spread:.4f} | {half:.3f} |"
            )
    return "\n".join(lines) + "\n"


_INTRODUCTION = """\
# Placement by a rank with a cap: size and bias

Written by `python -m benchmarks.cutoff`; do not edit by hand.

Programmes take the places with the highest score, at most two or three of one authority (London:
10 places, 2 a borough; 30 places, 3; national: 150 places, 3). Nothing was done in them, so the
true effect is 0. *By the rule* is a study that gives `score`, `chosen` and `cap` ([the
design](../methods/cutoff.md)); *without it* is the same study without these keys, with the score
among its covariates. 199 placebo programmes each.

London is recorded crime from 2008 to 2016 in middle-layer areas, ranked by the Indices of 2010. It
is one world: programmes are placed one after another, none shares a place, each is evaluated with a
start in 2012 and in 2013, and errors (in brackets) are clustered by programme. Programmes next to
each other share boroughs, so these errors are still too small: [by borough](cutoff_boroughs.md) the
error of the bias in London is about two and a half times as large. National worlds are independent:
maps of 6,000 areas from `benchmarks/worlds/generate.py` with shared shocks and a trend by
deprivation; one design for the whole programme.

'Rejects' is the share of programmes whose 95% interval leaves zero out, asked to be 0.035 to 0.065
within two errors. The bias is the mean estimate, a log ratio, asked to be within two errors of
± 0.005.

| world | design | programmes | evaluated | rejects | bias | sd of estimates | half-width, median |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def main() -> None:
    """Measure what is missing, then write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cutoff",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--national", type=int, default=60, help="national worlds")
    parser.add_argument("--folder", type=Path, default=Path("build/cutoff"))
    parser.add_argument("--out", type=Path, default=PAGE)
    given = parser.parse_args()
    measure(given.folder, given.national)
    given.out.write_text(page(given.folder), encoding="utf-8")


if __name__ == "__main__":
    main()
