"""Optional parts of the installation that a study may ask for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from areaeffect.errors import Problem, StudyError

if TYPE_CHECKING:
    pass


if TYPE_CHECKING:
    from areaeffect.study.file import StudyFile


#: The package that each estimator of `analysis.estimators` needs.
_NEEDS = {
    "callaway_santanna": "diff_diff",
    "synthetic_did": "diff_diff",
    "imputation": "diff_diff",
    "poisson": "pyfixest",
}


def refuse_missing_extras(file: StudyFile) -> None:
    """Refuse a study that names an estimator whose library is not installed.

    Raises
    ------
    StudyError
        With the extra to install, before anything long is begun.
    """
    asked = file.study.analysis.estimators
    missing = [n for n in asked if n in _NEEDS and find_spec(_NEEDS[n]) is None]
    if missing:
        raise StudyError(
            Problem(
                f"{', '.join(missing)} need the extra 'crosscheck', which is not installed.",
                file.where("analysis.estimators"),
                "Install it with `pip install 'areaeffect[crosscheck]'`, or leave them out.",
            )
        )


def refuse_missing_cluster(address: str) -> None:
    """Refuse a cluster address where the extra that speaks to clusters is not installed."""
    if find_spec("distributed") is None:
        raise StudyError(
            Problem(
                "a cluster needs the extra 'cluster', which is not installed.",
                f"--cluster {address}",
                "Install it with `pip install 'areaeffect[cluster]'`, or leave --cluster out.",
            )
        )
