"""Write docs/estimands.md from the code: `python docs/make_estimands.py`."""

from pathlib import Path

from areaeffect.further.families import estimands_page

if __name__ == "__main__":
    Path(__file__).with_name("estimands.md").write_text(estimands_page(), encoding="utf-8")
