"""The step `value` of an evaluation: what the avoided incidents may be worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from areaeffect.estimate.inference import COPIES
from areaeffect.findings.case import Case, Finished
from areaeffect.findings.conclude import cases_of, draw_case
from areaeffect.records import table_of
from areaeffect.results import Annex, Finding, Floats, Ints
from areaeffect.streams import Use, generator
from areaeffect.study.analysis import ALL_CRIME, NOT_VALUED
from areaeffect.value import worth
from areaeffect.value.costs import STATUSES, UNVERIFIED, deflator, discounted
from areaeffect.value.tables import PUBLISHED_SCALE, Amount, CrimeRate, UnitCost, ValueSettings
from areaeffect.value.valuation import Valuation, read_valuation

EVERY_OUTCOME = "all valued outcomes"
_SEVERAL = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Valued:
    """One outcome of one group with its stream of avoided incidents; None with why not."""

    finding: Finding
    case: Case
    stream: worth.Stream | None
    reason: str = ""


def value_annex(finished: Finished) -> Annex[ValueSettings] | None:
    """Value the avoided incidents of every group; None where the study values nothing."""
    (valuation,) = read_valuation(finished.file)
    if valuation is None:
        return None
    valued = _valued(finished, valuation)
    costs = _cost_draws(finished, valuation)
    rows: list[Amount] = []
    for group in dict.fromkeys(v.finding.group for v in valued):
        own = [v for v in valued if v.finding.group == group]
        rows += _group_rows(finished, valuation, own, costs)
    amounts = table_of("value", "What avoided incidents may be worth", Amount, rows)
    lines = table_of("value_costs", "Unit costs used", UnitCost, _cost_rows(valuation))
    return Annex("value", _values(finished, valuation, valued), (amounts, lines))


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


def _cost_draws(finished: Finished, valuation: Valuation) -> dict[str, Floats]:
    n_draws = COPIES * finished.evidence.drawn.shape[0]
    rng = generator(Use.COSTS, finished.file.study.study.seed)
    return worth.cost_draws(
        {item: valuation.table.costs[item] for item in valuation.factors},
        valuation.factors,
        valuation.part.cost_range,
        (worth.repeats_for(n_draws), n_draws),
        rng,
    )


def _group_rows(
    finished: Finished, valuation: Valuation, own: Sequence[_Valued], costs: Mapping[str, Floats]
) -> list[Amount]:
    """Value each outcome of a group, and all together where there are several."""
    rows = [_no_amount(v.finding, v.reason) for v in own if v.stream is None]
    known = [v for v in own if v.stream is not None]
    sets = [[v] for v in known] + ([known] if len(known) >= _SEVERAL else [])
    for chosen in sets:
        is_whole = len(chosen) == len(known)
        funding = _funding(finished, valuation, chosen) if is_whole else None
        rows.append(_row(valuation, chosen, costs, funding))
    return rows


def _no_amount(of: Finding, note: str) -> Amount:
    """Return a line that says why there is no amount."""
    return Amount(
        group=of.group, outcome=of.outcome, label=of.label, unit=of.unit, verdict=str(of.verdict), note=note
    )


def _row(
    valuation: Valuation, chosen: Sequence[_Valued], costs: Mapping[str, Floats], funding: float | None
) -> Amount:
    """Return one line of the table of amounts."""
    streams = [v.stream for v in chosen if v.stream is not None]

    def valued(*, fiscal: bool) -> tuple[float, Floats]:
        def unit_cost(stream: worth.Stream) -> tuple[float, Floats]:
            return _unit_cost(valuation, _shares(valuation, stream, fiscal=fiscal), costs)

        return worth.simulate(streams, unit_cost)

    items = {i for s in streams for i in s.mix if i in valuation.factors}
    repeats = len(next(iter(costs.values())))
    value, drawn = valued(fiscal=False)
    low, high = worth.interval(drawn, repeats)
    fiscal: tuple[float | None, float | None, float | None] = (None, None, None)
    if all(valuation.table.costs[i].fiscal_share is not None for i in items):
        part, part_drawn = valued(fiscal=True)
        fiscal = (part, *worth.interval(part_drawn, repeats))
    avoided, avoided_low, avoided_high = _avoided(chosen[0].finding if len(chosen) == 1 else None)
    one = chosen[0].finding if len(chosen) == 1 else None
    return Amount(
        group=chosen[0].finding.group,
        outcome=one.outcome if one else EVERY_OUTCOME,
        label=one.label if one else EVERY_OUTCOME,
        unit=one.unit if one else None,
        verdict=str(one.verdict) if one else None,
        observed=one.observed if one else None,
        avoided=avoided,
        avoided_low=avoided_low,
        avoided_high=avoided_high,
        kept=streams[0].kept if one else None,
        share_costed=sum(_shares(valuation, streams[0]).values()) if one else None,
        value=value,
        low=low,
        high=high,
        share_positive=worth.share_above(drawn, 0.0),
        fiscal=fiscal[0],
        fiscal_low=fiscal[1],
        fiscal_high=fiscal[2],
        funding=funding,
        per_pound=value / funding if funding else None,
        per_pound_low=low / funding if funding else None,
        per_pound_high=high / funding if funding else None,
        share_above_one=worth.share_above(drawn, funding) if funding else None,
    )


def _shares(valuation: Valuation, stream: worth.Stream, *, fiscal: bool = False) -> dict[str, float]:
    """Return the share of each item whose cost counts; its fiscal part, if that is asked."""
    return {
        item: share * ((valuation.table.costs[item].fiscal_share or 0.0) if fiscal else 1.0)
        for item, share in stream.mix.items()
        if item in valuation.factors
    }


def _unit_cost(
    valuation: Valuation, shares: Mapping[str, float], costs: Mapping[str, Floats]
) -> tuple[float, Floats]:
    """Return the cost of one incident of a mix: the central one, and its draws."""
    central = sum(
        share * valuation.factors[item] * (valuation.table.costs[item].value or 0.0)
        for item, share in shares.items()
    )
    nothing = np.zeros_like(next(iter(costs.values())))
    return central, sum((share * costs[item] for item, share in shares.items()), nothing)


def _avoided(finding: Finding | None) -> tuple[float | None, float | None, float | None]:
    """Return avoided incidents and their interval, which is that of the effect turned round."""
    observed = None if finding is None else finding.observed
    if finding is None or observed is None:
        return (None, None, None)

    def at(effect: float | None) -> float | None:
        if effect is None or effect <= -1:
            return None
        return float(worth.avoided(observed, float(np.log1p(effect))))

    return at(finding.estimate), at(finding.high), at(finding.low)


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


def _cost_rows(valuation: Valuation) -> list[UnitCost]:
    """Return each unit cost that a mix names, and the share that has none."""
    return [
        _cost_row(valuation, outcome, item, share)
        for outcome, mix in valuation.mixes.items()
        for item, share in mix.items()
    ]


def _cost_row(valuation: Valuation, outcome: str, item: str, share: float) -> UnitCost:
    if item == NOT_VALUED:
        label = "of other kinds, without a cost"
        return UnitCost(outcome=outcome, item=item, label=label, share=share)
    cost = valuation.table.costs[item]
    factor = valuation.factors.get(item)
    low, high = worth.ends(cost, valuation.part.cost_range)
    return UnitCost(
        outcome=outcome,
        item=item,
        label=cost.label,
        share=share,
        cost=cost.value,
        price_year=cost.price_year or None,
        cost_now=None if factor is None or cost.value is None else cost.value * factor,
        low=low * factor if factor else None,
        high=high * factor if factor else None,
        fiscal_share=cost.fiscal_share,
        status=STATUSES[cost.status],
        source=cost.source,
    )


def _values(finished: Finished, valuation: Valuation, valued: Sequence[_Valued]) -> ValueSettings:
    """Return the settings a reader needs, and the scale of the published study where it fits."""
    part, study = valuation.part, finished.file.study
    dated = study.study.window.kind.per_year is not None
    uprated = {valuation.table.costs[i].price_year for i in valuation.factors} != {part.price_year}
    scale = []
    for v in valued:
        if v.case.outcome.valued_as != ALL_CRIME:
            continue
        rate = next(
            (
                f
                for f in finished.result.findings
                if f.form == "additive"
                and f.neighbourhood is None
                and (f.group, f.outcome) == (v.finding.group, v.finding.outcome)
                and f.unit.endswith("per 1,000 a year")
            ),
            None,
        )
        if rate is not None and rate.estimate is not None:
            scale.append(CrimeRate(rate.group, rate.estimate, rate.low, rate.high))
    return ValueSettings(
        currency=valuation.table.currency,
        price_year=part.price_year,
        discount_rate=part.discount_rate,
        base_year=_first_year(finished) if dated else None,
        cost_range=part.cost_range,
        deflator=f"{deflator().title} ({deflator().status})" if uprated else None,
        left_out=tuple(
            cost.label
            for item, cost in valuation.table.costs.items()
            if cost.status == UNVERIFIED and any(item in mix for mix in valuation.mixes.values())
        ),
        funding_prices=part.funding_prices,
        scale=tuple(scale),
        published=PUBLISHED_SCALE if scale else None,
    )
