"""Write docs/sources/*.md from the release files: `python docs/make_sources.py`."""

from pathlib import Path

from areaeffect.sources.publishers.pages import groups, page

FOLDER = Path(__file__).parent / "sources"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for group in groups():
        (FOLDER / f"{group}.md").write_text(page(group), encoding="utf-8")
