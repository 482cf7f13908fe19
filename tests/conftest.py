"""What all tests share: one warehouse of the shipped data, and small packages that a test may edit."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from etl.build import build
from etl.settings import Settings
from etl.warehouse import Home
from tests.etl.package_copy import PackageCopy, copied, small_package

# How long an example takes says more of the machine than of the program.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SHIPPED = Path(__file__).resolve().parent.parent / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs all that opens pages: two browsers at once are slower than one after the other."""
    for item in items:
        is_browser = item.get_closest_marker("browser") is not None
        item.add_marker(pytest.mark.xdist_group("browser" if is_browser else item.nodeid.split("::")[0]))


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test ever touches the home of the person who runs it."""
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GENAI_ATLAS_DATA", str(SHIPPED))


@pytest.fixture(scope="session")
def built_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home with one build of the shipped data. Made once: read it, never change it."""
    home = tmp_path_factory.mktemp("built") / "home"
    build(Settings(home=home, data=SHIPPED))
    return Home(home)


@pytest.fixture
def home(built_home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The shipped data's warehouse as the one that the settings name. Read it, never change it."""
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(built_home.path))
    return built_home


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> PackageCopy:
    """A small part of the shipped package. Made once: copy it, never change it."""
    return small_package(SHIPPED, tmp_path_factory.mktemp("small") / "data")


@pytest.fixture
def package_copy(small_data: PackageCopy, tmp_path: Path) -> PackageCopy:
    """A small data package of this test alone, to edit."""
    return copied(small_data, tmp_path / "data")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A file system of a given kind, as large as asked for; the test is skipped where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()

    def mounted(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a file system takes Linux and root")
        return place

    yield mounted
    subprocess.run(["umount", str(place)], capture_output=True, check=False)
