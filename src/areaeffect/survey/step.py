"""Surveys of a study: groups compared as the survey was drawn, and their section."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.document.blocks import Block, Bullets, Data, Paragraph, Section, SectionPlace
from areaeffect.document.chart_tables import Columns, Table
from areaeffect.errors import Faults
from areaeffect.findings.case import Finished, Group, groups_of
from areaeffect.outcomes import FAMILIES
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind, kind_of, parse_period
from areaeffect.records import described, rows_of, table_of
from areaeffect.results import Annex, Floats, Ints, Result
from areaeffect.study.analysis import Survey
from areaeffect.study.file import StudyFile
from areaeffect.survey.answers import SurveyAnswers, read_answers
from areaeffect.wording.numbers import PHRASES, number, phrase

#: Benchmark areas that hold at least this share of the weight must have respondents: a survey
#: asks in a sample of areas, but in fewer the benchmark would be of other places.
_LEAST_COVERED = 0.1
_LEVEL = 0.95
#: Respondents that a group needs on each side to be printed.
_LEAST_RESPONDENTS = 30
#: Counts of people under this are not printed (OpenSAFELY's rule).
SUPPRESSED_UNDER = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One comparison of a survey; without an estimate, why."""

    survey: str = described("Name of the survey in the study")
    group: str = described("Group of neighbourhoods")
    claim: str = described("'level' (the later wave) or 'change' (between waves)")
    treated_mean: float | None = described("Weighted mean of the treated places, 0 to 100", None)
    benchmark_mean: float | None = described("Weighted mean of their benchmark areas", None)
    estimate: float | None = described("Difference, in points", None)
    standard_error: float | None = described("Linearised over clusters", None)
    low: float | None = described("Lower end of the 95% design-based interval", None)
    high: float | None = described("Upper end of the 95% design-based interval", None)
    degrees_of_freedom: int | None = described("Clusters less strata", None)
    n_treated: int | None = described("Respondents in treated places; empty where under 8", None)
    n_benchmark: int | None = described("Respondents in benchmark areas; empty where under 8", None)
    covered: float = described("Share of the benchmark weight in areas with respondents")
    reason: str = described("Why there is no estimate; empty where there is one", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFacts:
    """One survey: what was asked, of how many, and who was left out."""

    label: str
    family: str
    items: tuple[str, ...]
    alpha: float | None
    respondents: int
    left_out: tuple[tuple[str, int], ...]
    is_weighted: bool
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Surveys:
    """The surveys of a study by name."""

    asked: dict[str, SurveyFacts]


def survey_step(finished: Finished) -> Annex[Surveys] | None:
    """Compare every survey of the study; None where it has none."""
    study = finished.file.study
    if not study.survey:
        return None
    rows: list[ComparisonRow] = []
    asked: dict[str, SurveyFacts] = {}
    for name, survey in study.survey.items():
        finished.tell(f"survey {name}", 0, 1)
        answers = read_answers(survey, finished.file.folder, finished.data.panel.areas)
        for group in groups_of(finished.evidence.plan.units):
            rows += [
                _row(finished, name, answers, group, claim)
                for claim in (("level", "change") if survey.wave else ("level",))
            ]
        asked[name] = SurveyFacts(
            label=survey.label or name.replace("_", " "),
            family=survey.family,
            items=tuple(i.column for i in survey.items),
            alpha=answers.alpha,
            respondents=len(answers.score),
            left_out=tuple(answers.left_out),
            is_weighted=survey.weight is not None,
            before=survey.before,
            after=survey.after,
        )
    compared = table_of("survey_comparisons", "Surveys: groups compared", ComparisonRow, rows)
    return Annex("survey", Surveys(asked), (compared,))


def check_surveys(file: StudyFile, data: Assembled | None) -> tuple[str, ...]:
    """Refuse a study with a survey that cannot be read; return remarks on reading."""
    faults, notes = Faults(), list[str]()
    for survey in file.study.survey.values():
        areas = None if data is None else data.panel.areas
        read = faults.attempt(read_answers, survey, file.folder, areas)
        notes += read.notes if read is not None else ()
    faults.raise_all()
    return tuple(notes)


def _row(finished: Finished, name: str, answers: SurveyAnswers, group: Group, claim: str) -> ComparisonRow:
    """Compare a group's respondents with those of benchmark areas, who carry the design's weights."""
    survey, plan = finished.file.study.survey[name], finished.evidence.plan
    n_areas, is_change = len(finished.data.panel.areas), claim == "change"
    treated = np.zeros(n_areas, dtype=bool)
    areas = np.zeros(n_areas)
    for g in group.units:
        treated[plan.units[g].areas] = True
        chosen = plan.chosen[0][g]
        if chosen is not None:
            areas[chosen.pool] += chosen.weights
    side = (~treated[answers.area]).astype(np.int64)
    weight = answers.weight * np.where(side == 0, 1.0, areas[answers.area])
    has = np.zeros(n_areas, dtype=bool)
    has[answers.area] = True
    covered = float(areas[has].sum() / areas.sum()) if areas.sum() else 0.0
    waves = (0, 1) if is_change else (1,)
    counts = [
        min(int(((weight > 0) & (side == s) & (answers.wave == w)).sum()) for w in waves) for s in (0, 1)
    ]
    reason = ""
    if is_change and not _straddle(survey, [plan.units[g] for g in group.units]):
        reason = PHRASES["survey.waves"]
    elif min(counts) < _LEAST_RESPONDENTS:
        reason = phrase("survey.few", n=_LEAST_RESPONDENTS)
    elif covered < _LEAST_COVERED:
        reason = PHRASES["survey.uncovered"]
    shown = [n if n == 0 or n >= SUPPRESSED_UNDER else None for n in counts]
    row = ComparisonRow(
        survey=name,
        group=group.name,
        claim=claim,
        n_treated=shown[0],
        n_benchmark=shown[1],
        covered=covered,
        reason=reason,
    )
    if reason:
        return row
    used = (weight > 0) & (is_change | (answers.wave == 1))
    # domains: treated after, benchmark after, treated before, benchmark before
    domain = (side + 2 * (1 - answers.wave))[used]
    signs = np.array([1.0, -1.0, -1.0, 1.0][: 2 * len(waves)])
    found = compare(answers.score[used], weight[used], answers.cluster[used], side[used], domain, signs)
    means = found.means[:2] - found.means[2:] if is_change else found.means
    return replace(
        row,
        treated_mean=float(means[0]),
        benchmark_mean=float(means[1]),
        estimate=found.estimate,
        standard_error=found.standard_error,
        low=found.low,
        high=found.high,
        degrees_of_freedom=found.degrees_of_freedom,
        reason="" if found.low is not None else PHRASES["survey.one_cluster"],
    )


def _straddle(survey: Survey, units: Sequence[Neighbourhood]) -> bool:
    """Whether the first wave ends before every start, and the second begins after it."""
    first, second = (_months(text or "") for text in (survey.before, survey.after))
    if first is None or second is None or any(u.start_kind is PeriodKind.NUMBER for u in units):
        return False
    return all(first[1] < u.start_kind.first_month(u.start) <= second[0] for u in units)


def _months(text: str) -> tuple[int, int] | None:
    """First and last month of a period, counted from year 0."""
    kind = kind_of(text)
    ordinal = parse_period(text, kind) if kind else None
    if kind in {None, PeriodKind.NUMBER} or ordinal is None:
        return None
    return kind.first_month(ordinal), kind.first_month(ordinal + 1) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A linear combination of weighted means with its design-based interval."""

    means: Floats  # (n_domains,), the weighted means it combines
    estimate: float  # the combination
    #: linearised over clusters; None with fewer than two clusters in a stratum.
    standard_error: float | None = None
    #: low, high: 95% interval by Student's t
    low: float | None = None
    high: float | None = None
    degrees_of_freedom: int = 0  # clusters less strata


def compare(
    score: Floats, weight: Floats, cluster: Ints, stratum: Ints, domain: Ints, coefficients: Floats
) -> Comparison:
    """Combine weighted means of domains, with the Taylor-linearised variance over clusters.

    A domain is a group in a wave. With coefficients c over domains d, each respondent's
    linearised value is e_i = c_d w_i (y_i - mean_d) / W_d; cluster totals of e, about their
    stratum's mean, give the variance sum over strata of C/(C-1) times their sum of squares
    (Binder 1983, doi 10.2307/1402588). A cluster that is
    in several domains, such as an area asked in two waves, keeps its covariance.

    Parameters
    ----------
    score, weight : (n,), answers without NaN, and weights above zero.
    cluster, stratum : (n,), whole numbers; a cluster lies in one stratum.
    domain : (n,), position in `coefficients`.
    coefficients : (n_domains,), for instance (1, -1), or (1, -1, -1, 1) for a change.
    """
    n_domains = len(coefficients)
    total = np.bincount(domain, weight, n_domains)
    means = np.bincount(domain, weight * score, n_domains) / total
    estimate = float(coefficients @ means)
    influence = coefficients[domain] * weight * (score - means[domain]) / total[domain]
    _, first, cluster_of = np.unique(cluster, return_index=True, return_inverse=True)
    stratum_of = stratum[first]
    totals = np.bincount(cluster_of.ravel(), influence)
    strata = np.unique(stratum_of)
    freedom, variance = len(totals) - len(strata), 0.0
    for h in strata:
        inside = totals[stratum_of == h]
        if len(inside) < 2:  # noqa: PLR2004  # one cluster shows no spread
            return Comparison(means=means, estimate=estimate)
        variance += len(inside) / (len(inside) - 1) * float(((inside - inside.mean()) ** 2).sum())
    error = float(np.sqrt(variance))
    from scipy.stats import t

    reach = float(t.ppf(0.5 + _LEVEL / 2, freedom)) * error
    return Comparison(
        means=means,
        estimate=estimate,
        standard_error=error,
        low=estimate - reach,
        high=estimate + reach,
        degrees_of_freedom=freedom,
    )


_DASH = "–"


def survey_section(_result: Result, annex: Annex[Surveys]) -> Section:
    """Build the section of all surveys."""
    intro = Paragraph(PHRASES["survey.lead"])
    parts = tuple(_one(annex, name, v) for name, v in annex.found.asked.items())
    return Section("survey", PHRASES["survey.title"], (intro,), parts, SectionPlace.VOICES)


def _one(annex: Annex[Surveys], name: str, values: SurveyFacts) -> Section:
    rows = [r for r in rows_of(annex.table("survey_comparisons"), ComparisonRow) if r.survey == name]
    blocks: list[Block] = [
        *(
            Paragraph(phrase(f"survey.no_{r.claim}", group=r.group, why=r.reason))
            for r in rows
            if r.reason or r.estimate is None
        ),
        Data(_comparison_table(rows, values), "survey_comparisons"),
        Bullets(tuple(_notes(values))),
    ]
    family = FAMILIES[values.family].title
    title = f"{values.label[:1].upper()}{values.label[1:]} ({family})"
    return Section(f"survey-{name}", title, tuple(blocks))


def _comparison_table(rows: list[ComparisonRow], values: SurveyFacts) -> Table:
    columns: Columns[ComparisonRow] = {
        "Group": lambda r: r.group,
        "Claim": lambda r: r.claim,
        "Treated": lambda r: _point(r.treated_mean),
        "Benchmark": lambda r: _point(r.benchmark_mean),
        "Difference": lambda r: _point(r.estimate),
        "95% interval": lambda r: _DASH if r.low is None else f"{_point(r.low)} to {_point(r.high)}",
        "Respondents, treated": lambda r: "[c]" if r.n_treated is None else f"{r.n_treated:,}",
        "Respondents, benchmark": lambda r: "[c]" if r.n_benchmark is None else f"{r.n_benchmark:,}",
        "Benchmark weight with answers": lambda r: f"{100 * r.covered:.0f}%",
    }
    return Table.of(f"Survey: {values.label}", rows, columns, range(2, 9))


def _notes(values: SurveyFacts) -> list[str]:
    notes = [phrase("survey.respondents", n=f"{values.respondents:,}")]
    notes += [phrase("survey.left_out", n=f"{n:,}", why=why) for why, n in values.left_out]
    if values.alpha is not None:
        notes.append(phrase("survey.scale", n=len(values.items), alpha=f"{values.alpha:.2f}"))
    if not values.is_weighted:
        notes.append(PHRASES["survey.unweighted"])
    return [*notes, PHRASES["survey.hidden"]]


def _point(value: float | None) -> str:
    return _DASH if value is None else number(value, "additive")
