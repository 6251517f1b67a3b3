"""SVG made with matplotlib: same bytes every time, accessible, several to a page."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from contextlib import contextmanager
from html import escape, unescape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

# Government Analysis Function palette (via afcharts 1.2.0); at most four in one chart
BLUE, TEAL, PLUM, ORANGE, GREY, LILAC = (
    "#12436D",
    "#28A197",
    "#801650",
    "#F46A25",
    "#3D3D3D",
    "#A285D1",
)
TEXT, FAINT, BAND = "#0B0C0C", "#BFBFBF", "#E4E7EA"

FONT_SIZE = 13.0
LONGEST_KEY = 80
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
PIXELS_PER_INCH = 72  # matplotlib's SVG unit is the point: one point is one unit of the viewBox

_RC: dict[str, Any] = {
    "svg.hashsalt": "areaeffect",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],  # bundled: text is measured alike everywhere
    "font.size": FONT_SIZE,
    "text.color": TEXT,
    "text.parse_math": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": TEXT,
    "axes.unicode_minus": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "hatch.linewidth": 0.7,
    "hatch.color": "#8A8A8A",
    "timezone": "UTC",
}
_LOCK = threading.Lock()  # rcParams are global


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """Give an empty figure of that many units, apart from any global matplotlib setting."""
    import matplotlib as mpl  # noqa: PLC0415  # heavy
    from matplotlib.figure import Figure  # noqa: PLC0415

    with _LOCK, mpl.rc_context():
        mpl.rcdefaults()
        settings: Any = mpl.rcParams
        settings.update(_RC)
        yield Figure(
            figsize=(width / PIXELS_PER_INCH, height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH
        )


def to_svg(figure: Figure, key: str, title: str, description: str) -> str:
    """Write a figure as an accessible SVG element.

    Parameters
    ----------
    figure : the drawing.
    key : prefix of every id; unique on the page.
    title, description : the text alternative.
    """
    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", metadata=nothing, transparent=True)
    body = _own_ids(_body(buffer.getvalue()), key)
    return accessible(body, _view_box(figure), key, title, description)


def accessible(body: str, view_box: str, key: str, title: str, description: str) -> str:
    """Wrap drawing elements into an `svg` that scales and has a text alternative."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{view_box}" role="img" aria-labelledby="{key}-title {key}-desc" '
        f'stroke-linejoin="round" font-family="{FONTS}">\n'
        f'<title id="{key}-title">{escape(title)}</title>\n'
        f'<desc id="{key}-desc">{escape(description)}</desc>\n{body}\n</svg>'
    )


def alternative(chart: str) -> str:
    """Return title and description of a chart that `accessible` wrote, as one text."""
    parts = re.findall(r"<(title|desc)\b[^>]*>(.*?)</\1>", chart, flags=re.DOTALL)
    return unescape(" ".join(text if text[-1:] in ".!?" else f"{text}." for _, text in parts))


def key_of(*parts: str) -> str:
    """Make an id from names: lower-case ASCII letters, digits and hyphens.

    Names that lose signs or length on the way get part of their hash, so that two of them stay
    apart.
    """
    whole = "-".join(parts)
    key = re.sub(r"[^a-z0-9]+", "-", whole.lower()).strip("-")[:LONGEST_KEY].rstrip("-")
    if re.search(r"[^A-Za-z0-9 _-]", whole) or len(whole) > LONGEST_KEY:
        key = f"{key}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}".strip("-")
    return key or "chart"


def _view_box(figure: Figure) -> str:
    width, height = (round(float(side) * PIXELS_PER_INCH, 2) for side in figure.get_size_inches())
    return f"0 0 {width:g} {height:g}"


def _body(text: str) -> str:
    """Take the drawing out of matplotlib's document, with shorter numbers and no style sheet.

    The style sheet would reach the whole page (`*{...}`); style attributes become
    presentation attributes, which a strict Content-Security-Policy allows.
    """
    inner = re.sub(r"^.*?<svg\b[^>]*>|</svg>\s*$", "", text, flags=re.DOTALL)
    inner = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", inner, flags=re.DOTALL)
    inner = re.sub(r"<defs>\s*<style\b.*?</style>\s*</defs>", "", inner, flags=re.DOTALL)
    inner = re.sub(r' style="([^"]*)"', _attributes, inner)
    inner = re.sub(r'( (?:d|x|y|width|height|transform|points)=")([^"]*)', _shorter, inner)
    inner = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", inner)
    return re.sub(r"\s*\n\s*", "\n", inner).strip()


def _attributes(match: re.Match[str]) -> str:
    made = []
    for part in match[1].split(";"):
        name, _, value = (piece.strip() for piece in part.partition(":"))
        if name == "font":
            size = re.search(r"([\d.]+)px", value)
            made += [f'font-size="{size[1]}"'] if size else []
            made += ['font-weight="bold"'] if re.search(r"\b(bold|[6-9]00)\b", value) else []
        elif name and name != "font-family":
            made.append(f'{name}="{value}"')
    return " " + " ".join(made) if made else ""


def _shorter(match: re.Match[str]) -> str:
    text = re.sub(
        r"-?\d+\.\d+(?!\d)", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), match[2]
    )
    return match[1] + re.sub(r"\s+", " ", text).strip().replace("-0 ", "0 ")


def _own_ids(body: str, key: str) -> str:
    """Drop ids nothing refers to and number the others under the chart's own key."""
    used = dict.fromkeys(re.findall(r'(?:url\(#|href="#)([^")]+)', body))
    own = {name: f"{key}-{i}" for i, name in enumerate(used)}
    body = re.sub(r' id="([^"]*)"', lambda m: f' id="{own[m[1]]}"' if m[1] in own else "", body)
    return re.sub(r'(url\(#|href="#)([^")]+)', lambda m: m[1] + own[m[2]], body)
