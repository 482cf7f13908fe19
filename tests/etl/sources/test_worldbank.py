"""World Bank: read again when updated, pages to the end, errors with status 200 and web pages with 400."""

from __future__ import annotations

from typing import Any

from etl.refresh import planned
from tests.etl.replay import Received, Reply, Responder
from tests.etl.sources.conftest import Live

COUNTRIES = [
    {"page": 1, "pages": 1, "per_page": "400", "total": 3},
    [
        {"id": "FRA", "iso2Code": "FR", "name": "France", "region": {"value": "Europe & Central Asia "}},
        {"id": "WLD", "iso2Code": "1W", "name": "World", "region": {"value": "Aggregates"}},
        {"id": "XKX", "iso2Code": "XK", "name": "Kosovo", "region": {"value": "Europe & Central Asia "}},
    ],
]
INDICATORS = {
    "SP.POP.TOTL": 111_000,
    "SL.TLF.TOTL.IN": 55_500,
    "NY.GDP.MKTP.CD": 1.11e9,
    "NY.GDP.PCAP.CD": 1_110,
    "PA.NUS.PPP": 0.111,
    "PA.NUS.PPPC.RF": 0.555,
    "PA.NUS.FCRF": 0.222,
}
PEOPLE = "/v2/country/all/indicator/SP.POP.TOTL"
GONE = [{"message": [{"id": "120", "key": "Invalid value", "value": "The value is not valid"}]}]
BUSY = [{"message": [{"id": "105", "key": "Service currently unavailable", "value": "Try later"}]}]
PAGE = Reply("\ufeff<!DOCTYPE html><p>Request Error", 400)


def row(country: str, year: int, value: float | None) -> dict[str, Any]:
    return {
        "indicator": {"id": "X", "value": "Example"},
        "country": {"id": country[:2], "value": country},
        "countryiso3code": country,
        "date": str(year),
        "value": value,
        "unit": "",
        "obs_status": "",
        "decimal": 0,
    }


def answers(value: float, day: str = "1999-07-01", pages: int = 1) -> Responder:
    """The small question, and the pages of the large one."""

    def reply(request: Received) -> Reply:
        head = {"page": 1, "pages": pages, "per_page": "20000", "total": 9, "lastupdated": day}
        if request.query.get("mrnev"):
            return Reply([head, [row("FRA", 1999, value)]])
        assert request.query["date"] == f"2015:{day[:4]}"
        page = int(request.query["page"])
        if page > 1:
            return Reply([{**head, "page": page, "pages": 99}, [row("FRA", 1998, value)]])
        rows = [row("FRA", 1999, value), row("FRA", 1997, None), row("WLD", 1999, 5), row("XKX", 1999, 5)]
        return Reply([head, rows])

    return reply


def serve(live: Live, people: list[Responder] | None = None) -> None:
    live.server.on("/v2/country", Reply(COUNTRIES))
    for name, value in INDICATORS.items():
        live.server.on(f"/v2/country/all/indicator/{name}", answers(value))
    if people:
        live.server.on(PEOPLE, *people)


def population(live: Live) -> dict[str, float]:
    return {each.period: each.value for each in live.rows("worldbank") if each.metric_id == "population"}


def test_values_of_countries(live: Live) -> None:
    serve(live)
    result = live.ask("worldbank")
    assert (result.outcome, result.rows) == ("new", len(INDICATORS))
    rows = {each.metric_id: each for each in live.rows("worldbank")}
    assert {each.entity_id for each in rows.values()} == {"FRA"}
    assert {metric: each.unit_id for metric, each in rows.items()} == {
        "population": "people",
        "labour_force": "people",
        "gdp": "usd",
        "gdp_per_head": "usd",
        "ppp_factor": "lcu_per_intl_usd",
        "price_level_ratio": "times",
        "exchange_rate": "lcu_per_usd",
    }
    assert (rows["exchange_rate"].series, rows["gdp"].series) == ("annual average", None)
    assert rows["gdp"].vintage == "1999-07-01"


def test_an_indicator_is_read_again_when_it_was_updated(live: Live) -> None:
    serve(live, [answers(111_000)] * 3 + [answers(222_000, "2000-07-01")])
    live.ask("worldbank")
    asked = len(live.server.received)
    assert live.ask("worldbank").outcome == "unchanged"
    assert len(live.server.received) == asked + len(INDICATORS)
    assert live.ask("worldbank").outcome == "new"
    assert len(live.server.received) == asked + 2 * len(INDICATORS) + 1
    assert population(live) == {"1999": 222_000}


def test_all_pages_that_the_first_tells_of(live: Live) -> None:
    serve(live, [answers(111_000, pages=2)])
    live.ask("worldbank")
    assert population(live) == {"1999": 111_000, "1998": 111_000}
    assert [each.query.get("page") for each in live.server.asked(PEOPLE)] == [None, "1", "2"]


def test_a_web_page_passes(live: Live) -> None:
    serve(live, [PAGE, answers(111_000), Reply("<html>Service unavailable"), Reply(BUSY), answers(111_000)])
    result = live.ask("worldbank")
    assert (result.outcome, len(result.waits)) == ("new", 3)


def test_a_web_page_that_stays_fails(live: Live) -> None:
    serve(live, [answers(111_000)] * 2 + [PAGE])
    live.ask("worldbank")
    result = live.ask("worldbank")
    assert result.outcome == "failed"
    assert "a web page in place of the answer, 5 times" in (result.reason or "")
    assert population(live) == {"1999": 111_000}


def test_an_indicator_that_is_gone_keeps_its_values(live: Live) -> None:
    serve(live, [answers(111_000)] * 2 + [Reply(GONE), answers(111_000, "2000-07-01"), Reply(GONE)])
    live.ask("worldbank")
    before = live.rows("worldbank")
    for _ in range(2):
        assert live.ask("worldbank").outcome == "unchanged"
        assert "missing" in live.outcomes("worldbank").values()
        assert live.rows("worldbank") == before


def test_other_answers_that_are_none(live: Live) -> None:
    xml = '<?xml version="1.0"?><wb:error xmlns:wb="http://www.worldbank.org"/>'
    serve(live, [Reply(xml), Reply({"detail": "bad"}, 400), answers(111_000)])
    for words in ("no JSON", "status 400"):
        result = live.ask("worldbank")
        assert result.outcome == "failed"
        assert words in (result.reason or "")
    assert live.ask("worldbank").outcome == "new"


def test_dry_run_asks_nothing(live: Live) -> None:
    (plan,) = planned(live.settings, ["worldbank"], live.world)
    assert len(plan["requests"]) == 1 + len(INDICATORS)
    assert live.server.received == []
