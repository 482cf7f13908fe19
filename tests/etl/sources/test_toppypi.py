"""top-pypi-packages: one list a month, the shipped figures read again, and lists that are not whole."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import Any

import pytest

from etl.refresh import planned
from etl.sources import toppypi
from etl.sources.connector import Target
from tests.conftest import SHIPPED
from tests.etl.replay import Reply, with_etag
from tests.etl.sources.conftest import Live, asked_only

PATH = "/top-pypi-packages/top-pypi-packages.min.json"


@pytest.fixture(autouse=True)
def short(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short list, and two packages that are looked for in it."""
    monkeypatch.setattr(toppypi, "LEAST_PACKAGES", 2)
    asked_only(
        monkeypatch,
        "toppypi",
        Target("toppypi", "torch", entity_id="pytorch"),
        Target("toppypi", "keras", entity_id="keras"),
    )


def ranked(update: str, counts: dict[str, int], **changed: Any) -> dict[str, Any]:
    rows = [{"download_count": count, "project": name} for name, count in counts.items()]
    return {
        "last_update": f"{update} 09:11:11",
        "source": "ClickHouse",
        "total_rows": len(rows),
        "rows": rows,
    } | changed


def test_list_of_the_month_before(live: Live) -> None:
    live.server.on(PATH, with_etag(ranked("2026-11-01", {"torch": 333, "example-pkg": 667})))
    assert live.ask("toppypi").outcome == "new"
    (row,) = live.rows("toppypi")
    assert (row.entity_id, row.period, row.value) == ("pytorch", "2026-10", 333)
    assert live.manifest("toppypi")["unmapped"] == {"package: keras": 1}
    assert live.manifest("toppypi")["editions"] == {toppypi.SOURCE: "2026-11-01"}
    assert live.ask("toppypi").outcome == "unchanged"
    assert "if-none-match" in live.server.received[1].headers


def test_next_list_joins_the_months_before(live: Live) -> None:
    live.server.on(
        PATH,
        Reply(ranked("2026-10-01", {"torch": 111, "keras": 222})),
        Reply(ranked("2026-11-01", {"torch": 333, "keras": 444})),
    )
    for _ in range(2):
        assert live.ask("toppypi").outcome == "new"
    assert sorted((each.period, each.entity_id, each.value) for each in live.rows("toppypi")) == [
        ("2026-09", "keras", 222),
        ("2026-09", "pytorch", 111),
        ("2026-10", "keras", 444),
        ("2026-10", "pytorch", 333),
    ]


def test_shipped_month_read_again_is_the_shipped_figure(live: Live) -> None:
    with (SHIPPED / "frameworks" / "popularity.csv").open(encoding="utf-8", newline="") as handle:
        shipped = next(
            row
            for row in csv.DictReader(handle)
            if (row["metric_id"], row["series"], row["period"])
            == ("monthly_downloads", "package: torch", "2026-03")
        )
    live.now = datetime(2026, 4, 5, tzinfo=UTC)
    live.server.on(PATH, Reply(ranked("2026-04-01", {"torch": int(shipped["value"]), "keras": 1})))
    live.ask("toppypi")
    (row,) = (each for each in live.rows("toppypi") if each.series == shipped["series"])
    same = [
        "metric_id",
        "entity_id",
        "period",
        "population",
        "series",
        "unit_id",
        "status",
        "vintage",
        "as_of",
        "note",
    ]
    assert {name: getattr(row, name) for name in same} == {name: shipped[name] for name in same}
    assert (row.value, row.window_days) == (float(shipped["value"]), int(shipped["window_days"]))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (Reply(ranked("2026-11-01", {"torch": 1})), "1 packages only"),
        (Reply(ranked("2026-11-01", {"torch": 1, "keras": 2}, total_rows=3)), "says 3 rows and holds 2"),
        (Reply(ranked("2027-01-01", {"torch": 1, "keras": 2})), "in the future"),
        (Reply({"last_update": "2026-11-01 00:00:00", "total_rows": 0}), "rows"),
        (Reply("<html>moved</html>"), "no JSON"),
        (Reply(""), "empty"),
        (Reply("", 404), "status 404"),
    ],
)
def test_a_list_that_is_not_whole_keeps_the_last_figures(live: Live, bad: Reply, words: str) -> None:
    live.server.on(PATH, Reply(ranked("2026-10-01", {"torch": 111, "keras": 222})), bad)
    live.ask("toppypi")
    before = live.rows("toppypi")
    result = live.ask("toppypi")
    assert result.outcome == "failed"
    assert words in (result.reason or "")
    assert live.rows("toppypi") == before


def test_moved_list_is_followed(live: Live) -> None:
    live.server.on(PATH, Reply(status=301, headers={"Location": f"{live.server.address}/new.json"}))
    live.server.on("/new.json", Reply(ranked("2026-11-01", {"torch": 111, "keras": 222})))
    assert live.ask("toppypi").outcome == "new"


def test_dry_run_asks_nothing(live: Live) -> None:
    (source,) = planned(live.settings, ["toppypi"], live.world)
    assert [each["path"] for each in source["requests"]] == [PATH]
    assert live.server.received == []
