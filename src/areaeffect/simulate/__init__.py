"""A simulated county with known effects, to see whether an evaluation finds the truth."""

from areaeffect.simulate.county import County, simulate_county, smallest_force
from areaeffect.simulate.programmes import (
    COUNCIL_PARTNERSHIP,
    MONTHLY_COUNTS,
    OUTCOMES,
    RESIDENTS_FIRST,
    YEARLY_INDICATORS,
    CountySpec,
    ProgrammeSpec,
)
from areaeffect.simulate.write import survey_of, write_base, write_county

__all__ = [
    "COUNCIL_PARTNERSHIP",
    "MONTHLY_COUNTS",
    "OUTCOMES",
    "RESIDENTS_FIRST",
    "YEARLY_INDICATORS",
    "County",
    "CountySpec",
    "ProgrammeSpec",
    "simulate_county",
    "smallest_force",
    "survey_of",
    "write_base",
    "write_county",
]
