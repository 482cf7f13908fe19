"""OpenAlex: groups over pages, what is due when, counts that were cut short, and the allowance of the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from etl.refresh import planned
from etl.sources import openalex
from tests.etl.replay import Received, Reply
from tests.etl.sources.conftest import Live

PATH = "/works"
KEY = "an-invented-openalex-key"


@pytest.fixture(autouse=True)
def late(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five years only."""
    monkeypatch.setattr(openalex, "FIRST_YEAR", 2022)
    live.server.on(PATH, works())
    live.environment["OPENALEX_API_KEY"] = KEY


def grouped(*groups: tuple[str, int], following: str | None = None, **meta: Any) -> Reply:
    return Reply(
        {
            "meta": {"count": 999, "next_cursor": following, "timed_out": False, **meta},
            "results": [],
            "group_by": [{"key": key, "key_display_name": key, "count": count} for key, count in groups],
        }
    )


def country(code: str) -> str:
    return f"https://openalex.org/countries/{code}"


def works(
    hit: Callable[[Received], bool] = lambda _: False, bad: Reply | None = None, count: int = 111
) -> Callable[[Received], Reply]:
    """Totals by year, and two pages of countries in each."""

    def answer(request: Received) -> Reply:
        if bad is not None and hit(request):
            return bad
        if request.query["group_by"] == "publication_year":
            return grouped(*((str(year), 999) for year in range(2022, 2027)))
        if request.query["cursor"] == "*":
            return grouped((country("FR"), 0), (country("US"), count), (country("QQ"), 5), following="abc")
        return grouped((country("DE"), 22))

    return answer


def test_works_by_year_and_country(live: Live) -> None:
    assert live.ask("openalex").outcome == "new"
    rows = {(each.entity_id, each.period): each for each in live.rows("openalex")}
    assert {key: each.value for key, each in rows.items()} == {
        (entity, str(year)): value
        for year in range(2022, 2027)
        for entity, value in (("world", 999), ("USA", 111), ("DEU", 22))
    }
    assert (rows["USA", "2025"].status, rows["USA", "2026"].status) == ("actual", "partial")
    query = 'title_and_abstract.search:"generative AI"|"large language model"|"diffusion model"'
    assert rows["world", "2025"].note == f"Query: {query}."
    assert live.server.received[1].query == {
        "filter": f"{query},publication_year:2022",
        "group_by": "authorships.countries",
        "per_page": "200",
        "cursor": "*",
        "api_key": KEY,
    }
    assert live.manifest("openalex")["unmapped"] == {"QQ": 25}
    assert len(live.server.received) == 1 + 2 * 5


def test_new_years_are_due_after_four_weeks_and_old_ones_after_a_quarter(live: Live) -> None:
    live.ask("openalex")
    live.now += timedelta(days=27)
    assert live.ask("openalex").outcome == "unchanged"
    assert len(live.server.received) == 11
    live.server.received.clear()
    live.server.on(PATH, works(count=222))
    live.now += timedelta(days=1)
    assert live.ask("openalex").outcome == "new"
    asked = {each.query["filter"][-4:] for each in live.server.received if "cursor" in each.query}
    assert asked == {"2024", "2025", "2026"}
    values = {each.period: each.value for each in live.rows("openalex") if each.entity_id == "USA"}
    assert values == {"2022": 111, "2023": 111, "2024": 222, "2025": 222, "2026": 222}
    live.server.received.clear()
    live.now += timedelta(days=62)
    live.ask("openalex")
    assert {"2022", "2027"} <= {each.query["filter"][-4:] for each in live.server.received}


def test_the_allowance_of_the_day_defers_and_the_next_run_goes_on(live: Live) -> None:
    refusal = Reply({"error": "Rate limit exceeded", "message": "x"}, 429, {"X-RateLimit-Reset": "43200"})
    live.server.on(PATH, works(lambda request: request.query.get("cursor") == "abc", refusal))
    result = live.ask("openalex")
    assert (result.outcome, result.retry_at) == ("partial", "2026-11-26T00:00:00.000+00:00")
    assert {each.entity_id for each in live.rows("openalex")} == {"world", "USA"}
    live.server.received.clear()
    live.now += timedelta(days=1)
    live.server.on(PATH, works())
    assert live.ask("openalex").outcome == "new"
    # The pages that were read are not paid for again.
    assert {each.query["cursor"] for each in live.server.received} == {"abc"}
    assert len(live.server.received) == 5


def test_counts_that_were_cut_short_are_asked_again(live: Live) -> None:
    whole = works()
    live.server.on(PATH, grouped(("2022", 1), timed_out=True), whole)
    result = live.ask("openalex")
    assert (result.outcome, len(result.waits)) == ("new", 1)
    assert {each.value for each in live.rows("openalex") if each.entity_id == "world"} == {999}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (grouped((country("US"), 5), timed_out=True), "not complete"),
        (grouped((country("US"), 5_000)), "more works in 2025 than the world"),
        (grouped(), "has works and no groups"),
        (Reply({"error": "Invalid query", "message": "bad filter"}, 400), "bad filter"),
        (Reply({"error": "Unavailable"}, 503, {"Retry-After": "30"}), "Unavailable"),
        (Reply("<html>gateway</html>"), "no JSON"),
    ],
)
def test_no_usable_answer_keeps_the_last_figures(live: Live, bad: Reply, words: str) -> None:
    live.ask("openalex")
    before = live.rows("openalex")
    live.now += timedelta(days=30)
    live.server.on(PATH, works(lambda request: request.query["filter"].endswith("2025"), bad))
    result = live.ask("openalex")
    assert result.outcome == "failed"
    assert words in (result.reason or "")
    assert live.rows("openalex") == before


def test_key_stands_nowhere(live: Live) -> None:
    live.server.on(PATH, Reply({"error": "no"}, 400))
    assert KEY not in str(live.ask("openalex"))
    live.server.on(PATH, works())
    live.ask("openalex")
    for path in live.settings.home.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_dry_run_asks_nothing_and_tells_the_cost(live: Live) -> None:
    (source,) = planned(live.settings, ["openalex"], live.world)
    assert (len(source["requests"]), source["cost"]) == (6, pytest.approx(0.006))
    assert live.server.received == []
