"""Published data sets through `evaluate`: their answer, ours, and whether ours holds theirs.

The study files are in `benchmarks/published_studies`, the files they read in `validation` of the
shared data; LaLonde's are in the package causaldata.

    python -m benchmarks.published     # the last section of docs/validation/published.md
"""

from __future__ import annotations

import csv
import importlib.util
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from areaeffect.commands.evaluate import evaluate
from areaeffect.errors import AreaEffectError, DataError, Problem
from areaeffect.results import Finding
from areaeffect.study.paths import resolve

HERE = Path(__file__).resolve().parent / "published_studies"
PAGE = HERE.parent.parent / "docs" / "validation" / "published.md"
TITLE = "## Data sets as shipped"
_NORMAL = 1.96


@dataclass(frozen=True, slots=True)
class Answer:
    """A published answer.

    Parameters
    ----------
    name : of the study file.
    what : outcome and question, in words.
    published : the figure; None where there is none.
    error : its standard error; None where none is published.
    is_share : whether it is a share of what would have been.
    source : whose it is.
    as_shipped : 'yes', or what had to be done to the file.
    """

    name: str
    what: str
    published: float | None
    error: float | None
    is_share: bool
    source: str
    as_shipped: str


def answers() -> list[Answer]:
    """Return every published answer."""
    with (HERE / "answers.csv").open(encoding="utf-8", newline="") as file:
        return [
            Answer(
                row["name"],
                row["what"],
                float(row["published"]) if row["published"] else None,
                float(row["error"]) if row["error"] else None,
                row["unit"] == "share",
                row["source"],
                row["as_shipped"],
            )
            for row in csv.DictReader(file)
        ]


def run() -> list[str]:
    """Evaluate every study and return the table."""
    head = (
        "data set",
        "published",
        "ours",
        "95% interval",
        "inside?",
        "half-width ratio",
        "verdict",
    )
    lines = [
        TITLE,
        "",
        "Made by `python -m benchmarks.published`, each by its study file in "
        "`benchmarks/published_studies`, with the whole pool, every period of history and no "
        "covariates. A half-width is held against the published one where that has an error; an "
        "estimate without an interval is one on which no verdict is given.",
        "",
        f"| {' | '.join((*head, 'as shipped?', 'published by'))} |",
        f"|{'---|' * (len(head) + 2)}",
    ]
    with tempfile.TemporaryDirectory() as place:
        lines += [_row(answer, Path(place)) for answer in answers()]
    return lines


def _row(answer: Answer, place: Path) -> str:
    study = HERE / f"{answer.name}.toml"
    try:
        if answer.name == "lalonde":
            study = _lalonde(place)
        elif answer.name == "geolift":
            study = _geolift(place)
        result = evaluate(study, 1)
    except (AreaEffectError, OSError) as error:
        text = " ".join(str(error).split())
        cells = [
            answer.what,
            _figure(answer.published, answer),
            "not at hand or refused",
            text[:160],
        ]
        return f"| {' | '.join([*cells, '', '', '', answer.as_shipped, answer.source])} |"
    whole = [f for f in result.findings if f.neighbourhood is None and f.outcome]
    finding = next((f for f in whole if f.form == "ratio"), whole[0])
    ours, low, high = _on_the_published_scale(finding, answer)
    inside = ratio = "–"
    if answer.published is not None and low is not None and high is not None:
        inside = "yes" if low <= answer.published <= high else "no"
        if answer.error is not None:
            ratio = f"{(high - low) / 2 / (_NORMAL * answer.error):.2f}"
    interval = f"{_figure(low, answer)} to {_figure(high, answer)}" if low is not None else "–"
    reason = finding.caveats[0] if ours is None and finding.caveats else str(finding.verdict)
    cells = [answer.what, _figure(answer.published, answer), _figure(ours, answer), interval]
    cells += [inside, ratio, reason, answer.as_shipped, answer.source]
    return f"| {' | '.join(cells)} |"


def _on_the_published_scale(
    finding: Finding, answer: Answer
) -> tuple[float | None, float | None, float | None]:
    """Return estimate and ends; of a score, as a share of what would have been, where asked."""
    own = (finding.estimate, *_ends(finding))
    if finding.form == "ratio" or not answer.is_share or not finding.counterfactual:
        return own
    low, middle, high = own[1], own[0], own[2]
    base = abs(finding.counterfactual)
    shares = [None if x is None else x / base for x in (middle, low, high)]
    return shares[0], shares[1], shares[2]


def _ends(finding: Finding) -> tuple[float | None, float | None]:
    return finding.low, finding.high


def _figure(value: float | None, answer: Answer) -> str:
    if value is None:
        return "–"
    return f"{100 * value:+.1f}%" if answer.is_share else f"{value:+.4g}"


def _lalonde(place: Path) -> Path:
    """Write the experiment's people as areas, and their earnings by year."""
    found = importlib.util.find_spec("causaldata")
    if found is None or found.origin is None:
        what = "the package causaldata is not installed."
        raise DataError(Problem(what, "", "Install the extra: areaeffect[bench]."))
    people = pd.read_stata(Path(found.origin).parent / "nsw_mixtape" / "nsw_mixtape.dta")
    long = pd.DataFrame(
        {
            "person": [f"P{i:03d}" for i in range(len(people)) for _ in range(3)],
            "year": [1974, 1975, 1978] * len(people),
            "earnings": people[["re74", "re75", "re78"]].to_numpy().ravel(),
            "on": [v for t in people["treat"] for v in (0, 0, int(t))],
        }
    )
    long.to_csv(place / "lalonde.csv", index=False)
    text = (HERE / "lalonde.toml").read_text(encoding="utf-8")
    (place / "lalonde.toml").write_text(text, encoding="utf-8")
    return place / "lalonde.toml"


def _geolift(place: Path) -> Path:
    """Number the days from 1."""
    path = resolve("${AREAEFFECT_SHARED_DATA}/validation/published_sets/geolift_test.csv", HERE)
    table = pd.read_csv(path)
    table["day"] = table.groupby("location")["date"].rank().astype(int)
    table.to_csv(place / "geolift.csv", index=False)
    for name in ("geolift.toml", "geolift_areas.csv"):
        (place / name).write_text((HERE / name).read_text(encoding="utf-8"), encoding="utf-8")
    return place / "geolift.toml"


def main() -> None:
    """Write the table into the page."""
    before = PAGE.read_text(encoding="utf-8").split(TITLE, maxsplit=1)[0].rstrip()
    lines = run()
    PAGE.write_text("\n".join([before, "", *lines]) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
