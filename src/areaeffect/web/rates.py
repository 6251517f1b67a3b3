"""How often a wrong token came from one address: kept in memory, and not by the address."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import time
from collections import OrderedDict, deque

_MOST_ADDRESSES = 10_000
_IPV6_SUBSCRIBER = 64  # bits of an IPv6 address that one household or server has


class Rate:
    """Counts events within a time.

    Parameters
    ----------
    most : events within the time.
    seconds : the time.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self._salt = secrets.token_bytes(16)
        self._times: OrderedDict[bytes, deque[float]] = OrderedDict()

    def is_spent(self, address: str) -> bool:
        """Whether an address had all its events."""
        times = self._times.get(self._key(address), deque())
        now = time.monotonic()
        while times and now - times[0] > self.seconds:
            times.popleft()
        return len(times) >= self.most

    def count(self, address: str) -> None:
        """Count one event."""
        key = self._key(address)
        self._times.setdefault(key, deque(maxlen=self.most)).append(time.monotonic())
        self._times.move_to_end(key)
        while len(self._times) > _MOST_ADDRESSES:
            self._times.popitem(last=False)

    def _key(self, address: str) -> bytes:
        return hashlib.blake2b(_group(address).encode(), key=self._salt, digest_size=16).digest()


def _group(address: str) -> str:
    """Return whom an address represents: an IPv6 subscriber has many addresses."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(number, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((number, _IPV6_SUBSCRIBER), strict=False))
    return str(number)
