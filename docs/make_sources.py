"""Write docs/sources/*.md, a page each group of releases, from its facts: `python docs/make_sources.py`."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

from areaeffect.sources.publishers.releases import (
    GEOGRAPHY_NAMES,
    By,
    Origin,
    PublishedRelease,
    ReleaseFile,
    catalogue,
    how_to_get,
)

FOLDER = Path(__file__).parent / "sources"
NOT_OPENED = (
    "No address on this page has been opened by the authors: addresses and layouts come from "
    "public programs that use them. `areaeffect fetch --check` tries them and prints which moved."
)
UNSEEN = (
    "**Unseen**: the reader was written from a description of the publisher's file; no such file "
    "was at hand. A file laid out otherwise is refused, with what is missing and what is new."
)


def groups() -> tuple[str, ...]:
    """Return the groups of releases, one docs page each."""
    return tuple(dict.fromkeys(release.group for release in catalogue().values()))


def page(group: str) -> str:
    """Return the Markdown page of a group."""
    text = (files("areaeffect.sources.publishers") / "releases" / f"{group}.toml").read_text(encoding="utf-8")
    head = tomllib.loads(text)["page"]
    releases = [r for r in catalogue().values() if r.group == group]
    lines = [
        f"# {head['title']}",
        "",
        "<!-- Written by `python docs/make_sources.py` from the release files. -->",
        "",
        head["text"],
        "",
        NOT_OPENED,
        "",
        "| release | describes | areas | licence |",
        "|---|---|---|---|",
    ]
    for release in releases:
        when = release.as_of or f"by {release.period_kind}, {release.periods}"
        _, several = GEOGRAPHY_NAMES[release.geography]
        where = f"{release.areas:,} {several}, {release.coverage}"
        lines.append(f"| `{release.id}` | {when} | {where} | {release.licence} |")
    for release in releases:
        lines += ["", *_section(release)]
    return "\n".join(lines) + "\n"


def _section(release: PublishedRelease) -> list[str]:
    lines = [
        f"## `{release.id}`",
        "",
        f"{release.title}. {release.publisher}: <{release.page}>.",
        "",
        "What to know before using it:",
        "",
        *(f"- {caveat}" for caveat in release.caveats),
        "",
        f"Attribution: {release.attribution}",
        "",
        f"{how_to_get(release)}",
        "",
        *(f"- the publisher's file: {_file(file)}" for file in release.files),
        *(f"- a copy: {_file(file)}" for file in release.copies),
    ]
    if release.unseen:
        lines += ["", UNSEEN]
    if not release.columns:
        return lines
    lines += ["", "| column | kind | unit | publisher's header | in the copy |"]
    lines.append("|---|---|---|---|---|")
    for column in release.columns:
        headers = f"{column.published or '-'} | {column.copied or '-'}"
        lines.append(f"| `{column.name}` | {column.kind} | {column.unit} | {headers} |")
    for share in release.derived:
        how = " + ".join(f"`{c}`" for c in share.numerator)
        if share.denominator:
            how = f"({how}) / ({' + '.join(f'`{c}`' for c in share.denominator)})"
        kind = "share" if share.denominator else "count"
        lines.append(f"| `{share.name}` | {kind} | {share.unit} | made here: {how} | |")
    return lines


def _file(file: ReleaseFile) -> str:
    facts = [f"`{file.path}`"]
    if file.rows:
        facts.append(f"{file.rows:,} rows")
    if file.sha256:
        facts.append(f"sha256 `{file.sha256}`")
    if file.origin:
        facts += _origin(file.origin)
    if file.provenance:
        facts.append(f"read here: {file.provenance}")
    return "; ".join(facts)


def _origin(origin: Origin) -> list[str]:
    """Say where a file comes from, how it is checked and when it was last seen there."""
    where = {
        By.HUB: f"Open Geography portal, item `{origin.item or 'none'}`, service "
        f"`{origin.service or 'none'}`",
        By.GOVUK: f"<{origin.address}>, else as <https://www.gov.uk{origin.page}> lists it"
        if origin.address
        else f"as <https://www.gov.uk{origin.page}> lists it",
        By.ONS: f"the newest edition that <{origin.address}> lists",
    }.get(origin.by, f"<{origin.address}>")
    check = "by its rows, keys and columns"
    if origin.sha256 and not origin.on_demand:
        check = f"by sha256 `{origin.sha256}`"
    return [where, f"checked {check}", f"last seen there: {origin.seen or 'not on record'}"]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in groups():
        (FOLDER / f"{name}.md").write_text(page(name), encoding="utf-8")
