"""Refreshing from within the server: a process beside it, what the ledger tells of it, a schedule.

The process is `genai-atlas refresh` itself, so readers are not disturbed by it, and whichever of the two ends
first, nothing is lost: a run that was cut off is gone on with by the next one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from etl.ledger import Ledger
from etl.refresh import choose, is_refreshing
from etl.settings import Settings
from etl.sources.registry import CONNECTORS

PROGRAM = (sys.executable, "-m", "etl", "refresh", "--json")
_LOOK_AGAIN = 60.0  # seconds; the clock of the machine may have been put on or back
_SECONDS_TO_END = 10


class Refresher:
    """Starts refreshes of a home as processes of their own, one at a time."""

    def __init__(self, program: Sequence[str] = PROGRAM) -> None:
        """Name the program; nothing is started."""
        self._program = tuple(program)
        self._starting = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self.failure: str | None = None
        """Why the last process that this server started left no report in the ledger, in one sentence."""
        self.tried: datetime | None = None
        """When the schedule started one last."""

    def start(self, settings: Settings) -> bool:
        """Start a refresh unless one is running, whoever started that; returns whether it did."""
        with self._starting:
            if self.is_running(settings):
                return False
            self.failure = None
            folders = ("--home", str(settings.home), "--data", str(settings.data))
            try:
                # Of a group of its own: Ctrl+C ends the server, and the server ends it.
                self._process = subprocess.Popen(  # noqa: S603  # our own program
                    [*self._program, *folders],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    encoding="utf-8",
                    env={**os.environ, "PYTHONUTF8": "1"},
                    start_new_session=True,
                )
            except OSError as error:
                self.failure = f"The refresh could not be started ({error.strerror or error})."
                return True
            threading.Thread(target=self._wait, args=(self._process,), daemon=True).start()
            return True

    def is_running(self, settings: Settings) -> bool:
        """Whether a refresh of this home is running, in a process of this server or in another one."""
        own = self._process
        return (own is not None and own.poll() is None) or is_refreshing(settings.home)

    def stop(self) -> None:
        """End the process that was started, if it runs: the next refresh goes on from there."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()

    def _wait(self, process: subprocess.Popen[str]) -> None:
        said, complained = process.communicate()
        if process.returncode < 0:
            self.failure = "The refresh was ended from outside; the next one goes on from there."
        elif process.returncode:
            self.failure = _reason(said, complained)
            logging.getLogger(__name__).warning("%s", self.failure or "A refresh has left something undone.")


REFRESHER = Refresher()
_SILENT = {"failed", "deferred"}
_ANSWERED = (
    "EXISTS (SELECT 1 FROM source_run WHERE source_run.run_id = run.run_id "
    "AND source_run.outcome IN ('new', 'unchanged', 'partial'))"
)


def _reason(said: str, complained: str) -> str | None:
    """Why a refresh failed; None where its report in the ledger tells it."""
    try:
        report = json.loads(said)
    except ValueError:
        last = complained.strip().splitlines()[-1:] or ["nothing was said"]
        return f"The refresh broke off ({last[0]})."
    return None if "run" in report else str(report.get("error"))


@dataclass(frozen=True)
class UnderWay:
    """What a running refresh is at.

    Attributes:
        asking: title of each source that is being asked, with requests answered and requests known.
        ended: sources that are done with, whatever came of them.
        waiting: sources whose turn has not come.
    """

    asking: tuple[tuple[str, int, int], ...]
    ended: int
    waiting: int

    @property
    def is_building(self) -> bool:
        """Whether all sources are done with, so that the build is being made."""
        return self.ended > 0 and not self.asking and not self.waiting


def under_way(settings: Settings) -> UnderWay:
    """How far the run that has not ended is, as the ledger has it."""
    ledger = Ledger(settings.home)
    runs = ledger.query("SELECT run_id, options FROM run WHERE ended IS NULL ORDER BY run_id DESC LIMIT 1")
    if not runs:
        return UnderWay((), 0, 0)
    rows = ledger.query("SELECT * FROM source_run WHERE run_id = ? ORDER BY source", runs[0]["run_id"])
    asking = [row for row in rows if row["ended"] is None]
    begun = {row["source"] for row in rows}
    return UnderWay(
        tuple((title_of(row["source"]), row["done"] or 0, row["planned"] or 0) for row in asking),
        len(rows) - len(asking),
        len(set(json.loads(runs[0]["options"])["sources"]) - begun),
    )


