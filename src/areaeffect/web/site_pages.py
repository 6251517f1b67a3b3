"""Published runs as pages of a site, the same for `publish`, which writes them, and `serve`.

Every link is relative and nothing needs a script, so that the site works under any address, also
from a shared folder.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from areaeffect.document import svg
from areaeffect.document.folders import refuse_foreign, write_whole
from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.results import Finding, Verdict
from areaeffect.web import limits
from areaeffect.web.limits import NOWHERE, Contact
from areaeffect.web.published import PublishedRun, PublishedRuns, RunsFolder, folders_of

if TYPE_CHECKING:
    from markupsafe import Markup

    Pages = dict[str, Callable[[], bytes]]

INDEX: Final = "index.html"
_FEED, _ABOUT = "feed.atom", "about.html"
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
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
class ChartView:
    """A chart of a run: its file without ending, what it shows in words, and its title."""

    file: str
    alternative: str
    title: str


def site_pages(holdings: PublishedRuns, frame: Frame) -> Pages:
    """Return every page of a site by its path, each with a function that makes it."""
    newest = max((run.updated for run in holdings.runs.values()), default=None)
    about = "Who runs these pages, privacy, and the accessibility statement."
    pages: Pages = {
        INDEX: partial(_index, holdings, frame, newest),
        _ABOUT: partial(_page, _ABOUT, "about", frame, newest, "About these pages", about),
        _FEED: partial(_feed, holdings, frame),
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


def _index(holdings: PublishedRuns, frame: Frame, newest: datetime | None) -> bytes:
    text = "What neighbourhood initiatives changed, and what the data cannot show."
    rows = [(run, _verdicts(holdings, run)) for run in holdings.top]
    shown = _picture(holdings.top)
    return _page(INDEX, "index", frame, newest, "Published evaluations", text, shown, rows=rows)


def _run(holdings: PublishedRuns, run: PublishedRun, frame: Frame) -> bytes:
    from areaeffect.wording import group_title, overall

    text, parts = run.question or run.title, holdings.parts(run)
    groups: dict[str, list[tuple[str, Finding]]] = {}
    for key, finding in run.main.items():
        groups.setdefault(group_title(finding.group), []).append((key, finding))
    if groups:
        title, first = next(iter(groups.items()))
        text = f"{title}: {overall([finding for _, finding in first])}"
    maps = [
        n for n in run.files if n.startswith("charts/") and n.endswith(".svg") and "map" in n.split("/")[1]
    ]
    return _page(
        f"{run.path}/{INDEX}",
        "run",
        frame,
        run.updated,
        run.title,
        text,
        _picture(parts or [run]),
        run=run,
        studies=[(part, _verdicts(holdings, part)) for part in parts],
        groups=groups,
        reports=[name for name in _FULL_REPORT if name in run.files],
        maps=[_chart(run, name.removesuffix(".svg")) for name in reversed(maps)],  # the simple one first
        data=[name for name in run.files if name.startswith("data/") and name.endswith(".csv")],
    )


def _finding(run: PublishedRun, key: str, finding: Finding, frame: Frame) -> bytes:
    from areaeffect.report.sections import p_words
    from areaeffect.wording import headline, name_of

    charts = _charts(run, finding)
    return _page(
        f"{run.path}/findings/{key}.html",
        "finding",
        frame,
        run.updated,
        f"{name_of(finding)}: {finding.group}",
        f"{str(finding.verdict).capitalize()}. {headline(finding)}",
        (run, charts[0]) if charts else None,
        run=run,
        key=key,
        f=finding,
        charts=charts,
        p_words=p_words,
        stories=[s for s in run.stories if finding.family in s.families],
    )


def _page(  # what a template shares, then its own values
    path: str,
    template: str,
    frame: Frame,
    updated: datetime | None,
    title: str,
    text: str,
    shown: tuple[PublishedRun, ChartView] | None = None,
    **values: Any,
) -> bytes:
    """Return a page; title, text and the chart shown are what a program shows of a shared link."""
    from areaeffect import wording
    from areaeffect.document.blocks import Badge
    from areaeffect.document.page import policy_of
    from areaeffect.web.render import day, environment

    root = "../" * path.count("/")
    before = f"{frame.base_url}/" if frame.base_url else root
    made = environment().get_template(f"site/{template}.html.j2")
    return made.render(
        frame=frame,
        root=root,
        before=before,
        address=f"{before}{path}" if frame.base_url else "",
        title=title,
        text=text,
        picture=f"{shown[0].path}/{shown[1].file}.png" if shown else "",
        alternative=shown[1].alternative if shown else "",
        style=_style(),
        policy=policy_of(_style()),
        operator=frame.operator,
        contact=frame.contact,
        updated=day(updated),
        is_site=True,
        wording=wording,
        claims=wording.numbers.PHRASES,
        badge=Badge,
        **values,
    ).encode()


@cache
def _style() -> Markup:
    from markupsafe import Markup

    return Markup((files("areaeffect.web") / "static" / "app.css").read_text(encoding="utf-8"))


def _chart(run: PublishedRun, name: str) -> ChartView:
    drawn = (run.folder / f"{name}.svg").read_text(encoding="utf-8")
    return ChartView(name, svg.alternative(drawn), svg.title_of(drawn))


def _charts(run: PublishedRun, finding: Finding) -> list[ChartView]:
    """Return the charts of a finding that its run holds as files."""
    kinds = ("trend", "placebo")
    names = (f"charts/{svg.key_of(finding.group, finding.outcome, finding.claim, kind)}" for kind in kinds)
    return [_chart(run, n) for n in names if {f"{n}.svg", f"{n}.png"} <= set(run.files)]


def _picture(runs: Sequence[PublishedRun]) -> tuple[PublishedRun, ChartView] | None:
    """Return the first chart that any of the runs holds as a picture."""
    found = ((run, c) for run in runs for f in run.main.values() for c in _charts(run, f))
    return next(found, None)


def _verdicts(holdings: PublishedRuns, run: PublishedRun) -> str:
    """Say how many findings have which verdict, of a collection over its parts."""
    findings = [f for one in (holdings.parts(run) or [run]) for f in one.main.values()]
    count = Counter(f.verdict for f in findings)
    return ", ".join(f"{count[v]} {v}" for v in Verdict if count[v]) or "none"


def _feed(holdings: PublishedRuns, frame: Frame) -> bytes:
    """Return what is new as an Atom feed, the newest first."""
    from areaeffect.web.render import environment
    from areaeffect.wording import headline, name_of

    entries: list[dict[str, Any]] = []

    def add(run: PublishedRun, kind: str, key: str, path: str, title: str, summary: str) -> None:
        identity = f"{run.seal}/{run.path}/{key}"  # what it is known by, wherever the site is
        new = {"path": f"{run.path}/{path}", "kind": kind, "title": title, "summary": summary}
        entries.append(new | {"identity": identity, "updated": run.updated})

    for run in holdings.runs.values():
        for key, f in run.main.items():
            title, summary = f"{name_of(f)}, {f.group}: {f.verdict}", f"{headline(f)} ({run.title})"
            add(run, "finding", key, f"findings/{key}.html", title, summary)
        for story in run.stories:
            where = " – ".join(part for part in (story.place, story.date) if part)
            summary = f"{where}. {story.text[:500]}".strip()
            add(run, story.kind, story.key, f"{INDEX}#{story.key}", story.title, summary)
    entries.sort(key=lambda e: (-e["updated"].timestamp(), e["path"]))
    text = (
        environment()
        .get_template("site/feed.atom.j2")
        .render(
            title="What is new: findings, stories and events",
            identity=frame.base_url or " ".join(sorted(e["identity"] for e in entries)),
            before=f"{frame.base_url}/" if frame.base_url else "",
            entries=entries[: limits.FEED_ENTRIES],
            uuid=lambda text: uuid.uuid5(uuid.NAMESPACE_URL, f"areaeffect:{text}"),
        )
    )
    return _NOT_XML.sub("\ufffd", text).encode()


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication wrote."""

    runs: tuple[str, ...]  # titles, in the order of the list
    faults: Mapping[str, str]  # why a run is left out, by the name of its folder
    others: tuple[str, ...]  # names of folders that hold no run


