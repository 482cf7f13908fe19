"""GitHub: counters and weeks of stars, its three ways of naming a wait, renames, and the token."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from etl.refresh import planned
from etl.sources.connector import Target
from tests.etl.replay import Received, Reply, with_etag
from tests.etl.sources.conftest import NOW, Live, asked_only

TOKEN = "ghp_an-invented-token"  # noqa: S105  # no secret
A, B = "pytorch/pytorch", "keras-team/keras"
PAGE_OF_A = f"{A}, stars by week, page 1"


@pytest.fixture(autouse=True)
def two(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two repositories, whose answers are there."""
    targets = [Target("github", A, entity_id="pytorch"), Target("github", B, entity_id="keras")]
    asked_only(monkeypatch, "github", *targets)
    for name in (A, B):
        live.server.on(f"/repos/{name}", with_etag(repository(name)))
        live.server.on(f"/repos/{name}/stargazers/history", pages(weeks(40)))
    live.server.on("/rate_limit", allowance(60))
    live.environment["GITHUB_TOKEN"] = TOKEN


def repository(name: str, **changed: Any) -> dict[str, Any]:
    counters = {"stargazers_count": 111, "forks_count": 22, "open_issues_count": 33}
    return {"id": 1, "full_name": name, "watchers_count": 111, **counters, **changed}


def allowance(remaining: int, reset: datetime = NOW + timedelta(minutes=30)) -> Reply:
    return Reply(
        {"resources": {"core": {"limit": 60, "remaining": remaining, "reset": int(reset.timestamp())}}}
    )


def weeks(count: int, newest: date = date(2026, 11, 22), stars: int = 1) -> list[dict[str, Any]]:
    """Weeks with so many stars a day, the newest first; it holds days that have not happened."""
    starts = [newest - timedelta(weeks=index) for index in range(count)]
    return [
        {
            "week": int(datetime.combine(start, datetime.min.time(), UTC).timestamp()),
            "total": 7 * stars,
            "days": [stars] * 7,
        }
        for start in starts
    ]


def pages(all_weeks: list[dict[str, Any]]) -> Any:
    def answer(request: Received) -> Reply:
        size, number = int(request.query["per_page"]), int(request.query["page"])
        return Reply(all_weeks[size * (number - 1) : size * number])

    return answer


def test_counters_and_stars_by_month(live: Live) -> None:
    assert live.ask("github").outcome == "new"
    rows = [each for each in live.rows("github") if each.entity_id == "pytorch"]
    counted = {each.metric_id: each for each in rows if each.metric_id != "github_stars_gained"}
    assert {name: each.value for name, each in counted.items()} == {
        "github_stars": 111,
        "github_forks": 22,
        "github_open_issues": 33,
    }
    stars = counted["github_stars"]
    assert (stars.period, stars.as_of, stars.series, stars.population) == (
        "2026-11",
        "2026-11-25",
        f"repository: {A}",
        "GitHub users",
    )
    gained = {each.period: each.value for each in rows if each.metric_id == "github_stars_gained"}
    # Only months of which every day is there and over; the 40 weeks begin on 22 February.
    assert sorted(gained) == [f"2026-{month:02}" for month in range(3, 11)]
    assert gained["2026-09"] == 30
    assert live.manifest("github")["editions"] == {
        "live-github-counters": "2026-11-25",
        "live-github-star-history": "2026-10",
    }
    request = live.server.asked(f"/repos/{A}")[0]
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["x-github-api-version"] == "2026-03-10"
    assert request.headers["user-agent"].startswith("genai-atlas/")


def test_pages_end_with_an_empty_one_and_are_not_read_again_soon(live: Live) -> None:
    history = f"/repos/{A}/stargazers/history"
    live.ask("github")
    assert [each.query["page"] for each in live.server.asked(history)] == ["1", "2", "3"]
    live.server.received.clear()
    assert live.ask("github").outcome == "unchanged"
    assert [each.query["page"] for each in live.server.asked(history)] == ["1"]
    assert live.outcomes("github")[A] == "unchanged"
    live.now = NOW + timedelta(days=91)
    live.server.received.clear()
    live.ask("github")
    assert [each.query["page"] for each in live.server.asked(history)] == ["1", "2", "3"]


def test_a_new_month_joins_those_before_and_a_counter_moves_within_its_month(live: Live) -> None:
    live.ask("github")
    live.now = datetime(2026, 12, 3, tzinfo=UTC)
    live.server.on(f"/repos/{A}", Reply(repository(A, stargazers_count=222)))
    newer = weeks(1, date(2026, 11, 29), stars=2) + weeks(40)
    live.server.on(f"/repos/{A}/stargazers/history", pages(newer))
    live.ask("github")
    rows = {
        (each.metric_id, each.period): each.value
        for each in live.rows("github")
        if each.entity_id == "pytorch"
    }
    assert rows["github_stars", "2026-11"] == 111
    assert rows["github_stars", "2026-12"] == 222
    assert rows["github_stars_gained", "2026-11"] == 28 + 2 * 2
    assert rows["github_stars_gained", "2026-03"] == 31


