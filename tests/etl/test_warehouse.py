"""The home of the builds survives whatever happens to it: damage, crashes, full and read-only disks."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from etl.build import build, needs_build
from etl.errors import AtlasError, DamagedBuildError, HomeError
from etl.warehouse import Build, Home, connect, open_read_only, verify
from tests.etl.package_copy import PackageCopy, copied

FORECASTS = "market/forecasts.csv"
MOMENTS = 20


@pytest.fixture(scope="module")
def three_builds(small_data: PackageCopy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package and the home of its last three builds. Made once: copy, never change."""
    folder = tmp_path_factory.mktemp("three")
    package = copied(small_data, folder / "data")
    for note in ("first", "second", "third"):
        package.edit(FORECASTS, 2, note=note)
        build(package.settings(folder / "home"))
    return folder


@pytest.fixture
def home(three_builds: Path, tmp_path: Path) -> Home:
    """A home with three builds to harm."""
    shutil.copytree(three_builds / "home", tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def package(three_builds: Path, tmp_path: Path) -> PackageCopy:
    """The package that the newest of the three builds was made from."""
    return copied(PackageCopy(three_builds / "data"), tmp_path / "data")


def note_in(built: Build) -> str:
    with open_read_only(built.path) as connection:
        found = connection.execute("SELECT note FROM forecast WHERE claim_id = 'MF001'").fetchone()
    assert found is not None
    return str(found[0])


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwritten(path: Path) -> None:
    path.write_bytes(b"no database at all")


def with_one_damaged_block(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 + 100] ^= 0xFF
    content[8192 + 100] ^= 0xFF
    path.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def deleted(path: Path) -> None:
    path.unlink()


def test_the_newest_build_is_current(home: Home) -> None:
    served, reason = home.best()
    assert reason is None
    assert served == home.builds()[0]
    assert note_in(served) == "third"


@pytest.mark.parametrize("harm", [truncated, overwritten, with_one_damaged_block, emptied, deleted])
def test_a_damaged_current_build_is_replaced_by_the_newest_good_one(
    harm: Callable[[Path], None], home: Home
) -> None:
    current = home.builds()[0]
    harm(current.path)
    served, reason = home.best()
    assert note_in(served) == "second"
    assert reason is not None
    assert current.path.name in reason or "names no build that is there" in reason


def test_a_build_that_holds_something_else_is_damaged(home: Home) -> None:
    """A file that opens is not yet the build that its name promises."""
    newest, older, _ = home.builds()
    newest.path.write_bytes(older.path.read_bytes())
    with pytest.raises(DamagedBuildError, match="does not hold what its name says"):
        verify(newest)
    assert note_in(home.best()[0]) == "second"


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\xff\xfe", b"build-20990101T000000000Z-000000000000.duckdb"]
)
def test_a_senseless_pointer_is_no_obstacle(content: bytes, home: Home) -> None:
    (home.path / "CURRENT").write_bytes(content)
    served, reason = home.best()
    assert note_in(served) == "third"
    assert reason is not None
    assert str(home.path / "CURRENT") in reason


def test_a_missing_pointer_is_no_obstacle(home: Home) -> None:
    (home.path / "CURRENT").unlink()
    served, reason = home.best()
    assert note_in(served) == "third"
    assert reason == f"{home.path / 'CURRENT'} is missing"


def test_with_no_good_build_left_it_says_what_to_do(home: Home) -> None:
    for each in home.builds():
        truncated(each.path)
    with pytest.raises(HomeError, match=r"can be served: build-.* Run genai-atlas build\."):
        home.best()


def test_an_empty_home_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match=r"there is none yet\. Run genai-atlas build\."):
        Home(tmp_path / "nowhere").best()
    assert not (tmp_path / "nowhere").exists()


def test_a_build_replaces_a_damaged_one_of_the_same_content(home: Home, package: PackageCopy) -> None:
    """That nothing has changed is no reason to keep a file that cannot be read."""
    damaged = home.builds()[0]
    truncated(damaged.path)
    result = build(package.settings(home.path))
    assert result.published
    assert result.build.content_hash == damaged.content_hash
    assert home.best() == (result.build, None)


def test_rollback_goes_one_build_back_each_time(home: Home) -> None:
    assert note_in(home.rollback()) == "second"
    assert note_in(home.best()[0]) == "second"
    assert note_in(home.rollback()) == "first"
    with pytest.raises(AtlasError, match="There is no build before the current one"):
        home.rollback()
    assert note_in(home.best()[0]) == "first"