@dataclass(frozen=True)
class LastRun:
    """A run that came to an end.

    Attributes:
        build: id of the build that was current when it ended; None where none could be made.
        report: what `RefreshResult.as_dict` says of it.
    """

    ended: datetime
    build: str | None
    report: dict[str, Any]

    @property
    def answered(self) -> list[dict[str, Any]]:
        """The sources that answered."""
        return [each for each in self.report["sources"] if each["outcome"] not in _SILENT]

    @property
    def silent(self) -> list[dict[str, Any]]:
        """The sources that failed or put us off."""
        return [each for each in self.report["sources"] if each["outcome"] in _SILENT]

    @property
    def has_published(self) -> bool:
        """Whether a new build came of it."""
        return bool(self.report["build"] and self.report["build"]["published"])

    @property
    def held(self) -> list[str]:
        """Why the build was held back, if it was."""
        return list(self.report["held"])

    @property
    def error(self) -> str | None:
        """Why there was no build."""
        error: str | None = self.report["error"]
        return error


def last_run(settings: Settings) -> LastRun | None:
    """The newest run that came to an end, if there was one."""
    return _last(settings, "report IS NOT NULL")


def last_answered_run(settings: Settings) -> LastRun | None:
    """The newest run that came to an end and was answered, whether a build followed or not."""
    return _last(settings, f"report IS NOT NULL AND {_ANSWERED}")


def last_built_run(settings: Settings) -> LastRun | None:
    """The newest run that was answered and that a build followed, be it a new one or the same again."""
    return _last(settings, f"report IS NOT NULL AND build IS NOT NULL AND {_ANSWERED}")


def _last(settings: Settings, condition: str) -> LastRun | None:
    rows = Ledger(settings.home).query(
        f"SELECT ended, build, report FROM run WHERE {condition} ORDER BY run_id DESC LIMIT 1"  # noqa: S608  # our own words
    )
    for row in rows:
        return LastRun(datetime.fromisoformat(row["ended"]), row["build"], json.loads(row["report"]))
    return None


def title_of(connector: str) -> str:
    """What people call a live source; its name where it is not known any more."""
    return CONNECTORS[connector].title if connector in CONNECTORS else connector


# --- the schedule -----------------------------------------------------------------------------------------


def last_success(settings: Settings) -> datetime | None:
    """When the last run over all sources ended in which at least one of them answered."""
    rows = Ledger(settings.home).query(
        f"SELECT ended, options FROM run WHERE ended IS NOT NULL AND {_ANSWERED} ORDER BY run_id DESC"  # noqa: S608  # our own words
    )
    wanted = {each.name for each in choose(())}
    whole = (row["ended"] for row in rows if wanted <= set(json.loads(row["options"])["sources"]))
    return next((datetime.fromisoformat(ended) for ended in whole), None)


def next_run(settings: Settings, every: timedelta, tried: datetime | None = None) -> datetime | None:
    """When the schedule wants the next refresh; None is at once.

    Args:
        settings: of the home.
        every: the interval.
        tried: when the schedule started the last one. What fails is not tried again before its time.
    """
    known = [moment for moment in (last_success(settings), tried) if moment is not None]
    return max(known) + every if known else None


async def refresh_on_schedule(refresher: Refresher, settings: Settings, every: timedelta) -> None:
    """Start refreshes for as long as this task lives."""
    while True:
        due = await asyncio.to_thread(next_run, settings, every, refresher.tried)
        now = datetime.now(UTC)
        if due is None or due <= now:
            if await asyncio.to_thread(refresher.start, settings):
                refresher.tried = now
            due = now + timedelta(seconds=_LOOK_AGAIN)
        await asyncio.sleep(min(_LOOK_AGAIN, (due - now).total_seconds()))
