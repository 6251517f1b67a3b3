"""How often something was done from one address: kept in memory alone, and not by the address."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import time
from collections import OrderedDict, deque

_MOST_ADDRESSES = 10_000
_IPV6_SUBSCRIBER = 64  # bits of an IPv6 address that one household or server has


class Rate:
    """Counts deeds within a time.

    Parameters
    ----------
    most : deeds within the time.
    seconds : the time.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self._salt = secrets.token_bytes(16)
        self._times: OrderedDict[bytes, deque[float]] = OrderedDict()

    def allows(self, address: str) -> bool:
        """Count a deed from an address; whether it is within the rate."""
        key = hashlib.blake2b(_group(address).encode(), key=self._salt, digest_size=16).digest()
        now = time.monotonic()
        times = self._times.setdefault(key, deque())
        self._times.move_to_end(key)
        while times and now - times[0] > self.seconds:
            times.popleft()
        while len(self._times) > _MOST_ADDRESSES:
            self._times.popitem(last=False)
        if len(times) >= self.most:
            return False
        times.append(now)
        return True


def _group(address: str) -> str:
    """Return whom an address stands for: an IPv6 subscriber has many addresses."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return address
    if number.version == 6:  # noqa: PLR2004  # the other version
        return str(ipaddress.ip_network((number, _IPV6_SUBSCRIBER), strict=False))
    return str(number)
