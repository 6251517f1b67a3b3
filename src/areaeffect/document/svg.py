"""SVG elements that are accessible, several to a page, and the palette."""

from __future__ import annotations

import hashlib
import re
from html import escape, unescape

# Government Analysis Function palette (via afcharts 1.2.0); at most four in one chart
BLUE, TEAL, PLUM, ORANGE, GREY, LILAC = (
    "#12436D",
    "#28A197",
    "#801650",
    "#F46A25",
    "#3D3D3D",
    "#A285D1",
)
TEXT, FAINT = "#0B0C0C", "#BFBFBF"

LONGEST_KEY = 80
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def accessible(body: str, view_box: str, key: str, title: str, description: str) -> str:
    """Wrap drawing elements into an `svg` that scales and has a text alternative."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{view_box}" role="img" aria-labelledby="{key}-title {key}-desc" '
        f'stroke-linejoin="round" font-family="{FONTS}">\n'
        f'<title id="{key}-title">{escape(title)}</title>\n'
        f'<desc id="{key}-desc">{escape(description)}</desc>\n{body}\n</svg>'
    )


def title_of(chart: str) -> str:
    """Return the title of a chart that `accessible` wrote."""
    found = re.search(r"<title\b[^>]*>(.*?)</title>", chart, flags=re.DOTALL)
    return unescape(found[1]) if found else ""


def alternative(chart: str) -> str:
    """Return title and description of a chart that `accessible` wrote, as one text."""
    parts = re.findall(r"<(title|desc)\b[^>]*>(.*?)</\1>", chart, flags=re.DOTALL)
    return unescape(" ".join(text if text[-1:] in ".!?" else f"{text}." for _, text in parts))


def renamed(chart: str, key: str, other: str) -> str:
    """Return a chart that `accessible` wrote with another key, for a second place in a folder."""
    return re.sub(rf'(?<=["#( ]){re.escape(key)}(?=-)', other, chart)


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
