"""The same effect in other forms: additive, as a mean over neighbourhoods, not adjusted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from areaeffect import wording
from areaeffect.document.blocks import Bullets, Data, Paragraph, Section
from areaeffect.document.chart_tables import Table
from areaeffect.document.svg import both_ends, printed, scaled
from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.inference import MIN_PLACEBOS, infer
from areaeffect.findings.case import Case, Evidence, Finished, groups_of
from areaeffect.findings.conclude import case_of
from areaeffect.findings.plan import disjoint
from areaeffect.findings.refusals import FEW_EVENTS
from areaeffect.records import described, rows_of, table_of
from areaeffect.results import Annex, Finding, Floats, Result
from areaeffect.wording.numbers import PHRASES, number, phrase


@dataclass(frozen=True, slots=True)
class Forms:
    """Events that a percentage needs before the start."""

    few_events: int


def effect_forms_section(_result: Result, annex: Annex[Forms]) -> Section:
    """Return one table: a row a finding, its forms side by side."""
    found: dict[tuple[str, str, str], dict[str, FormRow]] = {}
    for row in rows_of(annex.table("effect_forms"), FormRow):
        found.setdefault((row.group, row.label, row.claim), {})[row.kind] = row
    kinds = (RATIO, MEAN, UNADJUSTED, ADDITIVE)
    shown = [kind for kind in kinds if any(kind in own for own in found.values())]
    head = ("Group", "Outcome", *(f"{kind[:1].upper()}{kind[1:]}" for kind in shown))
    body = tuple(
        (
            wording.group_title(group),
            label + (" (level)" if claim == "level" else ""),
            *(_cell(own.get(kind)) for kind in shown),
            _avoided_in_words(own.get(RATIO)),
        )
        for (group, label, claim), own in found.items()
    )
    numeric = frozenset(range(2, len(head) + 1))
    table = Table("Forms of each effect, with intervals", (*head, "Avoided"), body, numeric)
    remarks = dict.fromkeys(
        f"{wording.group_title(row.group)}, {row.label}: {row.remark}."
        for own in found.values()
        for row in own.values()
        if row.remark
    )
    blocks = (Paragraph(PHRASES["forms.lead"]), Data(table, "effect_forms"))
    more = (Bullets(tuple(remarks)),) if remarks else ()
    return Section("effect-forms", PHRASES["forms.title"], (*blocks, *more))


def _cell(row: FormRow | None) -> str:
    if row is None or row.estimate is None:
        return "–"
    unit = f" {row.unit}" if row.form == "additive" else ""
    ends = both_ends(scaled(row.low, row.form), scaled(row.high, row.form), row.form)
    return f"{printed(scaled(row.estimate, row.form), row.form)}{unit} ({ends})"


def _avoided_in_words(record: FormRow | None) -> str:
    if record is None or record.avoided is None:
        return "–"
    avoided = number(record.avoided, "count")
    if record.avoided_low is None or record.avoided_high is None:
        return avoided
    low, high = (number(end, "count") for end in (record.avoided_low, record.avoided_high))
    return f"{avoided} ({low} to {high})"


RATIO, ADDITIVE = "ratio of totals", "difference of rates"
MEAN, UNADJUSTED = "mean over neighbourhoods", "not regression-adjusted"
_SEVERAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRow:
    """One form of an effect, with the incidents behind it."""

    group: str = described("initiative, or all")
    outcome: str = described("name of the outcome")
    label: str = described("its name in print")
    claim: str = described("change or level")
    kind: str = described("which form of the effect")
    form: str = described("ratio: fraction; additive: in `unit`")
    unit: str = described("unit of additive numbers")
    neighbourhoods: int = described("neighbourhoods that it rests on")
    estimate: float | None = described("the effect", None)
    low: float | None = described(
        "interval: of a finding the printed one, of a further form its own, at 95%", None
    )
    high: float | None = described("the same, upper end", None)
    p_value: float | None = described("placebo p-value that goes with the interval; none for a level", None)
    avoided: float | None = described("incidents avoided, by the ratio of totals; negative: more", None)
    avoided_low: float | None = described("fewest that its interval allows", None)
    avoided_high: float | None = described("most that its interval allows", None)
    remark: str = described("why it rests on fewer neighbourhoods, or cannot be computed", "")


def effect_forms(finished: Finished) -> Annex[Forms] | None:
    """Return every group's outcomes in all forms; None where no outcome is a count."""
    evidence, result = finished.evidence, finished.result
    rows: list[FormRow] = []
    for group in groups_of(evidence.plan.units):
        apart = disjoint(evidence.plan, group.units)
        for o, outcome in enumerate(evidence.study.outcome):
            if outcome.kind != "count":
                continue
            own = [
                f
                for f in result.findings
                if (f.group, f.outcome, f.claim) == (group.name, outcome.name, outcome.claim)
                and f.neighbourhood is None
            ]
            rows += [_of_finding(f) for f in own]
            case = case_of(evidence, group, o, apart)
            if not any(f.form == "ratio" and f.estimate is not None for f in own):
                continue
            if outcome.claim != "level" and len(case.units) >= _SEVERAL:
                rows.append(_mean(evidence, case))
            if _is_adjusted(evidence, case):
                rows.append(_unadjusted(evidence, case))
    if not rows:
        return None
    table = table_of("effect_forms", "The same effect in other forms", FormRow, rows)
    return Annex("effect_forms", Forms(FEW_EVENTS), (table,))


