"""Published runs as pages of a site: the same for `publish`, which writes them, and `serve`.

Every link is relative and nothing needs a script, so that the site works under any address, also
from a shared folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from areaeffect.results import Finding, Verdict
from areaeffect.web import published
from areaeffect.web.published import Entry, PublishedRun, PublishedRuns, RunsFolder, Story
from areaeffect.web.settings import NOWHERE, Contact

if TYPE_CHECKING:
    from markupsafe import Markup
    from starlette.requests import Request

    from areaeffect.document.blocks import Badge
    from areaeffect.web.settings import ServerSettings

INDEX: Final = "index.html"
FEED: Final = "feed.atom"
ABOUT: Final = "about.html"
_FULL_REPORT: Final = ("report.html", "report.pdf", "annex.html", "annex.pdf", "neighbourhoods/index.html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every page of one site shares."""

    contact: Contact = NOWHERE  # where a reader can write to; nothing is taken by the site itself.
    operator: str = ""  # who runs the site; empty: not said.
    base_url: str = ""  # public address of the site without a slash at its end; empty: not known.
    #: words and addresses of a server's other pages; empty for a site of its own.
    home: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a program shows of a shared link: words, and a chart of the run with its alternative."""

    title: str
    text: str
    picture: str = ""
    alternative: str = ""


def site_pages(holdings: PublishedRuns, frame: Frame) -> dict[str, Callable[[], bytes]]:
    """Return every page of a site by its path, each with a function that makes it."""
    pages: dict[str, Callable[[], bytes]] = {
        INDEX: partial(_index, holdings, frame),
        ABOUT: partial(_about, holdings, frame),
        FEED: partial(_feed, holdings, frame),
    }
    for run in holdings.runs.values():
        pages[f"{run.path}/{INDEX}"] = partial(_run, holdings, run, frame)
        for key, finding in run.main.items():
            pages[f"{run.path}/findings/{key}.html"] = partial(_finding, run, key, finding, frame)
    return pages


def site_files(holdings: PublishedRuns) -> dict[str, Path]:
    """Return the files of all runs that a site gives as they are, by their path on it."""
    runs = holdings.runs.values()
    return {f"{run.path}/{name}": run.folder / name for run in runs for name in run.files}


def _index(holdings: PublishedRuns, frame: Frame) -> bytes:
    text = "What neighbourhood initiatives changed, and what the data cannot show."
    preview = Preview("Published evaluations", text, *_picture(holdings.top))
    rows = [(run, _verdicts(holdings, run)) for run in holdings.top]
    return _page(INDEX, "index", frame, preview, updated=_newest(holdings), rows=rows)


def _about(holdings: PublishedRuns, frame: Frame) -> bytes:
    text = "Who runs these pages, privacy, and the accessibility statement."
    return _page(ABOUT, "about", frame, Preview("About these pages", text), updated=_newest(holdings))


def _newest(holdings: PublishedRuns) -> datetime | None:
    return max((run.updated for run in holdings.runs.values()), default=None)


def _run(holdings: PublishedRuns, run: PublishedRun, frame: Frame) -> bytes:
    from areaeffect.wording import group_title, overall

    text = run.question or run.title
    findings = list(run.main.values())
    if findings:
        first = [f for f in findings if f.group == findings[0].group]
        text = f"{group_title(first[0].group)}: {overall(first)}"
    parts = holdings.parts(run)
    picture, alternative = _picture(parts or [run])
    return _page(
        f"{run.path}/{INDEX}",
        "run",
        frame,
        Preview(run.title, text, picture, alternative),
        updated=run.updated,
        run=run,
        studies=[(part, _verdicts(holdings, part)) for part in parts],
        groups=groups_of(run),
        reports=[name for name in _FULL_REPORT if name in run.files],
        maps=_maps(run),
        data=[name for name in run.files if name.startswith("data/") and name.endswith(".csv")],
    )


def _finding(run: PublishedRun, key: str, finding: Finding, frame: Frame) -> bytes:
    view = finding_view(run, key, finding)
    said = f"{str(finding.verdict).capitalize()}. {view.headline}"
    title = f"{view.name}: {finding.group}"
    return _page(
        f"{run.path}/findings/{key}.html",
        "finding",
        frame,
        Preview(title, said, *_first(run, view.charts)),
        updated=run.updated,
        run=run,
        f=view,
        stories=[s for s in run.stories if finding.family in s.families],
    )


def _page(  # what a template shares, then its own values
    path: str, template: str, frame: Frame, preview: Preview, *, updated: datetime | None, **values: Any
) -> bytes:
    from areaeffect.document.page import policy_of
    from areaeffect.web.render import day, environment

    root = "../" * path.count("/")
    before = f"{frame.base_url}/" if frame.base_url else root
    text = (
        environment()
        .get_template(f"site/{template}.html.j2")
        .render(
            frame=frame,
            root=root,
            before=before,
            address=f"{before}{path}" if frame.base_url else "",
            preview=preview,
            style=_style(),
            policy=policy_of(_style()),
            operator=frame.operator,
            contact=frame.contact,
            updated=day(updated),
            is_site=True,
            **values,
        )
    )
    return text.encode()


@cache
def _style() -> Markup:
    from markupsafe import Markup

    return Markup((files("areaeffect.web") / "static" / "app.css").read_text(encoding="utf-8"))


def _maps(run: PublishedRun) -> list[ChartView]:
    from areaeffect.document import svg

    found = []
    for name in reversed(run.files):  # the simple one first
        if name.startswith("charts/") and name.endswith(".svg") and "map" in name.split("/")[1]:
            chart = (run.folder / name).read_text(encoding="utf-8")
            drawn = ChartView(name.removesuffix(".svg"), svg.alternative(chart), svg.title_of(chart))
            found.append(drawn)
    return found


def _picture(runs: list[PublishedRun]) -> tuple[str, str]:
    """Return the first chart that any of the runs holds as a picture, and what it shows."""
    for run in runs:
        for finding in run.main.values():
            charts = charts_of(run, finding)
            if charts:
                return _first(run, charts)
    return "", ""


def _first(run: PublishedRun, charts: tuple[ChartView, ...]) -> tuple[str, str]:
    return (f"{run.path}/{charts[0].file}.png", charts[0].alternative) if charts else ("", "")


def _verdicts(holdings: PublishedRuns, run: PublishedRun) -> str:
    """Say how many findings have which verdict, of a collection over its parts."""
    findings = [f for one in (holdings.parts(run) or [run]) for f in one.main.values()]
    count = Counter(f.verdict for f in findings)
    return ", ".join(f"{count[v]} {v}" for v in Verdict if count[v]) or "none"


def _feed(holdings: PublishedRuns, frame: Frame) -> bytes:
    from areaeffect.wording import headline, name_of

    entries = []
    for run in holdings.runs.values():
        entries += [
            Entry(
                path=f"{run.path}/findings/{key}.html",
                identity=f"{run.seal}/{run.path}/{key}",
                title=f"{name_of(f)}, {f.group}: {f.verdict}",
                summary=f"{headline(f)} ({run.title})",
                updated=run.updated,
                kind="finding",
            )
            for key, f in run.main.items()
        ]
        entries += [_story(run, story) for story in run.stories]
    return published.atom("What is new: findings, stories and events", FEED, frame.base_url, entries)


def _story(run: PublishedRun, story: Story) -> Entry:
    where = " – ".join(part for part in (story.place, story.date) if part)
    return Entry(
        path=f"{run.path}/{INDEX}#{story.key}",
        identity=f"{run.seal}/{run.path}/{story.key}",
        title=story.title,
        summary=f"{where}. {story.text[:500]}".strip(),
        updated=run.updated,
        kind=story.kind,
    )


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
    from areaeffect.wording import can_say, cannot_say, numbers, sentence
    from areaeffect.wording.numbers import percent, signed, signed_interval, size

    facts = [("Strength of evidence", numbers.maryland_words(finding.maryland))]
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
    from areaeffect.wording.numbers import PHRASES

    return FindingView(
        key=key,
        name=name_of(finding),
        group=finding.group,
        claim=PHRASES[f"claim.{finding.claim}"],
        badge=Badge(finding.verdict),
        headline=headline(finding),
        finding=finding,
    )


@dataclass(frozen=True, slots=True)
class Site:
    """One server's published runs, what their pages share, and the menu of its other pages."""

    shelf: RunsFolder
    shared: Frame
    menu: Callable[[], Sequence[tuple[str, str]]]

    @classmethod
    def of(cls, settings: ServerSettings, menu: Callable[[], Sequence[tuple[str, str]]]) -> Site:
        """Open the folder of runs that settings name."""
        base_url = f"{settings.base_url}/runs" if settings.base_url else ""
        shared = Frame(contact=settings.contact, operator=settings.operator, base_url=base_url)
        return cls(RunsFolder(settings.runs), shared, menu)

    @property
    def frame(self) -> Frame:
        """What the pages of runs share now: the menu follows what the server has."""
        others = (pair for pair in self.menu() if pair[1] != "/runs/")
        return replace(self.shared, home=(("Start page", "/"), *others))

    @property
    def holdings(self) -> PublishedRuns:
        """The runs that can be read now."""
        return self.shelf.holdings()

    def pages(self) -> Mapping[str, Callable[[], bytes]]:
        """Return what gives each page and each file of all runs, by path."""
        held = self.holdings
        files = {path: file.read_bytes for path, file in site_files(held).items()}
        return {**files, **site_pages(held, self.frame)}


def site_of(request: Request) -> Site:
    """Return the holdings of the server that is asked."""
    site: Site = request.app.state.site
    return site
