"""The page of what the worlds say: every share with its Monte Carlo error, clustered by world."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.errors import number_of
from benchmarks.worlds.generate import LAWS
from benchmarks.worlds.rows import EFFECTS, LAW_PLACES, LONDON, SIZE_OF_MIX, SPREADS, read, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

Found = dict[str, Any]
_VERDICTS = ("better", "worse")


def page(folder: Path) -> str:
    """Return the tables of every row that has been measured, as Markdown."""
    worlds = {name: read(folder, name) for name in rows()}
    parts = [
        _several(worlds), _detected(worlds), _few_places(worlds), _laws(worlds), _grid(worlds),
        _grades(worlds),
    ]  # fmt: skip
    tables = ["\n".join(lines) for lines in parts if len(lines) > _HEAD]
    return "\n\n".join([_INTRODUCTION, *tables]) + "\n"


_INTRODUCTION = """\
# Worlds of known truth: size, coverage, power and laws of placement

Written by `make simulate` (`python -m benchmarks.worlds`); do not edit by hand.

A world is a map of Voronoi cells with counts of crime whose law is written down in
`benchmarks/worlds/generate.py`: negative binomial noise, AR(1) of each area, shocks that neighbours
and police forces share, hot spots, trends that are smooth over the map or follow deprivation,
staggered starts. It shares no code with the simulated county of the demo. Each world goes through
the plan, the placebo programmes (199) and the findings of `evaluate`. Effects are put in after
that, so that the columns of a row share their worlds.

Numbers in brackets are Monte Carlo standard errors over worlds. London is one world: no two
programmes of a law and start share an area, and errors are clustered by the borough of a
programme's first place. They do not know that all share one city and its three starts, so that what
happened to a kind of place there, such as places with a recent rise, is one draw and not many.
Calibration was exact in nearly all programmes on London's most deprived tenth, and single places
there err as much as the places drawn for them (ratio of variances 0.98, error 0.09, of 250 places).