def test_rollback_goes_to_the_build_that_is_named(home: Home) -> None:
    oldest = home.builds()[-1]
    assert home.rollback(oldest.build_id).path == oldest.path
    newest = home.builds()[0]
    assert home.rollback(newest.content_hash).path == newest.path
    assert home.best() == (home.builds()[0], None)


@pytest.mark.parametrize("name", ["nonsense", "../CURRENT", "Z", "20990101T000000000Z-000000000000"])
def test_rollback_to_an_unknown_build_changes_nothing(name: str, home: Home) -> None:
    before = home.pointer()
    with pytest.raises(AtlasError, match="genai-atlas builds lists those there are"):
        home.rollback(name)
    assert home.pointer() == before


def test_rollback_to_a_damaged_build_is_refused(home: Home) -> None:
    before = home.pointer()
    truncated(home.builds()[1].path)
    with pytest.raises(DamagedBuildError):
        home.rollback()
    assert home.pointer() == before


def test_a_rollback_stays_until_somebody_asks_for_a_build(home: Home, package: PackageCopy) -> None:
    """The next start does not undo it; a build does."""
    settings = package.settings(home.path)
    home.rollback()
    assert not needs_build(settings)
    again = build(settings)
    assert again.published
    assert note_in(again.build) == "third"


@pytest.mark.parametrize(
    ("keep", "left"), [(1, ["third"]), (2, ["third", "second"]), (5, ["third", "second", "first"])]
)
def test_as_many_builds_stay_as_asked(keep: int, left: list[str], home: Home) -> None:
    with home.writing():
        home.retain(keep)
    assert [note_in(each) for each in home.builds()] == left


def test_the_current_build_is_never_removed(home: Home) -> None:
    home.rollback(home.builds()[-1].build_id)
    with home.writing():
        removed = home.retain(1)
    assert [note_in(each) for each in home.builds()] == ["third", "first"]
    assert len(removed) == 1
    assert note_in(home.best()[0]) == "first"


def test_a_publication_tells_what_it_removed(home: Home, package: PackageCopy) -> None:
    newest_first = [each.build_id for each in home.builds()]
    package.edit(FORECASTS, 2, note="changed")
    result = build(package.settings(home.path).model_copy(update={"keep_builds": 2}))
    assert list(result.removed) == newest_first[1:]
    assert [each.build_id for each in home.builds()] == [result.build.build_id, newest_first[0]]


def test_a_reader_keeps_its_build_while_it_is_removed(home: Home) -> None:
    oldest = home.builds()[-1]
    with open_read_only(oldest.path) as connection:
        with home.writing():
            home.retain(1)
        if os.name != "nt":
            assert not oldest.path.exists()
        assert connection.execute("SELECT count(*) > 0 FROM claim").fetchone() == (True,)


def test_two_writers_at_once_are_one_and_a_clear_refusal(home: Home, package: PackageCopy) -> None:
    before = home.builds()
    package.edit(FORECASTS, 2, note="changed")
    with home.writing(), pytest.raises(HomeError, match=r"Another process is changing .*; try again"):
        build(package.settings(home.path))
    assert home.builds() == before
    assert build(package.settings(home.path)).published


