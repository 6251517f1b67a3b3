"""What every test relies on: markers by folder, the shared real data, no network, no user store."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).resolve().parent
REPOSITORY = TESTS.parent
SHARED_DATA_VARIABLE = "AREAEFFECT_SHARED_DATA"
MARKED_FOLDERS = ("real_data", "simulation", "web")
IN_CI = os.environ.get("CI", "").lower() in {"true", "1"}

# As where the package alone is installed: only tests have PyArrow.
pd.options.mode.string_storage = "python"

# No deadline: timings say nothing on a shared machine. In CI the examples are always the same.
settings.register_profile("areaeffect", deadline=None, derandomize=IN_CI)
settings.load_profile("areaeffect")


def find_shared_data() -> Path | str:
    """Return the folder of the shared real data, or the reason why there is none."""
    named = os.environ.get(SHARED_DATA_VARIABLE)
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if (folder / "manifest.csv").is_file():
        return folder.resolve()
    place = SHARED_DATA_VARIABLE if named else "../shared/data beside the repository"
    return (
        f"The shared real data are not here: {place} holds no manifest.csv. "
        f"Put them in ../shared/data or set {SHARED_DATA_VARIABLE} to their folder."
    )


def require_shared_data() -> Path:
    """Return the folder of the shared real data; without it skip the test, or fail it in CI."""
    found = find_shared_data()
    if isinstance(found, Path):
        return found
    if IN_CI:
        pytest.fail(f"{found} In CI (CI=true) they must be there.", pytrace=False)
    pytest.skip(found)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of a marked folder, so that `-m` works without repeating it in each file."""
    for item in items:
        try:
            folder = item.path.relative_to(TESTS).parts[0]
        except ValueError:  # a test from elsewhere, for example a doctest of the package
            continue
        if folder in MARKED_FOLDERS:
            item.add_marker(folder)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold the rule of `real_data` tests also where the fixture is not asked for."""
    if item.get_closest_marker("real_data"):
        require_shared_data()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the shared real data (read-only)."""
    return require_shared_data()


@pytest.fixture(scope="session", autouse=True)
def _no_user_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests away from the store of the person who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AREAEFFECT_STORE", str(tmp_path_factory.mktemp("store")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def connect_at_home(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(address[0]):
            self.close()
            pytest.fail(f"Tests use no network, and this one calls {address[0]}.")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_at_home)
        yield


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
