"""Names that mean harm, findings with missing parts, four hundred places: every face."""

from __future__ import annotations

import csv
import html as entities
import math
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pypdf import PdfReader

from areaeffect.document.page import to_html
from areaeffect.report import faces, files, neighbourhood_pages
from areaeffect.report.contents import report_document
from areaeffect.results import Finding, Result, Series
from tests.shared.sample_result import sample_result
from tests.shared.text_blocks import texts
from tests.unit.report.test_neighbourhood_pages import many
from tests.unit.report.test_report_pdf import squeezed, words_of

NAMES = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "\"quoted\" & 'single' </svg><!-- ]]> {{ 7*7 }}",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "+44 places, -1 more",
    "שכונת השלום العربية",
    "N" * 300,
)


@pytest.fixture(scope="module")
def hostile() -> Result:
    """Every name of the sample is one of those above: places, areas, programmes, outcomes."""
    result = sample_result(placebos=19)
    groups = dict(zip(dict.fromkeys(f.group for f in result.findings), NAMES, strict=False))
    outcomes = dict(zip(dict.fromkeys(f.outcome for f in result.findings), NAMES, strict=False))
    places = sorted({d.neighbourhood for d in result.designs})
    named = {place: NAMES[i % len(NAMES)] + str(i) * (i >= len(NAMES)) for i, place in enumerate(places)}

    def place(name: str) -> str:
        return named.get(name, name)

    findings = tuple(
        replace(
            f, group=groups[f.group], initiative=groups[f.initiative], label=outcomes[f.outcome],
            unit=NAMES[0] if f.form == "additive" else NAMES[4],
            neighbourhood=f.neighbourhood and place(f.neighbourhood),
            caveats=(NAMES[1], NAMES[2]),
        )
        for f in result.findings
    )  # fmt: skip
    paths = tuple(
        Series(
            group=f.group,
            outcome=f.outcome,
            periods=tuple("123456"),
            observed=(1.0, 2.0, None, 3.0, 2.0, 1.0),
            counterfactual=(2.0,) * 6,
            start=(),
            gaps=("3",),
            unit=NAMES[0],
            neighbourhood=f.neighbourhood or "",
        )
        for f in findings
        if f.neighbourhood
    )
    return replace(
        result,
        title=NAMES[1],
        question=NAMES[0],
        findings=findings,
        designs=tuple(
            replace(d, initiative=groups[d.initiative], neighbourhood=place(d.neighbourhood))
            for d in result.designs
        ),
        balance=tuple(replace(b, covariate=NAMES[i % 7]) for i, b in enumerate(result.balance)),
        series=tuple(replace(s, group=groups[s.group], unit=NAMES[0]) for s in result.series),
        placebos=tuple(replace(p, group=groups[p.group]) for p in result.placebos),
        areas=tuple(
            replace(a, name=NAMES[i % 7], reason=a.reason and NAMES[i % 7],
                    initiative=groups.get(a.initiative, ""), neighbourhood=place(a.neighbourhood))
            for i, a in enumerate(result.areas)
        ),
        notes=NAMES,
        neighbourhood_series=paths,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(hostile: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hostile") / "out"
    files.write_result(hostile, out)
    return out


def test_names_are_text_on_every_page(folder: Path) -> None:
    pages = [folder / "annex.html", folder / "report.html", *(folder / "neighbourhoods").glob("*.html")]
    assert len(pages) > 8
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<script|<img|onerror=[^&<]*>(?<!&gt;)|\]\]>", text.lower()), path.name
        assert "49" not in re.findall(r"</svg>&lt;!-- \]\]&gt; (\S+)", text)
    report = entities.unescape(pages[0].read_text(encoding="utf-8"))
    assert all(name in report for name in NAMES)


def test_names_are_text_in_every_chart(folder: Path) -> None:
    charts = sorted((folder / "charts").glob("*.svg"))
    assert len(charts) > 40
    for path in charts:
        root = ET.fromstring(path.read_text(encoding="utf-8"))
        kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not kinds & {"script", "img", "foreignObject", "a"}, path.name
        assert not [k for e in root.iter() for k in e.attrib if k.startswith("on")]
        assert len(path.stem) < 120
    told = " ".join("".join(ET.parse(path).getroot().itertext()) for path in charts)
    assert NAMES[0] in told


def test_no_cell_of_a_table_is_a_formula(folder: Path) -> None:
    cells = 0
    for path in sorted(folder.rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    cells += 1
                    number = re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", cell)
                    assert number or not cell.startswith(("=", "+", "-", "@")), (path.name, cell)
    assert cells > 10_000
    assert files.read_result(folder).areas[2].name == NAMES[2]


def test_names_are_text_in_print(folder: Path) -> None:
    printed = words_of(PdfReader(folder / "annex.pdf"))
    for name in NAMES[:5]:
        assert squeezed(name) in printed
    assert printed.count("N") >= 300


# ---------------------------------------------------------------- missing parts


def numeric() -> list[str]:
    return [f.name for f in fields(Finding) if f.type in {"float | None", "int | None"}]


@pytest.mark.parametrize("missing", [None, math.nan])
def test_a_finding_may_lack_any_number(missing: float | None) -> None:
    """Each of the findings lacks another number; one of them has none at all."""
    result = sample_result(placebos=19, shapes=False)
    names = numeric()
    assert len(names) > 15
    findings = list(result.findings)
    for i, name in enumerate(names):
        findings[i] = replace(findings[i], **{name: missing})
    bare: dict[str, Any] = dict.fromkeys(names, missing)
    findings[-1] = replace(findings[-1], **bare, companions=(), caveats=())
    findings[len(names)] = replace(findings[len(names)], **bare, companions=(), caveats=())
    odd = files.rounded(replace(result, findings=tuple(findings)))  # as files hold it
    document = report_document(odd, faces.links_of(odd))
    said = [text.text for text in texts(document)]
    said += [text.text for _, own in neighbourhood_pages.pages(odd) for text in texts(own)]
    wrong = [text for text in said if re.search(r"\b(NaN|nan|None|inf)\b", text)]
    assert not wrong
    assert any("not estimable" in text.lower() for text in said)
    html = to_html(document, {})
    assert not re.search(r">[^<]*\b(nan|None|NaN)\b[^<]*<", html)


# ---------------------------------------------------------------- four hundred places


def test_four_hundred_places_are_found_without_a_script(tmp_path: Path) -> None:
    whole = replace(many(sample_result(placebos=19), 400), shapes=())
    files.write_result(whole, tmp_path / "out")
    index = (tmp_path / "out/neighbourhoods/index.html").read_text(encoding="utf-8")
    assert "<script" not in index
    links = re.findall(r'<a href="(place-\d+\.html)">([^<]+)</a>', index)
    assert len(links) == 400
    assert [text for _, text in links] == sorted(text for _, text in links)
    for href, text in links[::37]:
        own = (tmp_path / "out/neighbourhoods" / href).read_text(encoding="utf-8")
        assert text.partition(",")[0] in own
    report = (tmp_path / "out/annex.html").read_text(encoding="utf-8")
    assert report.count("Place 3") < 400  # the places are on their own pages
    assert len(report) < 3_000_000
    assert len(PdfReader(tmp_path / "out/annex.pdf").pages) <= 45
