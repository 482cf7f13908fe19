"""Ages in words, and which figures are overdue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.ages import Age, ages, ago, rhythm, span
from etl.freshness import Freshness, is_late

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=20), "a moment"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(hours=2, minutes=50), "3 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=45, hours=2), "45 days"),
        (timedelta(days=1200), "1,200 days"),
    ],
)
def test_a_span_is_told_in_its_largest_unit(age: timedelta, words: str) -> None:
    assert span(age) == words
    assert ago(NOW - age, NOW) == f"{words} ago"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (1, "daily"),
        (7, "weekly"),
        (30, "monthly"),
        (31, "monthly"),
        (92, "quarterly"),
        (365, "yearly"),
        (45, "every 45 days"),
    ],
)
def test_a_rhythm_has_its_word(days: int, words: str) -> None:
    assert rhythm(days) == words


def state(source_id: str, success: datetime | None, days: int = 31) -> Freshness:
    is_overdue = bool(success and is_late(NOW - success, days))
    age = NOW - success if success else None
    return Freshness(
        source_id, "c", "T", "P", "L", days, False, success, age, None, is_overdue, None, None, None, None
    )


def aged(
    fresh: Sequence[Freshness] = (), *, live: str | None = "live-a", edition: date | None = None
) -> Age | None:
    """The age of one source's figures that are expected monthly."""
    row = {
        "source_id": "a",
        "live_source_id": live,
        "rhythm_days": 31 if live else None,
        "newest_edition": pd.Timestamp(edition) if edition else pd.NaT,
    }
    return ages(pd.DataFrame([row]), fresh, NOW).get("a")


def test_what_was_read_live_is_late_by_when_that_was() -> None:
    late = aged([state("live-a", NOW - timedelta(days=45))], edition=date(2026, 11, 20))
    assert late is not None
    assert late.is_late
    assert late.words == "read 45 days ago, expected monthly"
    early = aged([state("live-a", NOW - timedelta(days=3))], edition=date(2024, 1, 1))
    assert early is not None
    assert not early.is_late


def test_what_ships_is_late_by_its_newest_edition_until_it_is_read_live() -> None:
    late = aged([state("live-a", None)], edition=date(2026, 7, 31))
    assert late is not None
    assert late.is_late
    assert late.words == "newest edition 118 days old, expected monthly"
    early = aged([state("live-b", NOW)], edition=date(2026, 11, 30))
    assert early is not None
    assert (early.is_late, early.told) == (False, "newest edition a moment old")


def test_without_a_rhythm_or_a_date_there_is_no_age() -> None:
    assert aged(live=None, edition=date(2020, 1, 1)) is None
    assert aged() is None


@given(st.integers(1, 400), st.integers(0, 2_000))
def test_nothing_is_late_before_its_rhythm_is_over(days: int, age: int) -> None:
    if is_late(timedelta(days=age), days):
        assert age > days
        assert is_late(timedelta(days=age + 1), days)
