"""ClickPy: months in chunks, what is read again, and the server's own way of saying no."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from etl.refresh import planned
from etl.sources import clickhouse
from etl.sources.connector import Answer, Request, State
from etl.sources.months import between, later
from tests.etl.replay import Received, Reply
from tests.etl.sources.conftest import NOW, Live, catalogue

SLOW = "Python package downloads, all installers"
CLEAN = "Python package downloads, pip/uv/poetry/pdm only"


def asked_packages(request: Received) -> list[str]:
    return [name.strip("'") for name in request.query["param_packages"].strip("[]").split(",")]


def document(found: list[dict[str, Any]], **changed: Any) -> Reply:
    return Reply({"meta": [], "data": found, "rows": len(found), "statistics": {}} | changed)


def engine(newest: str, value: Callable[[str, date], int] = lambda *_: 111) -> Callable[[Received], Reply]:
    """A server that has every month up to the newest day; 64-bit integers are strings."""

    def answer(request: Received) -> Reply:
        if "max(date)" in request.body:
            return document([{"day": newest}])
        start, end = (date.fromisoformat(request.query[f"param_{name}"]) for name in ("from", "to"))
        rows = [
            {"project": name, "month": month.isoformat(), "downloads": str(value(name, month))}
            for name in asked_packages(request)
            for month in (later(start, count) for count in range(between(start, end)))
        ]
        return document(rows)

    return answer


def answer_to(request: Request, server: Callable[[Received], Reply]) -> Answer:
    reply = server(Received(request.method, request.path, dict(request.params), {}, request.body))
    return Answer(request, reply.content, "0", "https://example.org", NOW)


def error(code: int, words: str, status: int = 500) -> Reply:
    return Reply(f"Code: {code}. DB::Exception: {words}", status)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start late, so that a test has few rows."""
    monkeypatch.setattr(clickhouse, "FIRST", date(2026, 7, 1))


def test_whole_history_is_asked_in_chunks_below_the_limit() -> None:
    newest = answer_to(clickhouse.plan(State(NOW.date()))[0], engine("2026-11-24"))
    targets = catalogue().targets["clickhouse"]
    requests = clickhouse.plan(State(NOW.date(), targets, {newest.request.key: newest}))
    # The tighter of the published limits an hour.
    assert len(requests) <= 40
    asked: dict[str, list[str]] = {}
    for request in requests:
        params = dict(request.params)
        assert (request.method, params["user"]) == ("POST", "demo")
        assert params["result_overflow_mode"] == params["read_overflow_mode"] == "throw"
        assert params["wait_end_of_query"] == "1"
        if "param_packages" in params:
            names = params["param_packages"].strip("[]").split(",")
            assert len(names) * between(date(2018, 1, 1), date(2026, 11, 1)) <= 900
            asked.setdefault(request.body, []).extend(names)
    assert [sorted(names) for names in asked.values()] == [
        sorted(f"'{target.target}'" for target in targets)
    ] * 2


@pytest.mark.usefixtures("few")
def test_figures_are_spelled_as_those_that_ship(live: Live) -> None:
    # More than a 32-bit number can hold.
    live.server.on("/", engine("2026-11-24", lambda *_: 4_294_967_297))
    live.ask("clickhouse")
    (row,) = (
        each
        for each in live.rows("clickhouse")
        if (each.series, each.period, each.population) == ("package: torch", "2026-09", SLOW)
    )
    assert (row.entity_id, row.value, row.unit_id, row.metric_id) == (
        "pytorch",
        4_294_967_297.0,
        "downloads",
        "monthly_downloads",
    )
    assert (row.as_of, row.window_days) == ("2026-10-01", 30)
    assert {each.population for each in live.rows("clickhouse")} == {SLOW, CLEAN}


@pytest.mark.parametrize(
    ("newest", "last"),
    [("2026-11-01", "2026-09"), ("2026-11-02", "2026-10"), ("2026-11-24", "2026-10")],
)
@pytest.mark.usefixtures("few")
def test_month_is_taken_two_days_after_its_end(live: Live, newest: str, last: str) -> None:
    live.server.on("/", engine(newest))
    live.ask("clickhouse")
    assert max(each.period for each in live.rows("clickhouse")) == last


@pytest.mark.usefixtures("few")
def test_next_run_reads_two_months_again_and_keeps_the_others(live: Live) -> None:
    live.server.on("/", engine("2026-11-24"))
    live.ask("clickhouse")
    before = len(live.server.received)
    assert live.ask("clickhouse").outcome == "unchanged"
    again = [each for each in live.server.received[before:] if "param_from" in each.query]
    assert len(again) == 2
    assert {each.query["param_from"] for each in again} == {"2026-09-01"}
    live.now = datetime(2026, 12, 5, tzinfo=UTC)
    live.server.on("/", engine("2026-12-04", lambda _, month: 222 if month >= date(2026, 10, 1) else 333))
    assert live.ask("clickhouse").outcome == "new"
    values = {each.period: each.value for each in live.rows("clickhouse")}
    assert values == {"2026-07": 111, "2026-08": 111, "2026-09": 111, "2026-10": 222, "2026-11": 222}


@pytest.mark.usefixtures("few")
def test_everything_is_read_again_after_90_days(live: Live) -> None:
    live.server.on("/", engine("2026-11-24"))
    live.ask("clickhouse")
    live.now = datetime(2027, 3, 1, tzinfo=UTC)
    live.server.on("/", engine("2027-02-28", lambda *_: 222))
    live.ask("clickhouse")
    assert {each.value for each in live.rows("clickhouse")} == {222}


