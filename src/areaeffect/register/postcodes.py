"""Lists of postcodes to areas: the share of each area's postcodes that is listed."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from areaeffect.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from areaeffect.panel import Strings

_FEWEST_AN_AREA = 10
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}")


def plain_postcode(text: str) -> str:
    """Return a postcode in capitals without spaces."""
    return re.sub(r"\s+", "", text).upper()


class Postcodes:
    """A lookup of postcodes.

    Parameters
    ----------
    postcodes, areas, ended : (n,), as in the file; `ended` is '' for those in use.
    source : what it is called in print.
    """

    def __init__(self, postcodes: Strings, areas: Strings, ended: Strings, source: str) -> None:
        self.source = source
        plain = [plain_postcode(str(p)) for p in postcodes]
        self.area: Mapping[str, str] = dict(zip(plain, map(str, areas), strict=True))
        self.twice = {
            p: (str(a), self.area[p])
            for p, a in zip(plain, areas, strict=True)
            if self.area[p] != a
        }
        self.ended = {p: str(e) for p, e in zip(plain, ended, strict=True) if str(e).strip()}
        self.in_use = Counter(a for p, a in self.area.items() if p not in self.ended)

    def fault(self, text: str) -> str:
        """Return why a postcode cannot be placed; '' where it can."""
        postcode = plain_postcode(text)
        if not _POSTCODE.fullmatch(postcode):
            return f"'{text}' is not written like a postcode"
        if postcode in self.twice:
            return f"'{text}' is in two areas ({' and '.join(self.twice[postcode])})"
        if postcode in self.ended:
            return f"'{text}' was terminated ({self.ended[postcode]})"
        if not self.area.get(postcode):
            district = [p for p in self.area if p.startswith(postcode[:-3])]
            near = did_you_mean(postcode, district)
            return f"'{text}' is not in {self.source}" + (f" ({near})" if near else "")
        return ""

    def area_of(self, text: str) -> str:
        """Return the area of a postcode without a fault."""
        return self.area[plain_postcode(text)]

    def shares_cannot_be_told(self, listed: Sequence[str]) -> str:
        """Return why shares of areas cannot be worked out from this lookup; '' where they can.

        A lookup of little more than the listed postcodes makes every share 100 %.
        """
        own = {plain_postcode(t) for t in listed}
        touched = {self.area[p] for p in own}
        held = sum(self.in_use[a] for a in touched)
        if held >= _FEWEST_AN_AREA * len(touched) or len(own) < held / 2:
            return ""
        return (
            f"the lookup {self.source} holds {held} postcodes in the {len(touched)} areas touched, "
            f"of which {len(own)} are listed"
        )

    def shares(self, listed: Sequence[str]) -> dict[str, float]:
        """Return, for each area touched, the share of its postcodes in use that is listed.

        Parameters
        ----------
        listed : postcodes without a fault.
        """
        found = Counter(self.area[p] for p in {plain_postcode(t) for t in listed})
        return {area: n / self.in_use[area] for area, n in sorted(found.items())}