def _of_finding(finding: Finding) -> FormRow:
    """Repeat a finding, with the incidents that its interval stands for.

    Observed = expected (1 + effect), so that avoided = observed (1 / (1 + effect) - 1): the
    effect and the incidents never differ in sign.
    """
    is_ratio = finding.form == "ratio"
    avoided = [
        _avoided(finding.observed, effect) if is_ratio and finding.claim == "change" else None
        for effect in (finding.estimate, finding.high, finding.low)
    ]
    return FormRow(
        group=finding.group,
        outcome=finding.outcome,
        label=finding.label,
        claim=finding.claim,
        kind=RATIO if is_ratio else ADDITIVE,
        form=finding.form,
        unit=finding.unit,
        neighbourhoods=finding.n_neighbourhoods,
        estimate=finding.estimate,
        low=finding.low,
        high=finding.high,
        p_value=finding.p_value if finding.claim != "level" else None,
        avoided=avoided[0],
        avoided_low=avoided[1],
        avoided_high=avoided[2],
        remark="" if finding.estimate is not None else finding.caveats[0],
    )


def _avoided(observed: float | None, effect: float | None) -> float | None:
    if observed is None or effect is None or effect <= -1:
        return None
    return observed * (1 / (1 + effect) - 1)


def _mean(evidence: Evidence, case: Case) -> FormRow:
    """Average the neighbourhoods' log ratios, each place counting the same.

    A neighbourhood with few events has a log ratio that is mostly noise: it is left out, which is
    said; placebo programmes are averaged over the same positions.
    """
    real = evidence.real[:, case.position]
    events = real[list(case.units), cf.OBSERVED_PRE]
    logs = cf.log_ratio(real[list(case.units)], "change")
    kept = tuple(
        g for g, n, x in zip(case.units, events, logs, strict=True) if n >= FEW_EVENTS and np.isfinite(x)
    )
    lost = len(case.units) - len(kept)
    remark = (
        phrase("other_forms.neighbourhoods_under", lost=lost, n=len(case.units), few_events=FEW_EVENTS)
        if lost
        else ""
    )
    if len(kept) < _SEVERAL:
        return _printed(case, MEAN, kept, None, remark)
    drawn = evidence.drawn[:, list(kept), case.position]
    return _printed(
        case,
        MEAN,
        kept,
        _inferred(
            case,
            float(cf.log_ratio(real[list(kept)], "change").mean()),
            cf.log_ratio(drawn, "change").mean(axis=-1),
            _harmonic(drawn),
            float(_harmonic(real[list(kept)])),
        ),
        remark,
    )


def _harmonic(totals: Floats) -> Floats:
    """Return n over the mean of 1 / events: what the variance of a mean of logs goes with."""
    events = np.maximum(totals[..., cf.OBSERVED_PRE], 1.0)
    return np.asarray(events.shape[-1] ** 2 / (1.0 / events).sum(axis=-1))


def _is_adjusted(evidence: Evidence, case: Case) -> bool:
    real = evidence.real[list(case.units), case.position]
    return bool((real[:, cf.EXPECTED_POST] != real[:, cf.UNADJUSTED_POST]).any())


def _unadjusted(evidence: Evidence, case: Case) -> FormRow:
    """Return an effect before what weighting left unlike is regressed out."""
    real = cf.unadjusted(evidence.real[:, case.position])
    drawn = cf.unadjusted(evidence.drawn[:, :, case.position])
    found = _inferred(
        case, float(case.statistic(real)), case.statistic(drawn), case.counts(drawn), float(case.counts(real))
    )
    return _printed(case, UNADJUSTED, case.units, found, "")


def _inferred(
    case: Case, estimate: float, placebos: Floats, counts: Floats, count: float
) -> tuple[float, float, float, float] | None:
    if not np.isfinite(estimate) or np.isfinite(placebos).sum() < MIN_PLACEBOS:
        return None
    found = infer(estimate, placebos, counts, count, case.places)
    return estimate, found.low, found.high, found.p_value


def _printed(
    case: Case,
    kind: str,
    units: tuple[int, ...],
    numbers: tuple[float, float, float, float] | None,
    remark: str,
) -> FormRow:
    own = replace(case, units=units)
    estimate, low, high = (None, None, None) if numbers is None else (own.printed(x) for x in numbers[:3])
    p_value = None if numbers is None or case.outcome.claim == "level" else numbers[3]
    return FormRow(
        group=case.group.name,
        outcome=case.outcome.name,
        label=case.outcome.title,
        claim=case.outcome.claim,
        kind=kind,
        form="ratio",
        unit=case.outcome.unit_title,
        neighbourhoods=len(units),
        estimate=estimate,
        low=low,
        high=high,
        p_value=p_value,
        remark=remark,
    )
