"""Wikimedia: views by month, articles that were moved, and the ways of saying no."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from etl.refresh import planned
from etl.sources.connector import Target
from etl.sources.months import between, later
from tests.etl.replay import Received, Reply, Responder
from tests.etl.sources.conftest import Live, asked_only

BASE = "/metrics/pageviews/per-article/en.wikipedia/all-access/user"
PROBLEM = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no data", "method": "get"}


@pytest.fixture(autouse=True)
def three(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """One article, and one with two titles."""
    asked_only(
        monkeypatch,
        "wikimedia",
        Target("wikimedia", "JAX_(software)", entity_id="jax"),
        Target("wikimedia", "Google_JAX", entity_id="jax"),
        Target("wikimedia", "Keras", entity_id="keras"),
    )
    speak(live, "20150701", "20261031", keras=views(100), old=views(10), new=views(1))


def speak(live: Live, first: str, last: str, *, keras: Responder, old: Responder, new: Responder) -> None:
    for title, reply in (("JAX_%28software%29", new), ("Google_JAX", old), ("Keras", keras)):
        live.server.on(f"{BASE}/{title}/monthly/{first}/{last}", reply)


def views(count: int) -> Responder:
    """So many views in each month that is asked for."""

    def answer(request: Received) -> Reply:
        start, end = (date.fromisoformat(part) for part in request.path.split("/")[-2:])
        months = [later(start, index) for index in range(between(start, end) + 1)]
        return Reply({"items": [{"timestamp": f"{month:%Y%m}0100", "views": count} for month in months]})

    return answer


def test_views_by_month_and_titles_added(live: Live) -> None:
    assert live.ask("wikimedia").outcome == "new"
    assert len(live.rows("wikimedia")) == 2 * between(date(2015, 7, 1), date(2026, 11, 1))
    newest = {each.entity_id: each for each in live.rows("wikimedia") if each.period == "2026-10"}
    assert (newest["keras"].value, newest["keras"].note, newest["keras"].basis) == (100, None, None)
    assert (newest["jax"].value, newest["jax"].series) == (11, "article: JAX_(software)")
    assert newest["jax"].note == "Views under JAX_(software) and Google_JAX added."
    assert live.manifest("wikimedia")["editions"] == {"live-wikimedia-pageviews": "2026-10-31"}
    assert live.server.received[0].headers["user-agent"].startswith("genai-atlas/")


def test_nothing_is_asked_until_the_month_is_over(live: Live) -> None:
    live.ask("wikimedia")
    live.server.received.clear()
    live.now = datetime(2026, 12, 2, tzinfo=UTC)
    assert live.ask("wikimedia").outcome == "unchanged"
    assert live.server.received == []
    live.now = datetime(2026, 12, 3, tzinfo=UTC)
    speak(live, "20261001", "20261130", keras=views(222), old=Reply(PROBLEM, 404), new=views(2))
    assert live.ask("wikimedia").outcome == "new"
    rows = {(each.entity_id, each.period): each.value for each in live.rows("wikimedia")}
    assert len(live.server.received) == 3
    assert (rows["keras", "2026-09"], rows["keras", "2026-11"]) == (100, 222)
    assert rows["jax", "2026-11"] == 2


def test_unknown_title_costs_no_other(live: Live) -> None:
    speak(live, "20150701", "20261031", keras=Reply(PROBLEM, 404), old=views(10), new=views(1))
    assert live.ask("wikimedia").outcome == "new"
    assert {each.entity_id for each in live.rows("wikimedia")} == {"jax"}
    assert live.manifest("wikimedia")["unmapped"] == {"article: Keras": 1}


def test_no_views_anywhere_is_a_failure(live: Live) -> None:
    gone = Reply(PROBLEM, 404)
    speak(live, "20150701", "20261031", keras=gone, old=gone, new=gone)
    assert "hold no figure" in (live.ask("wikimedia").reason or "")


def test_limit_names_its_wait(live: Live) -> None:
    limit = Reply("too many requests", 429, {"Retry-After": "9"})

    def answer(request: Received) -> Reply:
        reply = views(100)
        return limit if len(live.server.asked(request.path)) == 1 or not callable(reply) else reply(request)

    speak(live, "20150701", "20261031", keras=answer, old=views(10), new=views(1))
    result = live.ask("wikimedia")
    assert (result.outcome, result.waits) == ("new", (9,))


def test_a_longer_wait_publishes_what_was_read(live: Live) -> None:
    limit = Reply("too many requests", 429, {"Retry-After": "900"})
    speak(live, "20150701", "20261031", keras=limit, old=views(10), new=views(1))
    result = live.ask("wikimedia")
    assert (result.outcome, result.retry_at) == ("partial", "2026-11-25T12:15:00.000+00:00")
    assert {each.entity_id for each in live.rows("wikimedia")} == {"jax"}


def test_a_limit_between_two_titles_halves_no_figure(live: Live) -> None:
    limit = Reply("too many requests", 429, {"Retry-After": "900"})
    speak(live, "20150701", "20261031", keras=views(100), old=limit, new=views(1))
    assert live.ask("wikimedia").outcome == "deferred"
    assert live.rows("wikimedia") == ()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (Reply({**PROBLEM, "status": 403, "detail": "use a user agent"}, 403), "use a user agent"),
        (Reply({**PROBLEM, "status": 400, "detail": "no full month"}, 400), "no full month"),
        (Reply("<html>error</html>"), "no JSON"),
        (Reply({"items": [{"timestamp": "2026100100"}]}), "views"),
    ],
)
def test_no_usable_answer_is_a_failure(live: Live, bad: Reply, words: str) -> None:
    speak(live, "20150701", "20261031", keras=bad, old=views(10), new=views(1))
    result = live.ask("wikimedia")
    assert result.outcome == "failed"
    assert words in (result.reason or "")
    assert live.rows("wikimedia") == ()


def test_dry_run_asks_nothing(live: Live) -> None:
    (source,) = planned(live.settings, ["wikimedia"], live.world)
    assert source["requests"][2]["key"] == "Keras, 2015-07 to 2026-10"
    assert live.server.received == []
