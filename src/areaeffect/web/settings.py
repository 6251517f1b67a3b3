"""What one server was started with: folders, address, who may ask."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from areaeffect.errors import Problem, StudyError
from areaeffect.web.addresses import NOWHERE, Contact, base_url_of

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_PORT = 8321
LEAST_TOKEN = 16  # signs
_TOKEN = re.compile(rf"[!-~]{{{LEAST_TOKEN},200}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a server was started with.

    Parameters
    ----------
    store : the store's folder; need not exist.
    runs : folder of published runs, one results folder each; None: none are shown.
    atlas : folder of atlases, one folder each; None: `atlases` of the store.
    host, port : the address listened on.
    token : secret that every request must carry; None: everybody who reaches the server may ask.
    read_only : nothing is computed and nothing is kept.
    base_url : public address behind a proxy, such as `https://example.org`; None: as asked.
    proxy : addresses of proxies whose `X-Forwarded-*` headers are believed; None: nobody's.
    contact : where readers can write to.
    operator : who runs the server, for the foot of every page; empty: not said.

    Raises
    ------
    StudyError
        The token is empty or short, or the public address is none.
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
    contact: Contact = NOWHERE
    operator: str = ""

    def __post_init__(self) -> None:
        """Refuse what would leave the server open or answer to no address."""
        if self.base_url is not None:
            object.__setattr__(self, "base_url", base_url_of(self.base_url, path=False))
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            what = "the token is empty." if not self.token else "this is not a token."
            fix = f"Give {LEAST_TOKEN} to 200 letters, digits and signs without a space."
            raise StudyError(Problem(what, "--token", fix))

    @property
    def atlases(self) -> Path:
        """Folder that holds one folder for each atlas."""
        return self.atlas or self.store / "atlases"

    @property
    def work(self) -> Path:
        """Folder of what the server keeps: drawn shapes and runs of its users.

        Made by whoever writes first.
        """
        return self.store / "web"

    @property
    def is_public(self) -> bool:
        """Whether anyone may read."""
        return self.read_only and self.token is None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can ask."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
