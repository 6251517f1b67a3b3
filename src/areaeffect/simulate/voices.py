"""The made-up survey, events and stories of a county, as files beside its study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.simulate.survey import survey_of

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.simulate.county import County

STUDY_VOICES = """\

# What residents answered, before the first start and in the last year. Made up like the rest.
[survey.residents]
path = "survey.csv"
area = "area_code"
label = "how well neighbours get on"
weight = "weight"
wave = "wave"
before = "{before}"
after = "{after}"
least_items = 2
items = [
    {{ column = "trust_neighbours", lowest = 0, highest = 10 }},
    {{ column = "help_each_other", lowest = 0, highest = 10 }},
    {{ column = "belong_here", lowest = 0, highest = 10 }},
]

[survey.residents.census]
path = "census_cells.csv"
area = "area_code"
count = "people"
cells = ["tenure", "age"]

[stories]
events = "events.csv"
folder = "stories"

[stories.themes]
"people feel safe" = "crime"
"places are cared for" = "environment"
"neighbours know each other" = "social_relationships"
"""

_STORIES = (
    (
        "The field behind the shops",
        ("places are cared for", "neighbours know each other"),
        "true",
        "We started with one bench. Then someone brought a mower.\n\n"
        "Now there is a rota, and people who never spoke to each other are on it.",
    ),
    (
        "Walking home",
        ("people feel safe",),
        "true",
        "My daughter walks home from the late bus now. I still wait at the window.",
    ),
    ("Not for printing", ("people feel safe",), "false", "This one was told in confidence."),
)


def write_voices(county: County, folder: Path) -> str:
    """Write survey, census cells, events and stories; return their part of the study file."""
    survey = survey_of(county)
    tables = {
        "survey.csv": survey.answers,
        "census_cells.csv": survey.cells,
        "survey_truth.csv": survey.truth,
    }
    for name, table in tables.items():
        table.to_csv(folder / name, index=False, lineterminator="\n", encoding="utf-8")
    places = county.membership.drop_duplicates("neighbourhood")
    rows = ["date,neighbourhood,what"]
    for place, start in zip(places["neighbourhood"][:3], places["start_date"][:3], strict=True):
        rows.append(f'{start},"{place}","the partnership held its first meeting"')
    rows.append(f"{county.years[-4]},,all partnerships met in the county hall")
    _write(folder / "events.csv", "\n".join(rows) + "\n")
    (folder / "stories").mkdir(exist_ok=True)
    for i, (title, themes, consent, text) in enumerate(_STORIES):
        place = places["neighbourhood"].iloc[i % len(places)]
        head = [
            f'title = "{title}"',
            f'place = "{place}"',
            f'date = "{county.years[-2]}"',
            "themes = [" + ", ".join(f'"{theme}"' for theme in themes) + "]",
            f"consent = {consent}",
        ]
        _write(folder / "stories" / f"{i + 1}.md", "\n".join(["+++", *head, "+++", text]) + "\n")
    before, after = survey.truth["wave"].iloc[0], survey.truth["wave"].iloc[-1]
    return STUDY_VOICES.format(before=before, after=after)


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))
