"""The picture of a shared link: what a page says, as PNG, and the same in words."""

from __future__ import annotations

import hashlib
import re
import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from areaeffect.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH, HEIGHT = 1200, 630  # what sites that show shared links ask for
FORM = 1  # of the drawing: another number gives every card another address
_LEFT = 64
_LETTERS, _LINES = 50, 6  # of the large text that fit
_COLOURS: Mapping[Verdict, str] = {
    Verdict.BETTER: "#0F5F59",
    Verdict.WORSE: "#801650",
    Verdict.LITTLE_DIFFERENCE: "#12436D",
}
_SOFT = "#505A5F"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Card:
    """What a picture shows.

    Parameters
    ----------
    above : small text above, such as the title of the study.
    text : the large text, such as the headline of a finding.
    below : small text below.
    verdict : of the finding; None for anything else.
    interval : low, estimate and high, drawn on a line with zero marked; None draws nothing.
    ends : low and high in print.
    """

    above: str
    text: str
    below: str
    verdict: Verdict | None = None
    interval: tuple[float, float, float] | None = None
    ends: tuple[str, str] = ("", "")

    @property
    def key(self) -> str:
        """Hash of all that is drawn, which is the name of the picture."""
        told = repr((FORM, sorted(asdict(self).items())))
        return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]

    @property
    def alternative(self) -> str:
        """What the picture says, in words."""
        said = f"{str(self.verdict).capitalize()}. " if self.verdict else ""
        return " ".join(f"{self.above}. {said}{self.text} {self.below}".split())


def draw(card: Card) -> bytes:
    """Return a card as PNG; the same card gives the same bytes."""
    from areaeffect.document import pdf

    (picture,) = pdf.pictures([drawing(card)], WIDTH)
    return picture


def drawing(card: Card) -> str:
    """Return a card as SVG."""
    from areaeffect.document import plot, svg
    from areaeffect.wording import terms

    colour = _COLOURS.get(card.verdict, svg.GREY) if card.verdict else svg.BLUE
    parts = [
        f'<rect x="0" y="0" width="{WIDTH}" height="{HEIGHT}" fill="#FFFFFF"/>',
        f'<rect x="0" y="0" width="{WIDTH}" height="18" fill="{svg.BLUE}"/>',
        plot.text(_LEFT, 88, _shortened(card.above, 72), size=25, fill=_SOFT),
    ]
    top = 190
    if card.verdict:
        words = f"{terms.VERDICT_SYMBOLS[card.verdict]} {card.verdict}"
        width = 40 + 23 * len(words)
        parts += [
            f'<rect x="{_LEFT}" y="116" width="{width}" height="58" fill="{colour}"/>',
            plot.text(_LEFT + 20, 157, words, size=34, fill="#FFFFFF", bold=True),
        ]
        top = 236
    room = 4 if card.interval else _LINES
    lines = textwrap.wrap(_clean(card.text), _LETTERS, max_lines=room, placeholder=" …")
    parts += [plot.text(_LEFT, top + 52 * i, line, size=34) for i, line in enumerate(lines)]
    if card.interval:
        parts += _scale(card.interval, card.ends, colour)
    parts.append(plot.text(_LEFT, 592, _shortened(card.below, 84), size=22, fill=_SOFT))
    alternative = _clean(card.alternative)
    return svg.accessible("\n".join(parts), f"0 0 {WIDTH} {HEIGHT}", "card", "Card", alternative)


def _scale(interval: tuple[float, float, float], ends: tuple[str, str], colour: str) -> list[str]:
    """Draw the interval as a line, the estimate as a dot and zero as an upright line."""
    from areaeffect.document import plot, svg

    low, middle, high = interval
    first, last = min(low, 0.0), max(high, 0.0)
    width = (last - first) or 1.0
    left, right, zero, dot = (
        160 + (WIDTH - 320) * (value - first) / width for value in (low, high, 0.0, middle)
    )
    y, room = 470.0, 150.0  # between two labels
    parts = [
        plot.rule(zero, y - 26, zero, y + 26, svg.GREY, 2.5),
        plot.rule(left, y, right, y, colour, 8),
        f'<circle cx="{plot.unit(dot)}" cy="{y:g}" r="13" fill="{colour}"/>',
        plot.text(zero, y + 54, "no difference", size=20, anchor="middle", fill=_SOFT),
    ]
    for x, words in ((left, ends[0]), (right, ends[1])):
        if abs(x - zero) > room:
            parts.append(plot.text(x, y + 54, words, size=20, anchor="middle"))
    return parts


def _shortened(text: str, most: int) -> str:
    text = _clean(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _clean(text: str) -> str:
    """Put a text on one line, and replace signs that XML may not hold."""
    return _NOT_XML.sub("\ufffd", " ".join(text.split()))
