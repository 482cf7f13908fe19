"""Frankfurter: means of years, closed years asked once, currencies that lack days, conversions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from etl.refresh import planned
from tests.etl.replay import Received, Reply
from tests.etl.sources.conftest import Live

YEARS = range(2015, 2027)


def rates(live: Live, value: float = 1.0) -> dict[str, float]:
    """A rate of every currency that is asked for."""
    text = (live.settings.data / "live" / "targets.csv").read_text(encoding="utf-8")
    codes = [line.split(",")[1].split()[0] for line in text.splitlines() if line.startswith("frankfurter,")]
    return dict.fromkeys(codes, value)


def serve(live: Live, **other: Any) -> None:
    for year in YEARS:
        days = {
            f"{year - 1}-12-31": rates(live, 99),
            f"{year}-01-02": rates(live, 1.0),
            f"{year}-01-05": rates(live, 2.0),
        }
        body = {"amount": 1.0, "base": "USD", "start_date": "x", "end_date": "y", "rates": days, **other}
        last = "2026-11-25" if year == 2026 else f"{year}-12-31"
        live.server.on(f"/v1/{year}-01-01..{last}", Reply(body, etag=f'"{year}"'))


def test_means_of_years(live: Live) -> None:
    serve(live)
    assert live.ask("frankfurter").outcome == "new"
    rows = {(each.entity_id, each.period): each for each in live.rows("frankfurter")}
    assert {period for _, period in rows} == {str(year) for year in YEARS}
    assert {each.value for each in rows.values()} == {1.5}
    closed, running = rows["JPN", "2025"], rows["DEU", "2026"]
    assert (closed.status, closed.series, closed.unit_id) == ("actual", "annual average", "lcu_per_usd")
    assert (running.status, running.vintage) == ("partial", "2026-01-05")
    assert running.note == "Mean of 2 daily reference rates of EUR, to 2026-01-05."
    assert {each.query["base"] for each in live.server.received} == {"USD"}


def test_closed_years_are_asked_for_once(live: Live) -> None:
    serve(live)
    live.ask("frankfurter")
    before = len(live.server.received)
    assert live.ask("frankfurter").outcome == "unchanged"
    (again,) = live.server.received[before:]
    assert (again.path, again.headers["if-none-match"]) == ("/v1/2026-01-01..2026-11-25", '"2026"')
    live.now = datetime(2027, 1, 2, tzinfo=UTC)
    live.server.on("/v1/2026-01-01..2026-12-31", Reply({"amount": 1, "base": "USD", "rates": {}}))
    live.server.on("/v1/2027-01-01..2027-01-02", Reply({"amount": 1, "base": "USD", "rates": {}}))
    live.ask("frankfurter")
    assert {each.path[4:8] for each in live.server.received[before + 1 :]} == {"2026", "2027"}


def test_a_currency_that_lacks_days_has_no_mean(live: Live) -> None:
    serve(live)
    full = rates(live)
    some = {name: rate for name, rate in full.items() if name != "ISK"}
    days = {"2018-01-02": some, "2018-01-05": full}
    live.server.on("/v1/2018-01-01..2018-12-31", Reply({"amount": 1, "base": "USD", "rates": days}))
    live.ask("frankfurter")
    periods = {each.period for each in live.rows("frankfurter") if each.entity_id == "ISL"}
    assert "2018" not in periods
    assert "2017" in periods


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply({"message": "not found"}, 404), "status 404"),
        (Reply({"message": "invalid date"}, 422), "status 422"),
        (Reply("<html>Sorry"), "no JSON"),
        (
            Reply({"amount": 1, "base": "EUR", "rates": {"2026-01-02": {"JPY": 1.0}}}),
            "the rates are for 1 EUR",
        ),
    ],
)
def test_answers_that_are_none(live: Live, reply: Reply, words: str) -> None:
    serve(live)
    live.ask("frankfurter")
    before = live.rows("frankfurter")
    live.server.on("/v1/2026-01-01..2026-11-25", reply)
    result = live.ask("frankfurter")
    assert result.outcome == "failed"
    assert words in (result.reason or "")
    assert live.rows("frankfurter") == before


def test_dry_run_asks_nothing(live: Live) -> None:
    (plan,) = planned(live.settings, ["frankfurter"], live.world)
    assert len(plan["requests"]) == len(YEARS)
    assert live.server.received == []


def test_conversions_take_rates_that_nobody_reviewed(live: Live) -> None:
    """Years of the reviewed table stay; other years and currencies take the live rate."""
    serve(live)

    def one_rate(request: Received) -> Reply:
        year = request.path[4:8]
        return Reply({"amount": 1, "base": "USD", "rates": {f"{year}-01-02": rates(live, 1.5)}})

    live.server.on("/v1/2024-01-01..2024-12-31", one_rate)
    result = live.refresh("frankfurter")
    assert result.build, result.error
    with duckdb.connect(str(result.build.build.path), read_only=True) as connection:
        found = connection.execute(
            "SELECT currency, rate_year, count(*), any_value(rate_source_id) FROM usd_rate GROUP BY ALL"
        ).fetchall()
        assert {count for *_, count, _ in found} == {1}
        source = {(currency, year): of for currency, year, _, of in found}
        assert source["PLN", 2024] == "live-ecb-exchange-rates"
        assert source["JPY", 2019] == "us-federal-reserve-undated-github-com-exchange-rates"
        assert ("PLN", 2026) not in source
        lists = connection.execute(
            "SELECT count(*) - count(DISTINCT (list_id, entity_id, claim_id)) FROM hub_figure"
        ).fetchone()
    assert lists == (0,)