@pytest.mark.usefixtures("few")
def test_pipeline_that_stands_still_adds_nothing(live: Live) -> None:
    live.server.on("/", engine("2026-11-24"))
    live.ask("clickhouse")
    live.now = datetime(2027, 1, 10, tzinfo=UTC)
    assert live.ask("clickhouse").outcome == "unchanged"
    assert max(each.period for each in live.rows("clickhouse")) == "2026-10"


@pytest.mark.usefixtures("few")
def test_refused_settings_are_left_out(live: Live) -> None:
    whole = engine("2026-11-24")

    def answer(request: Received) -> Reply:
        if "result_overflow_mode" in request.query:
            return error(164, "Cannot modify 'result_overflow_mode' setting in readonly mode. (READONLY)")
        return whole(request)

    live.server.on("/", answer)
    assert live.ask("clickhouse").outcome == "new"
    assert ["result_overflow_mode" in each.query for each in live.server.received[:3]] == [True, False, False]


@pytest.mark.usefixtures("few")
def test_quota_ends_the_run_until_the_end_of_the_interval(live: Live) -> None:
    words = (
        "Quota for user `demo` for 3600s has been exceeded: queries = 61/60. "
        "Interval will end at 2026-11-25 13:00:00. (QUOTA_EXCEEDED)"
    )
    live.server.on("/", error(201, words, 429))
    result = live.ask("clickhouse")
    assert (result.outcome, result.retry_at) == ("deferred", "2026-11-25T13:00:00.000+00:00")
    assert len(live.server.received) == 1
    whole, refusal = engine("2026-11-24"), error(201, words, 200)
    live.server.on("/", whole, whole, refusal)
    # The refusal before counts as the first answer of this server.
    assert live.ask("clickhouse").outcome == "deferred"
    assert live.rows("clickhouse") == ()
    live.server.received.clear()
    result = live.ask("clickhouse")
    assert (result.outcome, result.retry_at) == ("partial", "2026-11-25T13:00:00.000+00:00")
    assert {each.population for each in live.rows("clickhouse")} == {SLOW}
    live.server.on("/", whole)
    assert live.ask("clickhouse").outcome == "new"
    assert {each.population for each in live.rows("clickhouse")} == {SLOW, CLEAN}


BROKEN = json.dumps({"meta": [], "data": [{"project": "torch"}]})[:-2]


@pytest.mark.parametrize(
    ("bad", "words", "times"),
    [
        (Reply(BROKEN + "\nCode: 60. DB::Exception: Unknown table. (UNKNOWN_TABLE)"), "Unknown table", 1),
        (Reply(BROKEN + "\nCode: 241. DB::Exception: Memory limit exceeded."), "Memory limit", 5),
        (Reply(BROKEN), "cut off", 5),
        (Reply("<html>busy</html>"), "no JSON", 1),
        (error(396, "Limit for result exceeded, max rows: 1.00 thousand"), "Limit for result", 1),
        (Reply("busy", 503), "status 503", 5),
        (document([{"project": "torch", "month": "2026-09-01", "downloads": "5"}], rows=2), "says 2 rows", 1),
        (document([]), "have no figure", 1),
    ],
)
@pytest.mark.usefixtures("few")
def test_no_half_answer_is_published(live: Live, bad: Reply, words: str, times: int) -> None:
    whole = engine("2026-11-24")
    live.server.on("/", whole)
    live.ask("clickhouse")
    before, asked = live.rows("clickhouse"), len(live.server.received)

    def answer(request: Received) -> Reply:
        is_hit = "by_version_by_installer" in request.body
        if "max(date)" in request.body:
            return whole(request)
        if bad.content == document([]).content and not is_hit:
            return engine("2026-11-24")(request)
        return bad if is_hit else whole(request)

    live.now = datetime(2026, 12, 5, tzinfo=UTC)
    live.server.on("/", answer)
    result = live.ask("clickhouse")
    assert result.outcome == "failed"
    assert words in (result.reason or "")
    assert len(live.server.received) - asked == 2 + times
    assert live.rows("clickhouse") == before


@pytest.mark.usefixtures("few")
def test_a_withdrawn_package_is_told_and_costs_no_other(live: Live) -> None:
    live.server.on("/", engine("2026-11-24"))
    live.ask("clickhouse")
    live.now = datetime(2026, 12, 5, tzinfo=UTC)
    whole = engine("2026-12-04")

    def answer(request: Received) -> Reply:
        found = json.loads(whole(request).content)["data"]
        gone = [each for each in found if (each.get("project"), each.get("month")) != ("torch", "2026-11-01")]
        return document(gone)

    live.server.on("/", answer)
    assert live.ask("clickhouse").outcome == "new"
    assert live.manifest("clickhouse")["unmapped"] == {"package: torch: no downloads in 2026-11": 1}


@pytest.mark.usefixtures("few")
def test_newest_day_in_the_future_is_refused(live: Live) -> None:
    live.server.on("/", engine("2027-02-24"))
    assert "in the future" in (live.ask("clickhouse").reason or "")


def test_dry_run_asks_nothing(live: Live) -> None:
    (source,) = planned(live.settings, ["clickhouse"], live.world)
    assert [each["key"] for each in source["requests"]] == ["newest day"]
    assert live.server.received == []
