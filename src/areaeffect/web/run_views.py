"""What the pages of a published run show, worded by the report's own functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from areaeffect.results import Finding, Verdict
from areaeffect.web.refusals import Refusal

if TYPE_CHECKING:
    from areaeffect.document.blocks import Badge
    from areaeffect.document.chart_tables import Table
    from areaeffect.results import Result, Series
    from areaeffect.web.published import PublishedRun


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding in words."""

    key: str
    name: str
    group: str
    claim: str
    badge: Badge
    headline: str
    finding: Finding
    facts: tuple[tuple[str, str], ...] = ()
    can: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    charts: tuple[tuple[str, str, str], ...] = ()  # name, alternative, title


@dataclass(frozen=True, slots=True)
class PlaceView:
    """One neighbourhood in words."""

    slug: str
    initiative: str
    name: str
    in_short: str
    findings: tuple[Finding, ...] = ()
    answers: tuple[tuple[Badge, str, str], ...] = ()
    chart: str = ""
    chart_alternative: str = ""
    table: Table | None = None


def groups_of(run: PublishedRun) -> dict[str, list[FindingView]]:
    """Return the main findings of a run by group, in words."""
    from areaeffect.wording import group_title

    groups: dict[str, list[FindingView]] = {}
    for key, finding in run.main.items():
        view = _short(key, finding)
        groups.setdefault(group_title(finding.group), []).append(view)
    return groups


def finding_view(run: PublishedRun, key: str, finding: Finding) -> FindingView:
    """Return one finding with all that its page says."""
    from areaeffect.document import svg
    from areaeffect.report.sections import p_words
    from areaeffect.wording import (
        can_say,
        cannot_say,
        terms,  # heavy
    )
    from areaeffect.wording.numbers import percent, signed, signed_interval, size

    facts = [("Strength of evidence", terms.maryland_words(finding.maryland))]
    if finding.verdict is not Verdict.NOT_ESTIMABLE:
        facts = [
            ("Unit", "per cent" if finding.form == "ratio" else finding.unit),
            ("Estimate", signed(finding.estimate, finding)),
            (
                f"{percent(finding.level)} placebo interval",
                signed_interval(finding.low, finding.high, finding),
            ),
            ("p-value, for all outcomes together", p_words(finding.p_adjusted)),
            ("Smallest effect it could have seen", size(finding.mde, finding)),
            ("Neighbourhoods; areas", f"{finding.n_neighbourhoods:,}; {finding.n_areas:,}"),
            ("Benchmark areas", f"{finding.n_benchmark_areas or 0:,}"),
            ("Before; after", f"{finding.pre}; {finding.post}"),
            *facts,
        ]
    charts = []
    for kind in ("trend", "placebo"):
        name = svg.key_of(finding.group, finding.outcome, finding.claim, kind)
        path = run.folder / "charts" / f"{name}.svg"
        if path.is_file():
            chart = path.read_text(encoding="utf-8")
            charts.append((name, svg.alternative(chart), svg.title_of(chart)))
    return replace(
        _short(key, finding),
        facts=tuple(facts),
        can=tuple(can_say(finding)),
        cannot=tuple(cannot_say(finding)),
        charts=tuple(charts),
    )


def places_of(result: Result) -> list[PlaceView]:
    """Return every neighbourhood that has findings of its own, in short."""
    from areaeffect.report import neighbourhood_pages
    from areaeffect.wording import plain

    own = neighbourhood_pages.findings_by_place(result)
    return [
        PlaceView(slug, place[0], place[1], plain.in_short(own[place]))
        for place, slug in neighbourhood_pages.places(result).items()
        if place in own
    ]


def place_view(result: Result, slug: str) -> PlaceView:
    """Return one neighbourhood with all that its page says.

    Raises
    ------
    Refusal
        404: there is none of this name.
    """
    from areaeffect.document import svg
    from areaeffect.document.blocks import Badge
    from areaeffect.report import neighbourhood_pages
    from areaeffect.wording import plain
    from areaeffect.wording.phrases import PHRASES

    place = next((p for p in places_of(result) if p.slug == slug), None)
    if place is None:
        raise Refusal(404, "This run has no such neighbourhood.", "See the list of all of them.")
    where = (place.initiative, place.name)
    told = neighbourhood_pages.findings_by_place(result)[where]
    series = {s.outcome: s for s in result.neighbourhood_series if _of(s) == where}
    pairs = [(f, series[f.outcome]) for f in told if f.outcome in series]
    start = next((d.start for d in result.designs if (d.initiative, d.neighbourhood) == where), "")
    figure = neighbourhood_pages.own_figure(where, slug, pairs, start) if pairs else None
    return replace(
        place,
        findings=tuple(f for f in result.findings if (f.initiative, f.neighbourhood) == where),
        answers=tuple(
            (Badge(f.verdict), PHRASES[f"claim.{f.claim}"], plain.plain_answer(f)) for f in told
        ),
        chart=figure.chart if figure else "",
        chart_alternative=svg.alternative(figure.chart) if figure else "",
        table=figure.table if figure else None,
    )


def _of(series: Series) -> tuple[str, str]:
    return series.group, series.neighbourhood


def _short(key: str, finding: Finding) -> FindingView:
    from areaeffect.document.blocks import Badge
    from areaeffect.wording import headline, name_of
    from areaeffect.wording.phrases import PHRASES

    return FindingView(
        key=key,
        name=name_of(finding),
        group=finding.group,
        claim=PHRASES[f"claim.{finding.claim}"],
        badge=Badge(finding.verdict),
        headline=headline(finding),
        finding=finding,
    )