def test_a_home_that_is_a_file_is_a_clear_error(package_copy: PackageCopy, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(HomeError, match=r"Cannot write to .*; name another folder with --home\."):
            build(package_copy.settings(place))
        with pytest.raises(HomeError, match="there is none yet"):
            Home(place).best()


def test_a_full_disk_leaves_the_old_build(
    small_disk: Callable[[str], Path], home: Home, package: PackageCopy
) -> None:
    room = sum(each.path.stat().st_size for each in home.builds())
    disk = small_disk(f"size={room + room // 6}")
    shutil.copytree(home.path, disk / "home")
    before = Home(disk / "home").builds()
    package.edit(FORECASTS, 2, note="changed")
    with pytest.raises(HomeError, match=r"Writing to .* failed \(No space left on device\)"):
        build(package.settings(disk / "home"))
    full = Home(disk / "home")
    assert full.best() == (before[0], None)
    assert {file.name for file in full.folder.iterdir()} == {each.path.name for each in before}


def test_a_read_only_home_serves_and_refuses_to_change(
    small_disk: Callable[[str], Path], home: Home, package: PackageCopy
) -> None:
    disk = small_disk("size=64m")
    shutil.copytree(home.path, disk / "home")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    package.edit(FORECASTS, 2, note="changed")
    with pytest.raises(HomeError, match=r"Cannot write to .* \(Read-only file system\); name another folder"):
        build(package.settings(disk / "home"))
    fixed = Home(disk / "home")
    with pytest.raises(HomeError, match="Read-only file system"):
        fixed.rollback()
    served, reason = fixed.best()
    assert (note_in(served), reason) == ("third", None)


# A process that has imported everything and forks: each child is one real build, to be killed at any moment.
BUILDER = """
import os, signal, sys
from pathlib import Path
from etl.build import build
from etl.settings import Settings

for line in sys.stdin:
    home, data, renames = line.rstrip("\\n").split("\\t")
    left = int(renames)

    def die_before_a_rename(event, arguments):
        global left
        if event == "os.rename":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        if left:
            sys.addaudithook(die_before_a_rename)
        build(Settings(home=Path(home), data=Path(data)))
        os._exit(0)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class Builder:
    """Starts real builds in processes of their own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", BUILDER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self.start(Path("nowhere"), Path("nowhere"))  # fails at once: from now on everything is imported
        self.result()

    def start(self, home: Path, data: Path, dies_before_rename: int = 0) -> int:
        assert self._process.stdin
        self._process.stdin.write(f"{home}\t{data}\t{dies_before_rename}\n")
        self._process.stdin.flush()
        return int(self._answer())

    def result(self) -> int:
        """Exit code of the build; -9 if it was killed."""
        return int(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()

    def end(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    if not hasattr(os, "fork"):
        pytest.skip("a build is forked off, so that its start takes no time")
    made = Builder()
    yield made
    made.end()


def test_a_build_killed_at_any_moment_leaves_a_home_that_serves(
    builder: Builder, package_copy: PackageCopy, tmp_path: Path
) -> None:
    """Twenty moments from the first to the last; after each the next build succeeds and clears up."""
    settings = package_copy.settings(tmp_path / "home")
    started = time.monotonic()
    builder.start(settings.home, settings.data)
    assert builder.result() == 0
    duration = time.monotonic() - started
    home, killed = Home(settings.home), 0
    for moment in range(MOMENTS):
        package_copy.edit(FORECASTS, 2, note=f"moment {moment}")
        before = home.current()
        child = builder.start(settings.home, settings.data)
        time.sleep(duration * moment / (MOMENTS - 1))
        with suppress(ProcessLookupError):  # It was faster than the first one.
            os.kill(child, signal.SIGKILL)
        killed += builder.result() == -signal.SIGKILL
        served, reason = home.best()
        assert reason is None
        assert served == before or note_in(served) == f"moment {moment}"
        assert note_in(build(settings).build) == f"moment {moment}"
        assert names_in(home.path) == ["CURRENT", "builds", "lock"]
        assert names_in(home.folder) == sorted(each.path.name for each in home.builds())
    assert killed >= MOMENTS / 2


@pytest.mark.parametrize("rename", [1, 2])
def test_a_build_killed_while_it_publishes_is_finished_by_the_next(
    rename: int, builder: Builder, home: Home, package: PackageCopy
) -> None:
    """Before the file gets its name, and between that and the move of CURRENT."""
    settings = package.settings(home.path)
    package.edit(FORECASTS, 2, note="changed")
    builder.start(settings.home, settings.data, dies_before_rename=rename)
    assert builder.result() == -signal.SIGKILL
    assert note_in(home.best()[0]) == "third"
    assert len(home.builds()) == 2 + rename
    assert needs_build(settings)
    result = build(settings)
    assert result.published == (rename == 1)
    assert home.best() == (result.build, None)
    assert note_in(result.build) == "changed"
    assert len(home.builds()) == 4
    assert names_in(home.path) == ["CURRENT", "builds", "lock"]


def test_what_an_interrupted_publication_names_is_looked_at_first(
    home: Home, package_copy: PackageCopy
) -> None:
    """A pointer to a damaged build is not followed."""
    newest = home.builds()[0]
    home.rollback()
    truncated(newest.path)
    (home.path / "CURRENT.new").write_text(newest.path.name)
    with home.writing():
        assert note_in(home.best()[0]) == "second"
    assert not (home.path / "CURRENT.new").exists()


def test_the_engine_draws_no_progress_into_what_a_command_answers(built_home: Home) -> None:
    question = "SELECT value FROM duckdb_settings() WHERE name = 'enable_progress_bar'"
    with connect() as fresh, open_read_only(built_home.builds()[0].path) as opened:
        for connection in (fresh, opened, opened.cursor()):
            assert connection.execute(question).fetchone() == ("false",)
