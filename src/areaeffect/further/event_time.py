"""The effect by time since each start, with bands that hold point by point and all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.counterfactual import Bins, path, path_counts
from areaeffect.estimate.inference import MIN_PLACEBOS, PlaceboInference, infer, max_t
from areaeffect.findings.case import Case, Evidence, Finished, groups_of
from areaeffect.findings.conclude import case_of, why_no_interval, why_not
from areaeffect.findings.plan import HELD_OUT_DRAWS, disjoint
from areaeffect.records import described, table_of
from areaeffect.results import Annex, Floats, Ints

#: Smaller than this is what rounding leaves of a bin that was matched on exactly.
_ROUNDING = 1e-9
#: What a bin is: after the start; before it and held out from the design; before it and matched on,
#: wholly or, at the beginning of a history and around gaps, in part.
AFTER, HELD_OUT, MATCHED = "after the start", "held out", "matched on"
IN_PART = "matched on in part"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTimeRow:
    """The effect in one bin of time since the start."""

    group: str = described("initiative, or all")
    outcome: str = described("name of the outcome")
    label: str = described("its name in print")
    form: str = described("ratio: fraction; additive: in `unit`")
    unit: str = described("unit of the outcome")
    bin: int = described("bin of event time: 1 is the first from the start, -1 the last before")
    when: str = described("the periods of the bin, counted from each neighbourhood's own start")
    part: str = described(
        "after the start; held out: a gap by a design that did not see the last year; matched on: "
        "near zero by construction; in part: neither held out nor wholly matched on"
    )
    neighbourhoods: int = described("neighbourhoods that have the bin")
    share: float = described("part of the bin that these have values for")
    observed: float | None = described("what was counted in them, or their mean", None)
    expected: float | None = described("what would have been, from their benchmark areas", None)
    estimate: float | None = described("effect, or gap before the start", None)
    low: float | None = described("95% placebo interval of this bin alone", None)
    high: float | None = described("the same, upper end", None)
    low_together: float | None = described("95% band that holds for all bins of this part together", None)
    high_together: float | None = described("the same, upper end", None)
    p_value: float | None = described("placebo p-value of this bin alone", None)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Bins read from one arm."""

    name: str  # what these bins are
    bins: Ints  # those that some neighbourhood has
    periods: Ints  # (n_units, n_bins), periods with values
    #: real, drawn: totals, (n_units, n_totals) and (n_draws, n_units, n_totals)
    real: Floats
    drawn: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTime:
    """How the effect over time was added up, and what has none."""

    months: int
    placebos: int
    placebos_held_out: int
    not_estimable: tuple[str, ...]


def event_time(finished: Finished) -> Annex[OverTime] | None:
    """Return the effect by time since each start; None where no outcome claims a change."""
    evidence = finished.evidence
    changes = [o for o, x in enumerate(evidence.study.outcome) if x.claim == "change"]
    if not changes:
        return None
    rows: list[EventTimeRow] = []
    lacking: list[str] = []
    for group in groups_of(evidence.plan.units):
        apart = disjoint(evidence.plan, group.units)
        for o in changes:
            case = case_of(evidence, group, o, apart)
            reason = why_not(evidence, case) or why_no_interval(evidence, case)
            if reason:
                lacking.append(f"{group.name}, {case.outcome.title}: {reason}.")
            else:
                rows += _rows(evidence, case)
    found = OverTime(
        months=evidence.study.analysis.event_time_months,
        placebos=len(evidence.drawn),
        placebos_held_out=HELD_OUT_DRAWS,
        not_estimable=tuple(lacking),
    )
    table = table_of("event_time", "Effect by time since the start", EventTimeRow, rows)
    return Annex("event_time", found, (table,))


def _rows(evidence: Evidence, case: Case) -> list[EventTimeRow]:
    bins = evidence.plan.leading.bins
    found: list[tuple[int, EventTimeRow]] = []
    for part in _parts(evidence, case, bins):
        effects = path(part.real, is_ratio=case.is_ratio)
        each = _inferred(case, part, effects) if part.name != MATCHED else {}
        bands = _together(each)
        for b in part.bins:
            effect = 0.0 if abs(effects[b]) < _ROUNDING else float(effects[b])
            row = _described(case, bins, part, int(b))
            row = _with_numbers(row, case, effect, each.get(int(b)), bands.get(int(b)))
            found.append((int(b), row))
    return [row for _, row in sorted(found, key=lambda item: item[0])]


def _parts(evidence: Evidence, case: Case, bins: Bins) -> list[_Part]:
    """Cut the bins into those after the start, those held out, and the rest before it."""
    position = evidence.held_out_at(case.position)
    tested = tuple(g for g in case.units if np.isfinite(evidence.real[g, position]).all())
    held_out = _held_out(evidence, position, tested)
    before = [b for b in range(bins.leads) if b not in held_out]
    after = list(range(bins.leads, bins.n))
    parts = (
        _part(evidence, MATCHED, before, case.units, case.position),
        _part(evidence, HELD_OUT, sorted(held_out), tested, position),
        _part(evidence, AFTER, after, case.units, case.position),
    )
    return [part for part in parts if len(part.bins)]