def test_a_week_that_moved_between_two_pages_counts_once(live: Live) -> None:
    shifted = weeks(40)
    shifted.insert(30, shifted[29])
    live.server.on(f"/repos/{A}/stargazers/history", pages(shifted))
    live.ask("github")
    gained = {
        each.period: each.value
        for each in live.rows("github")
        if each.metric_id == "github_stars_gained" and each.entity_id == "pytorch"
    }
    assert gained == {
        f"2026-{month:02}": days
        for month, days in zip(range(3, 11), (31, 30, 31, 30, 31, 31, 30, 31), strict=True)
    }


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([{"week": 0, "total": 8, "days": [1] * 7}], "do not add up"),
        ([{"week": 0, "total": 6, "days": [1] * 6}], "do not add up"),
        ([weeks(3)[0], weeks(3)[2]], "out of order"),
    ],
)
def test_weeks_that_do_not_add_up_are_refused(live: Live, bad: list[Any], words: str) -> None:
    live.ask("github")
    before = live.rows("github")
    live.server.on(f"/repos/{A}/stargazers/history", pages(bad))
    result = live.ask("github")
    assert result.outcome == "failed"
    assert words in (result.reason or "")
    assert live.rows("github") == before


def test_a_renamed_repository_is_followed_and_told(live: Live) -> None:
    moved = Reply(status=301, headers={"Location": f"{live.server.address}/repositories/1"})
    live.server.on(f"/repos/{A}", moved)
    live.server.on("/repositories/1", Reply(repository("new/name")))
    live.ask("github")
    (row,) = (
        each
        for each in live.rows("github")
        if (each.metric_id, each.entity_id) == ("github_stars", "pytorch")
    )
    assert (row.series, row.note) == (f"repository: {A}", "The repository is called new/name now.")
    assert live.server.asked("/repositories/1")[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_repository_that_is_gone_costs_no_other(live: Live) -> None:
    live.server.on(f"/repos/{A}", Reply({"message": "Not Found"}, 404))
    live.server.on(f"/repos/{A}/stargazers/history", Reply({"message": "Not Found"}, 404))
    assert live.ask("github").outcome == "new"
    assert {each.entity_id for each in live.rows("github")} == {"keras"}
    assert live.manifest("github")["unmapped"] == {f"repository: {A}": 1}


def used_up(reset: datetime, status: int = 403) -> Reply:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(reset.timestamp()))}
    return Reply({"message": "API rate limit exceeded"}, status, headers)


@pytest.mark.parametrize("status", [403, 429])
def test_used_up_allowance_publishes_what_was_read(live: Live, status: int) -> None:
    live.server.on(f"/repos/{B}", used_up(NOW + timedelta(minutes=40), status))
    result = live.ask("github")
    assert (result.outcome, result.retry_at) == ("partial", "2026-11-25T12:40:00.000+00:00")
    assert {each.entity_id for each in live.rows("github")} == {"pytorch"}


@pytest.mark.parametrize(
    ("refusal", "wait"),
    [
        (used_up(NOW + timedelta(seconds=50)), 50),
        (Reply({"message": "slow"}, 403, {"Retry-After": "7"}), 7),
        (Reply({"message": "slow"}, 429, {"Retry-After": "7"}), 7),
        (Reply({"message": "You have exceeded a secondary rate limit"}, 403), 60),
        (Reply("", 502), 1),
    ],
)
def test_short_waits_are_waited(live: Live, refusal: Reply, wait: float) -> None:
    live.server.on(f"/repos/{A}", refusal, Reply(repository(A)))
    result = live.ask("github")
    assert (result.outcome, result.waits) == ("new", (wait,))


def test_forbidden_for_good_is_a_failure(live: Live) -> None:
    live.server.on(f"/repos/{A}", Reply({"message": "Repository access blocked"}, 403))
    result = live.ask("github")
    assert (result.outcome, result.waits) == ("failed", ())
    assert "Repository access blocked" in (result.reason or "")


def test_without_a_token_no_more_is_begun_than_is_left(live: Live) -> None:
    del live.environment["GITHUB_TOKEN"]
    live.server.on("/rate_limit", allowance(3), allowance(0))
    result = live.ask("github")
    assert (result.outcome, result.retry_at) == ("partial", "2026-11-25T12:30:00.000+00:00")
    first = f"/repos/{A}/stargazers/history"
    assert [each.path for each in live.server.received] == [
        "/rate_limit",
        f"/repos/{A}",
        f"/repos/{B}",
        first,
        "/rate_limit",
    ]
    assert all("authorization" not in each.headers for each in live.server.received)
    # The next run goes on with the history that was read longest ago: never.
    live.now = NOW + timedelta(hours=1)
    live.server.received.clear()
    live.server.on("/rate_limit", allowance(3), allowance(0))
    live.ask("github")
    assert [each.path for each in live.server.received][3] == f"/repos/{B}/stargazers/history"
    live.server.received.clear()
    live.server.on("/rate_limit", allowance(60))
    assert live.ask("github").outcome == "new"


def test_a_token_that_is_refused_is_left_out_and_stands_nowhere(live: Live) -> None:
    def answer(request: Received) -> Reply:
        if "authorization" in request.headers:
            return Reply({"message": "Bad credentials"}, 401)
        return Reply(repository(A))

    live.server.on(f"/repos/{A}", answer)
    result = live.ask("github")
    assert result.outcome == "new"
    assert "does not accept GITHUB_TOKEN" in " ".join(result.warnings)
    for path in live.settings.home.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path


def test_dry_run_asks_nothing_and_tells_of_the_token(live: Live) -> None:
    (source,) = planned(live.settings, ["github"], live.world)
    assert [each["key"] for each in source["requests"]] == [A, B, PAGE_OF_A, PAGE_OF_A.replace(A, B)]
    assert source["token"] == {
        "variable": "GITHUB_TOKEN",
        "is_there": True,
        "effect": "5,000 requests an hour instead of 60",
    }
    assert live.server.received == []
