"""What one running server was told: folders, address, who may ask."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_PORT = 8321


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a server was started with.

    Parameters
    ----------
    store : the store's folder; need not exist.
    runs : folder of published runs, one results folder each; None: none are shown.
    atlas : folder of atlases, one folder each; None: `atlases` of the store.
    host, port : the address listened on.
    token : word every request must carry once; None on loopback and on a read-only server.
    read_only : nothing is computed and nothing is kept, except what moderation takes.
    base_url : public address behind a proxy, such as `https://example.org`; None: as asked.
    proxy : addresses of proxies whose `X-Forwarded-*` headers are believed; None: nobody's.
    """

    store: Path
    runs: Path | None = None
    atlas: Path | None = None
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    token: str | None = None
    read_only: bool = False
    base_url: str | None = None
    proxy: str | None = None

    @property
    def atlases(self) -> Path:
        """Folder that holds one folder for each atlas."""
        return self.atlas or self.store / "atlases"

    @property
    def work(self) -> Path:
        """Folder of what the server keeps: shapes, runs of its users, what waits for a moderator.

        Made by whoever writes first.
        """
        return self.store / "web"

    @property
    def stories(self) -> Path:
        """Folder of what residents sent in."""
        return self.work / "stories"

    @property
    def is_public(self) -> bool:
        """Whether anyone may read: what is answered may be kept by caches on the way."""
        return self.read_only

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can ask."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether an address reaches no further than this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
