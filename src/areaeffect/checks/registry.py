"""Every check of the falsification set, in the order of the report: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.checks.bandwidth import BANDWIDTH
from areaeffect.checks.bunching import BUNCHING
from areaeffect.checks.contamination import CONTAMINATION
from areaeffect.checks.cut_balance import CUT_BALANCE
from areaeffect.checks.discontinuity import DISCONTINUITY
from areaeffect.checks.earlier import EARLIER
from areaeffect.checks.held_out import HELD_OUT
from areaeffect.checks.leads import LEADS_CHECK
from areaeffect.checks.leave_area_out import LEAVE_AREA_OUT
from areaeffect.checks.leave_out import LEAVE_OUT
from areaeffect.checks.mean_reversion import MEAN_REVERSION
from areaeffect.checks.placement import PLACEMENT
from areaeffect.checks.rings import RINGS
from areaeffect.checks.shifted_cuts import SHIFTED_CUTS
from areaeffect.checks.treated_benchmark import TREATED_BENCHMARK
from areaeffect.checks.unmoved import UNMOVED

if TYPE_CHECKING:
    from areaeffect.checks.base import Check

CHECKS: tuple[Check[Any, Any], ...] = (
    HELD_OUT,
    LEADS_CHECK,
    EARLIER,
    RINGS,
    LEAVE_OUT,
    LEAVE_AREA_OUT,
    UNMOVED,
    TREATED_BENCHMARK,
    CONTAMINATION,
    MEAN_REVERSION,
    PLACEMENT,
    BUNCHING,
    CUT_BALANCE,
    DISCONTINUITY,
    BANDWIDTH,
    SHIFTED_CUTS,
)
