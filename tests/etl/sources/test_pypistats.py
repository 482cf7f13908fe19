"""PyPI Stats: days summed to whole months, one call a package and day, and pages instead of data."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from etl.refresh import planned
from etl.sources.connector import Target
from tests.etl.replay import Reply
from tests.etl.sources.conftest import Live, asked_only

TORCH, KERAS = "/packages/torch/overall", "/packages/keras/overall"


@pytest.fixture(autouse=True)
def two(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packages."""
    asked_only(
        monkeypatch,
        "pypistats",
        Target("pypistats", "torch", entity_id="pytorch"),
        Target("pypistats", "keras", entity_id="keras"),
    )
    for path in (TORCH, KERAS):
        live.server.on(path, Reply(days(date(2026, 8, 15), date(2026, 11, 24))))


def days(first: date, last: date, count: int = 1) -> dict[str, Any]:
    return {
        "data": [
            {
                "category": category,
                "date": (first + timedelta(days=index)).isoformat(),
                "downloads": count + extra,
            }
            for index in range((last - first).days + 1)
            for category, extra in (("with_mirrors", 5), ("without_mirrors", 0))
        ],
        "package": "example-pkg",
        "type": "overall_downloads",
    }


def test_sums_of_whole_months(live: Live) -> None:
    assert live.ask("pypistats").outcome == "new"
    rows = {each.period: each for each in live.rows("pypistats") if each.entity_id == "pytorch"}
    assert {period: each.value for period, each in rows.items()} == {"2026-09": 30, "2026-10": 31}
    assert rows["2026-10"].population == "Python package downloads, without mirrors"
    assert rows["2026-10"].series == "package: torch"
    assert live.manifest("pypistats")["editions"] == {"live-pypi-stats-downloads": "2026-11-24"}
    assert live.server.received[0].query == {"mirrors": "false"}


def test_a_package_is_asked_once_a_day(live: Live) -> None:
    live.ask("pypistats")
    assert live.ask("pypistats").outcome == "unchanged"
    assert len(live.server.received) == 2
    live.now += timedelta(days=1)
    assert live.ask("pypistats").outcome == "unchanged"
    assert len(live.server.received) == 4


def test_months_that_are_no_longer_there_stay(live: Live) -> None:
    live.ask("pypistats")
    live.now = datetime(2027, 3, 15, tzinfo=UTC)
    for path in (TORCH, KERAS):
        live.server.on(path, Reply(days(date(2026, 10, 20), date(2027, 3, 14), count=2)))
    live.ask("pypistats")
    values = {each.period: each.value for each in live.rows("pypistats") if each.entity_id == "keras"}
    assert values == {
        "2026-09": 30,
        "2026-10": 31,
        "2026-11": 60,
        "2026-12": 62,
        "2027-01": 62,
        "2027-02": 56,
    }


def test_a_month_with_a_missing_day_or_without_a_day_after_it_is_none(live: Live) -> None:
    holed = days(date(2026, 8, 1), date(2026, 10, 31))
    holed["data"] = [row for row in holed["data"] if row["date"] != "2026-09-11"]
    live.server.on(TORCH, Reply(holed))
    live.ask("pypistats")
    assert {each.period for each in live.rows("pypistats") if each.entity_id == "pytorch"} == {"2026-08"}


@pytest.mark.parametrize("unknown", [Reply("404", 404), Reply({"data": [], "package": "torch"})])
def test_an_unknown_package_costs_no_other(live: Live, unknown: Reply) -> None:
    live.server.on(TORCH, unknown)
    assert live.ask("pypistats").outcome == "new"
    assert {each.entity_id for each in live.rows("pypistats")} == {"keras"}
    assert live.manifest("pypistats")["unmapped"] == {"package: torch": 1}


def test_limit_comes_as_a_page_and_is_waited_for(live: Live) -> None:
    page = Reply("<html><a href='/'>Too many requests</a></html>", 429)
    live.server.on(KERAS, page, Reply(days(date(2026, 9, 1), date(2026, 11, 24))))
    result = live.ask("pypistats")
    assert (result.outcome, result.waits) == ("new", (60,))


@pytest.mark.parametrize(
    ("bad", "words", "attempts"),
    [
        (Reply("503 TEMPORARILY DISABLED", 503), "TEMPORARILY DISABLED", 5),
        (Reply("500", 500), "status 500", 5),
        (Reply("<html>hello</html>"), "no JSON", 1),
        (Reply(days(date(2026, 9, 1), date(2027, 1, 1))), "in the future", 1),
    ],
)
def test_no_usable_answer_keeps_the_last_figures(live: Live, bad: Reply, words: str, attempts: int) -> None:
    live.ask("pypistats")
    before = live.rows("pypistats")
    live.now += timedelta(days=1)
    live.server.received.clear()
    live.server.on(KERAS, bad)
    result = live.ask("pypistats")
    assert (result.outcome, len(live.server.asked(KERAS))) == ("failed", attempts)
    assert words in (result.reason or "")
    assert live.rows("pypistats") == before


def test_dry_run_asks_nothing(live: Live) -> None:
    (source,) = planned(live.settings, ["pypistats"], live.world)
    assert [each["key"] for each in source["requests"]] == ["torch", "keras"]
    assert live.server.received == []