'Missed' is the share of printed intervals with a verdict of better or worse that miss the truth, 0
where no finding has one. Panel 'alike': areas share nothing; 'regional': neighbours share trends,
shocks and a trend by deprivation. The grades are of worlds with many events and an effect of
interest of 10%; in the others nearly all findings are graded 2."""

_MIXES = ("nothing", "mix 1", "mix half", "mix all")
_STUDIES = ("one outcome", "three outcomes", "six outcomes", "24 outcomes")


def summary(folder: Path) -> str:
    """Return the figures that were asked of the inference, and what was measured, as Markdown."""
    worlds = {name: read(folder, name) for name in rows()}
    three, one = worlds["three outcomes"], worlds["one place"]
    few = [name for name in rows() if name.startswith("M ")]
    lines = [
        ("additive form, nothing done, three outcomes: p ≤ 0.05", "0.035 to 0.065",
         _said(three, lambda w: _mean(w, "nothing", _small, "additive"))),
        ("additive leaves zero out where the ratio does not", "0", _said(three, _disagree)),
        *(
            (f"verdict at the printed smallest effect, {name}", "0.75 to 0.85",
             _said(worlds[name], lambda w: _mean(w, "printed", _better)))
            for name in _STUDIES
        ),
        ("a verdict that contradicts its printed interval", "0", _contradicting(worlds)),
        ("a false verdict for a single place of several", "0", _said(three, _single_places)),
        ("a false verdict for a programme of one place", "0.035 to 0.065",
         _said(one, lambda w: _any(w, _decides))),
        *(
            (f"printed interval with a verdict misses the truth, three outcomes: {_mix(mix)}",
             "at most 0.05", _said(three, partial(missed, scenario=mix)))
            for mix in _MIXES
        ),
        *(
            (f"size, {name[2:].replace(', ', ' places wanted, ')} treated", "at most 0.065",
             _said(worlds[name], lambda w: _mean(w, "nothing", _small)))
            for name in few
        ),
        *(
            (f"size, {panel}: {law}", "at most 0.065",
             _said(worlds[f"{panel}, {law}, {LAW_PLACES[0]}"],
                   lambda w: _mean(w, "nothing", _small)))
            for panel in ("alike", "regional", LONDON)
            for law in LAWS
        ),
        *(
            (f"coverage of the single interval, {number_of(places, 'place', 'places')}, 8 cells pooled",
             "0.935 to 0.965", _said(worlds[f"grid, {places}"], _covered))
            for places in (1, 3, 10, 30)
        ),
    ]  # fmt: skip
    head = ("figure", "asked, within two errors", "measured (Monte Carlo error), worlds")
    return "\n".join(_table("", head, [line for line in lines if line[-1]])[2:])


def _said(many: list[Found], of: Callable[[Found], float | None]) -> str:
    answered = [w for w in many if "refused" not in w]
    found = share(map(of, answered), [w.get("cluster", w["seed"]) for w in answered])
    return f"{found}, {len(answered)}" if found else ""


def _contradicting(worlds: dict[str, list[Found]]) -> str:
    every = [f for many in worlds.values() for w in many for found in w["found"].values() for f in found]
    return f"{sum(map(contradicts, every)):,} of {len(every):,} findings"


def _mix(mix: str) -> str:
    return mix if mix == "nothing" else mix.replace("mix", "effects in")


def _better(f: Found) -> bool:
    return bool(f["verdict"] == "better")


def _covered(world: Found) -> float | None:
    """Return the coverage over the cells of the grid."""
    cells = [
        _mean(world, f"grid {e:g} {s:g}", lambda f: _holds(f["alone"], f["truth"]))
        for e in EFFECTS
        for s in SPREADS
    ]
    return None if None in cells else float(np.mean(cells))


_HEAD = 4  # lines of a table without rows: its title, a blank one, its head


def share(values: Iterable[float | None], clusters: Iterable[object] | None = None, digits: int = 3) -> str:
    """Return a mean with its standard error, clustered where the same unit repeats.

    Parameters
    ----------
    values : one a world; None is a world that says nothing.
    clusters : what each world repeats; None where worlds are independent.
    digits : after the point.
    """
    many = list(values)
    whose = list(range(len(many)) if clusters is None else clusters)
    kept = [(v, c) for v, c in zip(many, whose, strict=True) if v is not None]
    if len(kept) < 2:
        return ""
    known = np.array([v for v, _ in kept], dtype=float)
    _, of = np.unique([str(c) for _, c in kept], return_inverse=True)
    sums = np.bincount(of, known - known.mean())
    n = len(sums)
    error = np.sqrt((sums**2).sum() * n / max(n - 1, 1)) / len(known)
    return f"{known.mean():.{digits}f} ({error:.{digits}f})"


def _table(title: str, head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> list[str]:
    rows_ = [f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *lines)]
    return [f"## {title}", "", *rows_]


def of_programme(world: Found, scenario: str, form: str = "ratio") -> list[Found]:
    """Return the estimated findings of the whole programme in one form."""
    found = world["found"].get(scenario, ())
    return [f for f in found if _whole(f) and f["form"] == form and f["estimate"] is not None]


def _whole(f: Found) -> bool:
    return f["place"] is None


def _mean(world: Found, scenario: str, of: Callable[[Found], bool], form: str = "ratio") -> Any:
    found = of_programme(world, scenario, form)
    return float(np.mean([of(f) for f in found])) if found else None


def _small(f: Found) -> bool:
    return bool(f["p"] <= 0.05)


def _decides(f: Found) -> bool:
    return f["verdict"] in _VERDICTS


def _holds(ends: list[float | None], truth: float) -> bool:
    low, high = ends
    return (low is None or low <= truth) and (high is None or truth <= high)


def _leaves_zero_out(f: Found, ends: str) -> bool:
    return not _holds(f[ends], 0.0)


def contradicts(f: Found) -> bool:
    """Whether the verdict says what the printed interval does not show, or hides what it does."""
    if f["verdict"] in ("not estimable", "described") or f["held_back"]:
        return False
    low, high = f["printed"]
    inside = None not in (low, high) and -f["threshold"] < low and high < f["threshold"]
    read_off = (
        "little difference" if inside
        else "cannot tell" if _holds(f["printed"], 0.0)
        else "better" if high is not None and high < 0 else "worse"
    )  # fmt: skip
    return bool(f["verdict"] != read_off)


def missed(world: Found, scenario: str) -> float | None:
    """Return the share of printed intervals with a verdict that miss the truth; 0 where none."""
    found = of_programme(world, scenario)
    if not found:
        return None
    chosen = [f for f in found if _decides(f)]
    wrong = [not _holds(f["printed"], f["truth"]) for f in chosen]
    return float(np.mean(wrong)) if wrong else 0.0


def _any(world: Found, of: Callable[[Found], bool], scenario: str = "nothing") -> Any:
    found = of_programme(world, scenario)
    return float(any(map(of, found))) if found else None


def _single_places(world: Found) -> float | None:
    found = [f for f in world["found"].get("nothing", ()) if not _whole(f)]
    return float(any(_decides(f) for f in found)) if found else None


def _disagree(world: Found) -> float | None:
    """Whether an additive form leaves zero out where its ratio does not."""
    ratio = {f["outcome"]: f for f in of_programme(world, "nothing")}
    beside = [f for f in of_programme(world, "nothing", "additive") if f["outcome"] in ratio]
    if not beside:
        return None
    return float(
        np.mean(
            [_leaves_zero_out(f, "alone") and not _leaves_zero_out(ratio[f["outcome"]], "alone")
             for f in beside]
        )
    )  # fmt: skip


def _several(worlds: dict[str, list[Found]]) -> list[str]:
    head = (
        "worlds of", "worlds", "p ≤ 0.05, ratio", "p ≤ 0.05, additive",
        "additive leaves zero out, ratio does not", "a false verdict in the study",
        "a false verdict for a single place of several", "a printed interval misses",
        "contradictions of findings",
    )  # fmt: skip
    lines = []
    for name in ("one outcome", "three outcomes", "six outcomes", "24 outcomes", "one place",
                 "one place, alike"):  # fmt: skip
        many = worlds[name]
        if not many:
            continue
        every = [f for w in many for found in w["found"].values() for f in found if _whole(f)]
        lines.append((
            name, str(len(many)),
            share(_mean(w, "nothing", _small) for w in many),
            share(_mean(w, "nothing", _small, "additive") for w in many),
            share(map(_disagree, many)),
            share(_any(w, _decides) for w in many),
            share(map(_single_places, many)),
            share(_any(w, lambda f: not _holds(f["printed"], f["truth"])) for w in many),
            f"{sum(map(contradicts, every))} of {len(every):,}",
        ))  # fmt: skip
    return _table("Nothing was done", head, lines)


def _detected(worlds: dict[str, list[Found]]) -> list[str]:
    head = (
        "worlds of", "verdict found at the printed smallest effect",
        *(f"missed: {_mix(m)}" for m in _MIXES),
        "verdict at a fall of 10%",
    )  # fmt: skip
    lines = [
        (
            name,
            share(_mean(w, "printed", _better) for w in worlds[name]),
            *(share(missed(w, m) for w in worlds[name]) for m in _MIXES),
            share(_mean(w, "fall", _better) for w in worlds[name]),
        )
        for name in ("one outcome", "three outcomes", "six outcomes", "24 outcomes", "one place")
        if worlds[name]
    ]
    lines += [
        (
            "one outcome, as `power` prints it from the years before",
            share(_mean(w, "planned", _small) for w in many),
            "",
            "",
            "",
            "",
            "",
        )
        for many in [worlds["power"]]
        if many
    ]
    title = f"Effects put in (those of the mixes: {100 * SIZE_OF_MIX:.0f}%)"
    return _table(title, head, lines)


def _few_places(worlds: dict[str, list[Found]]) -> list[str]:
    head = (
        "disjoint places wanted", "places treated", "worlds", "counted (median)", "not estimable",
        "p ≤ 0.05", "a false verdict", "coverage", "verdict at the printed smallest effect",
    )  # fmt: skip
    lines = []
    for name in rows():
        if not name.startswith("M ") or not worlds[name]:
            continue
        many = worlds[name]
        wanted, treated = name[2:].split(", ")
        lines.append((
            wanted, treated, str(len(many)), f"{np.median([w['places'] for w in many]):.0f}",
            share(float(not of_programme(w, "nothing")) for w in many),
            *_size(many),
            share(_mean(w, "printed", _better) for w in many),
        ))  # fmt: skip
    return _table("Few places", head, lines)


def _size(many: list[Found]) -> tuple[str, str, str]:
    homes = [w.get("cluster", w["seed"]) for w in many]
    return (
        share((_mean(w, "nothing", _small) for w in many), homes),
        share((_mean(w, "nothing", _decides) for w in many), homes),
        share((_mean(w, "nothing", lambda f: _holds(f["alone"], f["truth"])) for w in many), homes),
    )


def log_error(f: Found) -> float:
    """Return the error of an estimate on the log scale."""
    return float(np.log1p(f["estimate"]) - np.log1p(f["truth"]))


def _laws(worlds: dict[str, list[Found]]) -> list[str]:
    head = (
        "panel", "law", "places", "programmes", "not estimable", "mean log error", "sd",
        "p ≤ 0.05", "a false verdict", "coverage", "verdict at a fall of 10%",
    )  # fmt: skip
    lines = []
    for panel in ("alike", "regional", LONDON):
        for law in LAWS:
            for places in LAW_PLACES:
                every = worlds.get(f"{panel}, {law}, {places}", ())
                many = [w for w in every if "refused" not in w]
                errors = [log_error(f) for w in many for f in of_programme(w, "nothing")]
                if not errors:
                    continue
                lines.append((
                    panel, law, str(places), str(len(many)),
                    share(float(not of_programme(w, "nothing")) for w in many),
                    f"{np.mean(errors):+.4f} ({np.std(errors) / np.sqrt(len(errors)):.4f})",
                    f"{np.std(errors):.4f}", *_size(many),
                    share(_mean(w, "fall", _better) for w in many),
                ))  # fmt: skip
    return _table("Laws of placement", head, lines)


def _grid(worlds: dict[str, list[Found]]) -> list[str]:
    head = ("places", "sd of effects", *(f"coverage, {100 * e:+.0f}%" for e in EFFECTS), "pooled")
    lines = []
    for places in (1, 3, 10, 30):
        many = worlds[f"grid, {places}"]
        for s in SPREADS if many else ():
            cells = [
                [_mean(w, f"grid {e:g} {s:g}", lambda f: _holds(f["alone"], f["truth"])) for w in many]
                for e in EFFECTS
            ]
            pooled = [np.mean(c) if None not in c else None for c in zip(*cells, strict=True)]
            lines.append((str(places), f"{s:g}", *map(share, cells), share(pooled)))
    return _table("Coverage of the single interval", head, lines)


def _grades(worlds: dict[str, list[Found]]) -> list[str]:
    head = ("grade", "findings", "mean absolute log error")
    by: dict[int, list[float]] = {}
    whose: dict[int, list[int]] = {}
    for w in worlds["grades"]:
        for f in of_programme(w, "nothing"):
            by.setdefault(f["grade"], []).append(abs(log_error(f)))
            whose.setdefault(f["grade"], []).append(w["seed"])
    lines = [(str(g), str(len(e)), share(e, whose[g])) for g, e in sorted(by.items(), key=str)]
    return _table("Grades", head, lines)
