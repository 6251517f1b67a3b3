"""The step `value` of an evaluation: what the avoided incidents may be worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.estimate.inference import COPIES
from areaeffect.findings.case import Case, Finished
from areaeffect.findings.conclude import cases_of, draw_case
from areaeffect.records import table_of
from areaeffect.results import Annex, Finding, Floats, Ints
from areaeffect.streams import Use, generator
from areaeffect.study.analysis import NOT_VALUED
from areaeffect.value import worth
from areaeffect.value.costs import STATUSES, UNVERIFIED, deflator, discounted
from areaeffect.value.valuation import Valuation, read_valuation
from areaeffect.value.worth import EVERY_OUTCOME, Amount, UsedCost, ValueSettings


@dataclass(frozen=True, slots=True, eq=False)
class _Valued:
    """One outcome of one group with its stream of avoided incidents; None with why not."""

    finding: Finding
    case: Case
    stream: worth.Stream | None
    reason: str = ""


def value_annex(finished: Finished) -> Annex[ValueSettings] | None:
    """Value the avoided incidents of every group; None where the study values nothing."""
    valuation = read_valuation(finished.file)
    if valuation is None:
        return None
    valued = _valued(finished, valuation)
    n_draws = COPIES * finished.evidence.drawn.shape[0]
    shape = (worth.repeats_for(n_draws), n_draws)
    rng = generator(Use.COSTS, finished.file.study.study.seed)
    costs = worth.cost_draws(valuation.table.costs, valuation.factors, shape, rng)
    rows: list[Amount] = []
    for group in dict.fromkeys(v.finding.group for v in valued):
        own = [v for v in valued if v.finding.group == group]
        rows += [_named(v, note=v.reason) for v in own if v.stream is None]
        known = [v for v in own if v.stream is not None]
        rows += [_row(valuation, [v], costs, finished if len(known) == 1 else None) for v in known]
        if len(known) > 1:
            rows.append(_row(valuation, known, costs, finished))
    amounts = table_of("value", "What avoided incidents may be worth", Amount, rows)
    used = [
        _used(valuation, outcome, item, share)
        for outcome, mix in valuation.mixes.items()
        for item, share in mix.items()
    ]
    lines = table_of("value_costs", "Unit costs used", UsedCost, used)
    return Annex("value", _settings(finished, valuation), (amounts, lines))


def _valued(finished: Finished, valuation: Valuation) -> list[_Valued]:
    """Return every valued outcome of every whole group, in the order of the findings."""
    ratios = {
        (f.group, f.outcome): f
        for f in finished.result.findings
        if f.form == "ratio" and f.neighbourhood is None and f.claim == "change"
    }
    found = []
    for case in cases_of(finished.evidence):
        finding = ratios.get((case.group.name, case.outcome.name))
        if case.outcome.name not in valuation.mixes or not case.is_ratio or finding is None:
            continue
        reason = _why_not(finding, valuation.mixes[case.outcome.name], valuation)
        stream = None if reason else _stream(finished, valuation, case, finding)
        found.append(_Valued(finding, case, stream, reason))
    return found


def _why_not(finding: Finding, mix: Mapping[str, float], valuation: Valuation) -> str:
    if finding.estimate is None or finding.observed is None:
        why = finding.caveats[0].rstrip(".") if finding.caveats else "no estimate"
        return f"not estimable: {why}"
    if finding.interval is None:
        return f"no interval: {finding.held_back}"
    costed = [i for i in mix if i in valuation.factors]
    if not costed:
        sources = [valuation.table.costs[i].source for i in mix if i in valuation.table.costs]
        return f"no unit cost: {'; '.join(sources) or 'the mix values none'}"
    return ""


def _stream(finished: Finished, valuation: Valuation, case: Case, finding: Finding) -> worth.Stream:
    """Turn a finding into its stream: effects by inversion, discounting by the years observed."""
    found = draw_case(finished.evidence, case).found
    if found is None:
        raise AssertionError  # unreachable: a finding with an interval has its inference
    part, kept = valuation.part, 1.0
    amounts, years = _by_year(case, finished)
    if part.discount_rate > 0 and amounts.sum() > 0:
        kept = discounted(amounts, years, _first_year(finished), part.discount_rate)
    return worth.Stream(
        outcome=case.outcome.name,
        observed=float(finding.observed or 0.0),
        estimate=float(np.log1p(finding.estimate or 0.0)),
        effects=found.statistic * found.scale - found.scale * found.statistics.ravel(),
        kept=kept,
        mix=valuation.mixes[case.outcome.name],
    )


def _by_year(case: Case, finished: Finished) -> tuple[Floats, Ints]:
    """Return what was counted in the treated areas after their starts, by calendar year."""
    periods = case.measure.periods
    per_year = periods.kind.per_year or 1
    total = np.zeros(periods.n)
    for g in case.units:
        unit = finished.evidence.plan.units[g]
        _, after = periods.split(*unit.counted_from)
        total[after] += np.nansum(case.measure.values[unit.areas, after], axis=0)
    years, year = np.unique(periods.ordinals // per_year, return_inverse=True)
    amounts = np.bincount(year, weights=total, minlength=len(years)).astype(np.float64)
    return amounts, years


def _first_year(finished: Finished) -> int:
    """Return the calendar year of the first start."""
    units = finished.evidence.plan.units
    return min(int(u.start // (u.start_kind.per_year or 1)) for u in units)


def _named(of: _Valued, *, note: str = "") -> Amount:
    """Return the line of one outcome without its amount: what is valued, or why it has none."""
    found = of.finding
    return Amount(
        group=found.group,
        outcome=found.outcome,
        label=found.label,
        unit=found.unit,
        verdict=str(found.verdict),
        note=note,
    )


def _row(
    valuation: Valuation, chosen: Sequence[_Valued], costs: Mapping[str, Floats], funded: Finished | None
) -> Amount:
    """Return one line of the table of amounts; with the study, also what a pound of funding gave."""
    nothing = np.zeros_like(next(iter(costs.values())))

    def unit_cost(stream: worth.Stream) -> tuple[float, Floats]:
        shares = [(item, share) for item, share in stream.mix.items() if item in valuation.factors]
        central = sum(
            share * valuation.factors[item] * (valuation.table.costs[item].value or 0.0)
            for item, share in shares
        )
        return central, sum((share * costs[item] for item, share in shares), nothing)

    value, drawn = worth.simulate([v.stream for v in chosen if v.stream is not None], unit_cost)
    low, high = worth.interval(drawn, len(nothing))
    row = Amount(group=chosen[0].finding.group, outcome=EVERY_OUTCOME, label=EVERY_OUTCOME)
    if len(chosen) == 1 and chosen[0].stream is not None:
        stream = chosen[0].stream
        row = replace(
            _named(chosen[0]),
            avoided=float(worth.avoided(stream.observed, stream.estimate)),
            kept=stream.kept,
            share_costed=sum(share for item, share in stream.mix.items() if item in valuation.factors),
        )
    funding = None if funded is None else _funding(funded, valuation, chosen)
    row = replace(row, value=value, low=low, high=high, funding=funding)
    if not funding:
        return row
    return replace(
        row,
        per_pound=value / funding,
        per_pound_low=low / funding,
        per_pound_high=high / funding,
        share_above_one=worth.share_above(drawn, funding),
    )


def _funding(finished: Finished, valuation: Valuation, chosen: Sequence[_Valued]) -> float | None:
    """Return the funding of a group's neighbourhoods in the prices asked for; None if unknown.

    The section's own figure for an initiative goes before those of its neighbourhoods. It must
    be of the same neighbourhoods that are estimated: where some have no estimate it is not used.
    """
    part = valuation.part
    if part.funding_prices is None:
        return None
    case = chosen[0].case
    if any(v.case.units != case.group.units for v in chosen):
        return None
    units = [finished.evidence.plan.units[g] for g in case.units]
    total = 0.0
    for name in dict.fromkeys(u.initiative for u in units):
        given = [u.funding for u in units if u.initiative == name]
        if name in part.funding:
            total += part.funding[name]
        elif all(f is not None for f in given):
            total += sum(f for f in given if f is not None)
        else:
            return None
    return total * valuation.funding_factor if total > 0 else None


def _used(valuation: Valuation, outcome: str, item: str, share: float) -> UsedCost:
    """Return a unit cost that a mix names, or the share that has none."""
    if item == NOT_VALUED:
        label = "of other kinds, without a cost"
        return UsedCost(outcome=outcome, item=item, label=label, share=share)
    cost, factor = valuation.table.costs[item], valuation.factors.get(item)
    now = None
    if factor is not None:
        now = tuple(factor * x for x in (cost.value or 0.0, *cost.ends))
    return UsedCost(
        outcome=outcome,
        item=item,
        label=cost.label,
        share=share,
        cost=cost.value,
        price_year=cost.price_year or None,
        cost_now=now[0] if now else None,
        low=now[1] if now else None,
        high=now[2] if now else None,
        status=STATUSES[cost.status],
        source=cost.source,
    )


def _settings(finished: Finished, valuation: Valuation) -> ValueSettings:
    """Return the settings a reader needs."""
    part, table = valuation.part, valuation.table
    uprated = {table.costs[i].price_year for i in valuation.factors} != {part.price_year}
    dated = finished.file.study.study.window.kind.per_year is not None
    named = {item for mix in valuation.mixes.values() for item in mix}
    return ValueSettings(
        currency=table.currency,
        price_year=part.price_year,
        discount_rate=part.discount_rate,
        base_year=_first_year(finished) if dated else None,
        deflator=f"{deflator().title} ({deflator().status})" if uprated else None,
        left_out=tuple(
            c.label for item, c in table.costs.items() if c.status == UNVERIFIED and item in named
        ),
    )