def _held_out(evidence: Evidence, position: int, units: Sequence[int]) -> set[int]:
    """Return the bins before the start that the held-out design did not see."""
    found: set[int] = set()
    for g in units:
        arm, areas = evidence.plan.arm_of(position), evidence.plan.units[g].areas
        late = arm.used(g, areas)[position][1]
        found |= {int(b) for b in arm.bin_of(g, position)[late] if 0 <= b < arm.bins.leads}
    return found


def _part(evidence: Evidence, name: str, bins: Sequence[int], units: tuple[int, ...], position: int) -> _Part:
    """Read the totals; a placebo is asked for the bins that the real neighbourhood has."""
    real = evidence.real[list(units), position]
    drawn = evidence.drawn[:, list(units), position]
    periods = np.zeros((len(units), evidence.plan.machine.n_bins), dtype=np.int64)
    for row, g in enumerate(units):
        arm = evidence.plan.arm_of(position)
        pre, post = arm.used(g, evidence.plan.units[g].areas)[position]
        of = arm.bin_of(g, position)[pre | post]
        periods[row] = np.bincount(of[of >= 0], minlength=periods.shape[1])
    keep = np.ones(real.shape, dtype=bool)
    keep[:, cf.N_TOTALS :] = np.repeat(periods > 0, cf.N_PATH, axis=1)
    shown = np.array([b for b in bins if periods[:, b].any()], dtype=np.int64)
    return _Part(name, shown, periods, real, np.where(keep, drawn, 0.0))


def _binned(totals: Floats) -> Floats:
    return totals[..., cf.N_TOTALS :].reshape(*totals.shape[:-1], -1, cf.N_PATH)


def _inferred(case: Case, part: _Part, effects: Floats) -> dict[int, PlaceboInference]:
    """Hold each bin against the same bin of the placebo programmes."""
    drawn = path(part.drawn, is_ratio=case.is_ratio)
    count, counts = path_counts(part.real), path_counts(part.drawn)
    found = {}
    for b in part.bins:
        if not np.isfinite(effects[b]) or np.isfinite(drawn[:, b]).sum() < MIN_PLACEBOS:
            continue
        own, mine = (counts[:, b], float(count[b])) if case.is_ratio else (np.ones(len(drawn)), 1.0)
        found[int(b)] = infer(float(effects[b]), drawn[:, b], own, mine, case.places)
    return found


def _together(each: dict[int, PlaceboInference]) -> dict[int, tuple[float, float]]:
    """Return the band that holds for all bins at once (max-T over the bins of one draw)."""
    if not each:
        return {}
    joint = max_t(list(each.values()))
    return {b: x.ends(joint.critical(k)) for k, (b, x) in enumerate(each.items())}


def _described(case: Case, bins: Bins, part: _Part, b: int) -> EventTimeRow:
    """Say which bin it is, on how much it rests, and what was counted in it."""
    has = part.periods[:, b] > 0
    observed, expected, exposure = _binned(part.real)[has, b].sum(axis=0)
    base = part.real[has].sum(axis=0)
    length = bins.length(case.measure.periods.kind)
    if case.is_ratio:
        scaled = cf.expected_total(_as_total(base, observed, expected), "change")
    else:
        observed, expected = observed / exposure, expected / exposure
        gap = (base[cf.OBSERVED_PRE] - base[cf.EXPECTED_PRE]) / base[cf.EXPOSURE_PRE]
        scaled = float(expected + gap)
    step = b - bins.leads + (1 if b >= bins.leads else 0)
    covered = float(part.periods[has, b].sum() / (has.sum() * length))
    is_part = part.name == MATCHED and covered < 1
    return EventTimeRow(
        group=case.group.name,
        outcome=case.outcome.name,
        label=case.outcome.title,
        form="ratio" if case.is_ratio else "additive",
        unit=case.outcome.unit_title,
        bin=step,
        when=_when(step, length, case),
        part=IN_PART if is_part else part.name,
        neighbourhoods=int(has.sum()),
        share=covered,
        observed=float(observed),
        expected=scaled if np.isfinite(scaled) else None,
    )


def _as_total(base: Floats, observed: float, expected: float) -> Floats:
    """Return totals whose time after the start is one bin."""
    total = base[: cf.N_TOTALS].copy()
    total[cf.OBSERVED_POST], total[cf.EXPECTED_POST] = observed, expected
    return total


def _when(step: int, length: int, case: Case) -> str:
    months = 12 // (case.measure.periods.kind.per_year or 12)
    unit = "month" if case.measure.periods.kind.per_year else "period"
    size = length * months if unit == "month" else length
    last = abs(step) * size
    span = f"{last - size + 1} to {last}" if size > 1 else f"{last}"
    word = f"{unit}s" if size > 1 else unit
    return f"{word} {span} {'before' if step < 0 else 'after'} the start"


def _with_numbers(
    row: EventTimeRow,
    case: Case,
    effect: float,
    found: PlaceboInference | None,
    band: tuple[float, float] | None,
) -> EventTimeRow:
    row = replace(row, estimate=case.printed(effect))
    if found is None or band is None:
        return row
    return replace(
        row,
        low=case.printed(found.low),
        high=case.printed(found.high),
        low_together=case.printed(band[0]),
        high_together=case.printed(band[1]),
        p_value=found.p_value,
    )
