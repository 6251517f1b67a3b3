"""Make README's picture from what the demo wrote, or hold it against that.

    python docs/make_pictures.py build/demo/county
    python docs/make_pictures.py build/demo/county --check

Needs Chromium (on Debian and Ubuntu: apt-get install chromium) and the development packages.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "images" / "report-county.png"
WIDTH, HEIGHT = 900, 900
COLOURS = 48  # of a palette: flat pages lose nothing, and the file stays small
#: Share of the dots that may differ: another Chromium draws the edges of letters otherwise.
MOST_CHANGED = 0.03
_SEEN = 64  # a smaller difference of a colour, of 255, is none


def take(folder: Path) -> Image.Image:
    """Return the first screen of a report as a browser shows it."""
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto((folder / "report.html").resolve().as_uri())
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        browser.close()
    return picture


def changed(one: Image.Image, other: Image.Image) -> float:
    """Return the share of dots in which two pictures differ; 1 where their sizes do."""
    if one.size != other.size:
        return 1.0
    apart = ImageChops.difference(one.convert("L"), other.convert("L")).histogram()
    return sum(apart[_SEEN:]) / (one.width * one.height)


def main(folder: Path, *, check: bool) -> int:
    """Write the picture, or say whether it shows another report than the folder's."""
    made = take(folder)
    if check:
        share = changed(made, Image.open(PICTURE))
        sys.stdout.write(f"{PICTURE.name}: {share:.1%} of the dots differ from {folder}\n")
        return int(share > MOST_CHANGED)
    made.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    sys.stdout.write(f"wrote {PICTURE} ({PICTURE.stat().st_size:,} bytes)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), check="--check" in sys.argv))
