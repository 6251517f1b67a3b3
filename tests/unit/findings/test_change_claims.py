"""A change cannot be claimed on a release that describes one date."""

from __future__ import annotations

from pathlib import Path

import pytest

from areaeffect.assembly.measures import refuse_one_date
from areaeffect.errors import DataError
from areaeffect.study.file import read_study
from tests.shared.small_study import edit, write_small_study


@pytest.mark.parametrize(
    ("release", "says"),
    [
        ("census_2021_vacant_homes", "describes one date (2021-03)"),
        ("imd_2025", "a difference of two is not a change either"),
    ],
)
def test_a_release_of_one_date_carries_no_change(tmp_path: Path, release: str, says: str) -> None:
    study = write_small_study(tmp_path)
    text = study.read_text(encoding="utf-8")
    source = f'[source.one]\nkind = "published"\nrelease = "{release}"\n\n[[initiative]]'
    text = text.replace("[[initiative]]", source).replace('source = "crime"', 'source = "one"')
    study.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        refuse_one_date(read_study(study))
    (problem,) = caught.value.problems
    assert problem.what.startswith("'crime' cannot be a change: ")
    assert says in problem.what
    assert problem.fix.startswith('Write claim = "level"')
    edit(study, 'exposure = "areas.population"', 'claim = "level"')
    refuse_one_date(read_study(study))