def publish(runs: Path, out: Path, frame: Frame) -> Published:
    """Write a site of all runs in a folder; it appears whole or not at all.

    An earlier site is replaced only where every file in it is as this command wrote it. A run
    that is damaged is left out and named in the answer.

    Raises
    ------
    StudyError
        `out` is taken by something else; `runs` is no folder.
    DataError
        There is no run that can be published.
    """
    if not runs.is_dir():
        raise StudyError(f"there is no folder '{runs}'.", "RUNS", "Name one that exists.")
    refuse_foreign(out)
    if out.is_dir() and any(out.iterdir()) and not (out / _FEED).is_file():
        what = "the folder holds results and no site; nothing was changed."
        raise StudyError(what, str(out), "Name a new or empty folder, or an earlier site.")
    holdings, pages = _made(RunsFolder(runs).runs, frame)
    if not holdings.top:
        problems = [Problem(why, name) for name, why in holdings.faults.items()]
        fix = "Name the folder that holds the folders which `areaeffect evaluate` wrote."
        raise DataError(problems or Problem("there is no run in this folder.", str(runs), fix))

    def write(folder: Path) -> None:
        for name, file in site_files(holdings).items():
            pages.setdefault(name, file.read_bytes())
        for name in sorted(pages):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(pages[name])

    write_whole(out, write)
    known = {path for path, _ in folders_of(runs)}
    others = (p.name for p in sorted(runs.iterdir()) if p.is_dir() and p.name not in known)
    return Published(tuple(run.title for run in holdings.top), holdings.faults, tuple(others))


def _made(holdings: PublishedRuns, frame: Frame) -> tuple[PublishedRuns, dict[str, bytes]]:
    """Make every page before anything is written; a run whose page fails is left out and named."""
    while True:
        pages: dict[str, bytes] = {}
        faults = dict(holdings.faults)
        for path, make in site_pages(holdings, frame).items():
            parents = map(str, PurePosixPath(path).parents)  # the nearest first
            own = next((p for p in parents if p in holdings.runs), None)
            try:
                pages[path] = make()
            except Exception as error:  # a stranger's run may hold anything
                if own is None:
                    raise
                faults[own] = f"its pages cannot be made ({type(error).__name__})."
        if faults.keys() == holdings.faults.keys():
            return holdings, pages
        holdings = PublishedRuns({p: run for p, run in holdings.runs.items() if p not in faults}, faults)
