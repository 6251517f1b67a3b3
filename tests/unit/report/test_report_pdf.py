from __future__ import annotations

import hashlib
import io
import os
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import typst
from pypdf import PdfReader

from areaeffect import wording
from areaeffect.document import page
from areaeffect.document.blocks import Document, Folded, figures, in_print
from areaeffect.report import faces
from areaeffect.report.contents import report_document
from areaeffect.results import Result
from areaeffect.wording.numbers import PHRASES
from tests.shared.pdf_reader import filled, overprints
from tests.shared.sample_result import FORMULA, HOSTILE, sample_result

NAMES = (
    HOSTILE,
    FORMULA,
    '#panic("typst") $x$ *bold* _under_ @ref <label> \\ [ ] { }',
    "שכונת השלום",
    "N" * 300,
)
HASH_OF_THE_PDF = """
import hashlib, pickle, sys
from areaeffect.document import page
document = pickle.load(sys.stdin.buffer)
print(hashlib.sha256(page.to_pdf(document)).hexdigest())
"""


@pytest.fixture(scope="module")
def result() -> Result:
    return sample_result(placebos=19)


@pytest.fixture(scope="module")
def document(result: Result) -> Document:
    return report_document(result, faces.links_of(result))


@pytest.fixture(scope="module")
def made(document: Document) -> bytes:
    return page.to_pdf(document)


@pytest.fixture(scope="module")
def reader(made: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(made))


FOOT = re.sub(r"\s", "", re.escape(PHRASES["annex.footer"]).replace("\\ ", "")) + r"\d+"


def words_of(reader: PdfReader) -> str:
    """Return what is printed without spaces and feet of pages, over which a text may run."""
    pages = (re.sub(r"[\s\u200b]+", "", p.extract_text()) for p in reader.pages)
    return "".join(re.sub(rf"^{FOOT}|{FOOT}$", "", page) for page in pages)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_the_pdf_says_that_it_is_accessible(reader: PdfReader, result: Result) -> None:
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert reader.metadata.title == result.title
    assert b"<pdfuaid:part>1" in root["/Metadata"].get_data()


def test_every_chart_of_the_pdf_has_a_text_alternative(made: bytes, document: Document) -> None:
    reader = PdfReader(io.BytesIO(made))
    tagged = [
        o for i in range(1, len(reader.xref_objStm) + 99999)
        if (o := _object(reader, i)) is not None and o.get("/S") == "/Figure"
    ]  # fmt: skip
    assert len(tagged) == len(list(figures(in_print(document))))
    assert all(str(o["/Alt"]).strip() for o in tagged)


def _object(reader: PdfReader, number: int) -> dict[str, object] | None:
    if number not in reader.xref_objStm and number not in reader.xref.get(0, {}):
        return None
    found = reader.get_object(number)
    return found if isinstance(found, dict) else None


def test_page_and_pdf_say_the_same(reader: PdfReader, result: Result) -> None:
    printed = words_of(reader)
    for finding in wording.main_findings(result.findings):
        assert squeezed(wording.name_of(finding)) in printed
    groups = {f.group for f in result.findings}
    for group in groups:
        own = [f for f in result.findings if f.group == group]
        assert squeezed(wording.overall(own)) in printed


def test_no_glyph_lies_over_another_and_no_page_is_nearly_empty(made: bytes) -> None:
    assert overprints(made) == []
    assert min(filled(made)[:-1]) > 1 / 3


def test_what_introduces_a_chart_is_on_its_page(reader: PdfReader) -> None:
    pages = [squeezed(p.extract_text()) for p in reader.pages]
    for title, drawn in (("annex.trends", "line.several"), ("annex.chance", "annex.placebo_none")):
        heading, words = squeezed(PHRASES[title]), squeezed(PHRASES[drawn].rpartition("}")[2])
        own = next(p for p in pages[::-1] if heading in p)
        assert words in own or "asfarfromzero" in own, title


