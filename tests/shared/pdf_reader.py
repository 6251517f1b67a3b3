"""What lies where on the pages of a PDF: glyphs that overprint each other, and empty pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

import pypdfium2

Box = tuple[float, float, float, float]  # left, bottom, right, top, in points
FOOT = 40.0  # points at the foot of a page that hold its number
CELL = 12.0
LIGATURE = 0.1  # points
OVERPRINTED = 0.3  # share of the smaller glyph that lies under the other


def overprints(printed: bytes) -> list[tuple[int, str, str]]:
    """Return pairs of glyphs of which one lies over the other, with their page, from 1."""
    found = []
    document = pypdfium2.PdfDocument(printed)
    for number, page in enumerate(document, 1):
        cells: dict[tuple[int, int], list[tuple[str, Box]]] = defaultdict(list)
        for sign, box in _glyphs(page):
            cells[int(box[0] // CELL), int(box[1] // CELL)].append((sign, box))
        for (x, y), own in cells.items():
            near = [
                other
                for dx, dy in ((1, 0), (0, 1), (1, 1), (1, -1))
                for other in cells.get((x + dx, y + dy), ())
            ]
            pairs = [*combinations(own, 2), *((a, b) for a in own for b in near)]
            found += [(number, a[0], b[0]) for a, b in pairs if _over(a[1], b[1])]
    return found


def filled(printed: bytes) -> list[float]:
    """Return how far down each page is filled, as a share of its height."""
    shares = []
    for page in pypdfium2.PdfDocument(printed):
        height = page.get_height()
        bottoms = [box[1] for _, box in _glyphs(page) if box[1] > FOOT]
        shares.append((height - min(bottoms, default=height)) / height)
    return shares


def _glyphs(page: pypdfium2.PdfPage) -> Iterator[tuple[str, Box]]:
    text = page.get_textpage()
    whole = text.get_text_range()
    for i in range(min(text.count_chars(), len(whole))):
        if not whole[i].isspace():
            yield whole[i], text.get_charbox(i)


def _over(a: Box, b: Box) -> bool:
    if max(abs(x - y) for x, y in zip(a, b, strict=True)) < LIGATURE:
        return False  # one glyph that stands for two letters
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return False
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height > OVERPRINTED * smaller
