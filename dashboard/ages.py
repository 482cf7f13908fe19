"""How old a figure is, in words, and whether it is late. Pure: whoever asks brings the time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pandas as pd

from dashboard.charts.marks import counted, records
from etl.freshness import Freshness, is_late

_RHYTHMS = {
    1: "daily",
    7: "weekly",
    30: "monthly",
    91: "quarterly",
    182: "twice a year",
    365: "yearly",
}
_SPANS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))
# Months and quarters are not all of one length.
_ABOUT = 0.05


def span(age: timedelta) -> str:
    """A time span in its largest unit up to days, rounded: 3 hours, 45 days."""
    for length, noun in _SPANS:
        if age >= length:
            return counted(round(age / length), noun)
    return "a moment"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago a moment was."""
    return f"{span(now - moment)} ago"


def rhythm(days: int) -> str:
    """How often something is published: monthly, every 45 days."""
    near = (words for length, words in _RHYTHMS.items() if abs(days - length) <= length * _ABOUT)
    return next(near, f"every {days} days")


@dataclass(frozen=True)
class Age:
    """How old the figures of a source are that should come anew again and again.

    Attributes:
        told: since when, in words.
        rhythm: how often they should come, in words.
        is_late: whether they should have come by now.
    """

    age: timedelta
    told: str
    rhythm: str
    is_late: bool

    @property
    def words(self) -> str:
        """For the badge: read 45 days ago, expected monthly."""
        return f"{self.told}, expected {self.rhythm}"


def ages(sources: pd.DataFrame, fresh: Iterable[Freshness], now: datetime) -> dict[str, Age]:
    """Source id -> the age of its figures, for those that have a rhythm.

    What was read live is as old as that reading. What ships is as old as its publisher's newest edition, as
    long as nobody has read the live source that goes on with it.

    Args:
        sources: with source_id, live_source_id, rhythm_days, newest_edition (of the mart source_rhythm).
        fresh: the state of the live sources.
        now: with its time zone.
    """
    read = {state.source_id: state.last_success for state in fresh}
    found = ((row.source_id, _age(row, read.get(row.live_source_id), now)) for row in records(sources))
    return {source_id: age for source_id, age in found if age}


def _age(row: Any, read: datetime | None, now: datetime) -> Age | None:
    if pd.isna(row.rhythm_days) or (read is None and pd.isna(row.newest_edition)):
        return None
    since = read or datetime.combine(pd.Timestamp(row.newest_edition).date(), time(), UTC)
    # An edition of a bare year is dated to its end, which may be to come.
    age, days = max(now - since, timedelta()), int(row.rhythm_days)
    told = f"read {span(age)} ago" if read else f"newest edition {span(age)} old"
    return Age(age, told, rhythm(days), is_late(age, days))
