"""The page of the documentation that each group of releases has, written from its facts."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

from areaeffect.sources.publishers.releases import GEOGRAPHY_NAMES, catalogue

if TYPE_CHECKING:
    from areaeffect.sources.publishers.releases import PublishedRelease, ReleaseFile


def groups() -> tuple[str, ...]:
    """Return the groups of releases, one docs page each."""
    return tuple(dict.fromkeys(release.group for release in catalogue().values()))


def page(group: str) -> str:
    """Return the Markdown page of a group."""
    text = (files("areaeffect.sources.publishers") / "releases" / f"{group}.toml").read_text(
        encoding="utf-8"
    )
    head = tomllib.loads(text)["page"]
    releases = [r for r in catalogue().values() if r.group == group]
    lines = [
        f"# {head['title']}",
        "",
        "<!-- Written by `python docs/make_sources.py` from the release files. -->",
        "",
        head["text"],
        "",
        "| release | describes | areas | licence |",
        "|---|---|---|---|",
    ]
    for release in releases:
        when = release.as_of or f"by {release.period_kind}, see its title"
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
        *(f"- {_file(file)}" for file in release.files),
    ]
    if not release.columns:
        return lines
    lines += ["", "| column | kind | unit | as published |", "|---|---|---|---|"]
    for column in release.columns:
        lines.append(f"| `{column.name}` | {column.kind} | {column.unit} | {column.published} |")
    for share in release.derived:
        how = " + ".join(f"`{c}`" for c in share.numerator)
        if share.denominator:
            how = f"({how}) / ({' + '.join(f'`{c}`' for c in share.denominator)})"
        kind = "share" if share.denominator else "count"
        lines.append(f"| `{share.name}` | {kind} | {share.unit} | made here: {how} |")
    return lines


def _file(file: ReleaseFile) -> str:
    facts = [f"`{file.path}`"]
    if file.rows:
        facts.append(f"{file.rows:,} rows")
    if file.sha256:
        facts.append(f"sha256 `{file.sha256}`")
    if file.address:
        facts.append(f"<{file.address}>")
    if file.provenance:
        facts.append(f"copy read here: {file.provenance}")
    return "; ".join(facts)