def test_overprinted_words_and_empty_pages_are_seen() -> None:
    over = "#place(dy: 3cm)[Recorded]#place(dy: 3cm)[#text(size: 12pt)[crime]]#pagebreak()Two."
    made = typst.compile(over.encode(), format="pdf")
    assert len(overprints(made)) > 3
    assert filled(made)[1] < 1 / 3


def test_names_that_mean_harm_are_only_text(result: Result) -> None:
    findings = tuple(replace(f, label=name) for f, name in zip(result.findings, NAMES, strict=False))
    own = replace(result, title=NAMES[2], question=NAMES[3], findings=findings)
    reader = PdfReader(io.BytesIO(page.to_pdf(report_document(own, faces.links_of(own)))))
    printed = words_of(reader)
    for name in (NAMES[0], NAMES[1], NAMES[2], NAMES[4]):
        assert squeezed(name)[1:] in printed  # a headline begins with a capital
    assert reader.metadata is not None
    assert reader.metadata.title == NAMES[2]


def test_the_pdf_is_the_same_bytes_in_any_folder_on_any_number_of_threads(
    made: bytes, document: Document, tmp_path: Path
) -> None:
    for threads, folder in (("1", tmp_path), ("4", Path(__file__).parent)):
        run = subprocess.run(
            [sys.executable, "-c", HASH_OF_THE_PDF],
            cwd=folder, stdout=subprocess.PIPE, check=True, input=pickle.dumps(document),
            env={
                **os.environ, "RAYON_NUM_THREADS": threads, "TZ": "Asia/Tokyo",
                "PYTHONPATH": str(Path(page.__file__).parents[2]),
            },
        )  # fmt: skip
        assert run.stdout.decode().strip() == hashlib.sha256(made).hexdigest()


def test_charts_become_pictures_in_order(document: Document) -> None:
    charts = [figure.chart for figure in figures(document)][:3]
    made = page.pictures(charts)
    assert len(made) == 3
    assert all(picture.startswith(b"\x89PNG") for picture in made)
    assert made[0] == page.pictures(charts[:1])[0]
    assert len(set(made)) == 3
    assert page.pictures([]) == []


def test_a_picture_that_would_be_large_becomes_a_smaller_one() -> None:
    dots = "".join(
        f'<circle cx="{i * 7919 % 1000}" cy="{i * 104729 % 997}" r="{1 + i % 3}" '
        f'fill="#{i * 65537 % 16777216:06x}"/>'
        for i in range(9000)
    )
    chart = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1000">{dots}</svg>'
    (made,) = page.pictures([chart])
    assert len(made) <= page.MOST_BYTES
    assert int.from_bytes(made[16:20]) < page.PICTURE_WIDTH


def test_print_leaves_out_what_is_folded_away_for_the_screen(document: Document) -> None:
    printed = in_print(document)
    assert len(list(figures(printed))) < len(list(figures(document)))
    folded = [b for s in document.sections for b in s.blocks if isinstance(b, Folded)]
    kept = [b for s in printed.sections for b in s.blocks if isinstance(b, Folded)]
    assert {b.in_print for b in folded} == {None, ""}
    assert [b.title for b in kept] == [b.title for b in folded if b.in_print is None]


def test_the_font_comes_with_the_package_and_its_licence(reader: PdfReader) -> None:
    fonts = {str(f["/BaseFont"]) for p in reader.pages for f in _fonts_of(p)}
    assert {name.partition("+")[2] for name in fonts} <= {p.stem for p in page.FONTS.glob("*.ttf")}
    assert "Bitstream Vera" in (page.FONTS / "LICENSE_DEJAVU").read_text(encoding="utf-8")


def _fonts_of(page: object) -> list[dict[str, object]]:
    fonts = page["/Resources"].get("/Font", {})  # type: ignore[index]
    return [f.get_object() for f in fonts.values()]
