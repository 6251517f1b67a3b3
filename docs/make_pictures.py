"""Make README's pictures from results folders.

    python docs/make_pictures.py build/demo/county build/big_local

Needs Chromium (on Debian and Ubuntu: apt-get install chromium) and the development packages.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent / "images"
WIDTH = 900
COLOURS = 48  # of a palette: flat pages lose nothing, and the files stay small


def main(folder: Path, collection: Path) -> None:
    """Take the pictures: of the simulated county, and of Big Local's report."""
    pages = folder / "neighbourhoods"
    place = next(path for path in sorted(pages.glob("*.html")) if path.name != "index.html")
    views = {
        "report-county.png": (folder / "report.html", 0, 900),
        "neighbourhood-county.png": (place, 0, 1150),
        "neighbourhood-charts.png": (place, "#charts", 860),
        "report-big-local.png": (collection / "report.html", "#main", 1000),
    }
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (path, where, height) in views.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": height})
            page.goto(f"{path.resolve().as_uri()}{where or ''}")
            _write(page.screenshot(), IMAGES / name)
        browser.close()


def _write(picture: bytes, path: Path) -> None:
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"wrote {path} ({path.stat().st_size:,} bytes)\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
