"""The picture of a shared link: what a page says, as PNG, and the same in words."""

from __future__ import annotations

import hashlib
import io
import textwrap
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from areaeffect.report import svg, terms
from areaeffect.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH, HEIGHT = 1200, 630  # what sites that show shared links ask for
FORM = 1  # of the drawing: another number gives every card another address
_LINE, _LINES = 56, 6  # letters and lines of the large text that fit
_COLOURS: Mapping[Verdict, str] = {
    Verdict.BETTER: "#0F5F59",
    Verdict.WORSE: svg.PLUM,
    Verdict.LITTLE_DIFFERENCE: svg.BLUE,
}


@dataclass(frozen=True, slots=True)
class Card:
    """What a picture shows.

    Parameters
    ----------
    above : small text above, such as the title of the study.
    text : the large text, such as the headline of a finding.
    below : small text below.
    verdict : of the finding; None for a story.
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
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def alternative(self) -> str:
        """What the picture says, in words."""
        said = f"{str(self.verdict).capitalize()}. " if self.verdict else ""
        return f"{self.above}. {said}{self.text} {self.below}"


def draw(card: Card) -> bytes:
    """Return a card as PNG; the same card gives the same bytes."""
    colour = _COLOURS.get(card.verdict, svg.GREY) if card.verdict else svg.BLUE
    with svg.canvas(WIDTH, HEIGHT) as figure:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
        axes.fill_between([0, WIDTH], 0, 18, color=svg.BLUE, linewidth=0)
        _say(axes, 90, _shortened(card.above, 74), 26, "#505A5F")
        top = 190
        if card.verdict:
            words = f"{terms.VERDICT_SYMBOLS[card.verdict]} {card.verdict}"
            box = {"facecolor": colour, "edgecolor": colour, "boxstyle": "square,pad=0.35"}
            _say(axes, 160, words, 34, "white", weight="bold", bbox=box, x=78)
            top = 250
        room = _LINES - 1 if card.interval else _LINES
        lines = textwrap.wrap(_drawable(card.text), _LINE, max_lines=room, placeholder=" …")
        for i, line in enumerate(lines):
            _say(axes, top + 54 * i, line, 36, svg.TEXT)
        if card.interval:
            _scale(axes, card.interval, card.ends, colour)
        _say(axes, 590, _shortened(card.below, 90), 22, "#505A5F")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=svg.PIXELS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


def _say(axes: Any, y: float, text: str, size: float, colour: str, **more: Any) -> None:
    x = more.pop("x", 64)
    axes.text(x, y, _drawable(text), fontsize=size, color=colour, va="baseline", **more)


def _scale(
    axes: Any, interval: tuple[float, float, float], ends: tuple[str, str], colour: str
) -> None:
    """Draw the interval as a line, the estimate as a dot and zero as an upright line."""
    low, middle, high = interval
    first, last = min(low, 0.0), max(high, 0.0)
    width = (last - first) or 1.0
    left, right, zero, dot = (
        130 + (WIDTH - 260) * (value - first) / width for value in (low, high, 0.0, middle)
    )
    y = 500
    axes.plot([zero, zero], [y - 26, y + 26], color=svg.GREY, linewidth=2.5)
    axes.plot([left, right], [y, y], color=colour, linewidth=7, solid_capstyle="butt")
    axes.plot([dot], [y], marker="o", markersize=20, color=colour)
    least = 90.0  # between two labels
    for x, text in ((left, ends[0]), (right, ends[1])):
        if abs(x - zero) > least:
            _say(axes, y + 44, text, 20, svg.TEXT, x=x, ha="center")
    _say(axes, y + 44, "no difference", 20, svg.GREY, x=zero, ha="center")


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _drawable(text: str) -> str:
    """Replace what the bundled font cannot draw."""
    known = _letters()
    return "".join(c if ord(c) in known else "\ufffd" for c in " ".join(text.split()))


@cache
def _letters() -> frozenset[int]:
    import matplotlib as mpl  # noqa: PLC0415  # heavy
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415

    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    return frozenset(FT2Font(str(fonts / "DejaVuSans.ttf")).get_charmap())
