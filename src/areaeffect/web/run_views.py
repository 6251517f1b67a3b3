"""What the pages of a published run show, worded by the report's own functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from areaeffect.results import Finding, Verdict

if TYPE_CHECKING:
    from areaeffect.document.blocks import Badge
    from areaeffect.web.published import PublishedRun


@dataclass(frozen=True, slots=True)
class ChartView:
    """A chart of the run: its file without ending, what it shows in words, and its title."""

    file: str
    alternative: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One finding in words."""

    key: str
    name: str
    group: str
    claim: str
    badge: Badge
    headline: str
    finding: Finding
    sentence: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    can: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    charts: tuple[ChartView, ...] = ()


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
    from areaeffect.report.sections import p_words
    from areaeffect.wording import can_say, cannot_say, sentence, terms
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
            ("p-value", p_words(finding.p_value)),
            ("Smallest effect it could have detected", size(finding.mde, finding)),
            ("Neighbourhoods; areas", f"{finding.n_neighbourhoods:,}; {finding.n_areas:,}"),
            ("Benchmark areas", f"{finding.n_benchmark_areas or 0:,}"),
            ("Before; after", f"{finding.pre}; {finding.post}"),
            *facts,
        ]
    return replace(
        _short(key, finding),
        sentence=sentence(finding),
        facts=tuple(facts),
        can=tuple(can_say(finding)),
        cannot=tuple(cannot_say(finding)),
        charts=charts_of(run, finding),
    )


def charts_of(run: PublishedRun, finding: Finding) -> tuple[ChartView, ...]:
    """Return the charts of a finding that its run holds as files."""
    from areaeffect.document import svg

    charts = []
    for kind in ("trend", "placebo"):
        name = f"charts/{svg.key_of(finding.group, finding.outcome, finding.claim, kind)}"
        if {f"{name}.svg", f"{name}.png"} <= set(run.files):
            chart = (run.folder / f"{name}.svg").read_text(encoding="utf-8")
            charts.append(ChartView(name, svg.alternative(chart), svg.title_of(chart)))
    return tuple(charts)


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
