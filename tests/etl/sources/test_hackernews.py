"""Hacker News: which threads count, which posts, which are final, and what is never asked again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from etl.refresh import planned
from etl.sources import hackernews
from etl.sources.connector import Target
from tests.etl.replay import Received, Reply
from tests.etl.sources.conftest import Live, asked_only

LIST = "/search_by_date"
TORCH = Target("hackernews", r"\bpytorch\b", "live-hacker-news-hiring", "posting_mention_share", "pytorch")
LLM = Target(
    "hackernews", r"\bllms?\b", "live-hacker-news-hiring-terms", "hiring_post_share", "world", "LLMs"
)


@pytest.fixture(autouse=True)
def small(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three months, two terms, short threads."""
    monkeypatch.setattr(hackernews, "FIRST", date(2026, 9, 1))
    monkeypatch.setattr(hackernews, "LEAST_POSTS", 3)
    asked_only(monkeypatch, "hackernews", TORCH, LLM)
    live.server.on(LIST, listed((11, "November 2026"), (10, "October 2026"), (9, "September 2026")))
    live.server.on("/items/9", thread("We use PyTorch.", "LLMs here", "none", "none"))
    live.server.on("/items/10", thread("PyTorch, LLM", "pytorch3d only", "a", "b"))
    live.server.on("/items/11", thread("LLM", "b", "c", "d"))


def hit(number: int, month: str, title: str = "Ask HN: Who is hiring? ({})") -> dict[str, Any]:
    began = datetime.strptime(month, "%B %Y").replace(tzinfo=UTC) + timedelta(hours=15)
    return {
        "objectID": str(number),
        "title": title.format(month),
        "created_at": f"{began:%Y-%m-%dT%H:%M:%SZ}",
    }


def listed(*threads: tuple[int, str], pages: int = 1) -> Reply:
    others = [hit(99, "October 2026", "Ask HN: Who wants to be hired? ({})")]
    return Reply({"hits": [hit(*each) for each in threads] + others, "nbPages": pages, "page": 0})


def thread(*posts: str | None) -> Reply:
    """A thread with these posts; the first has an answer that is no post."""
    children: list[dict[str, Any]] = [
        {"id": index, "text": text, "author": "someone", "children": []} for index, text in enumerate(posts)
    ]
    children[0]["children"] = [{"id": 100, "text": "PyTorch LLM", "children": []}]
    return Reply({"id": 1, "title": "t", "children": [*children, {"id": 101, "text": None, "children": []}]})


def shares(live: Live) -> dict[tuple[str, str], float]:
    return {(each.entity_id, each.period): each.value for each in live.rows("hackernews")}


def test_posts_that_name_a_term(live: Live) -> None:
    assert live.ask("hackernews").outcome == "new"
    assert shares(live) == {
        ("pytorch", "2026-09"): 25,
        ("world", "2026-09"): 25,
        ("pytorch", "2026-10"): 25,
        ("world", "2026-10"): 25,
        ("pytorch", "2026-11"): 0,
        ("world", "2026-11"): 25,
    }
    rows = {(each.entity_id, each.period): each for each in live.rows("hackernews")}
    final, going_on = rows["world", "2026-10"], rows["world", "2026-11"]
    assert (final.status, final.segment, final.note) == ("actual", "LLMs", r"1 of 4 posts match \bllms?\b")
    assert going_on.status == "partial"
    assert live.server.asked("/items/99") == []


def test_markup_is_no_text(live: Live) -> None:
    live.server.on(
        "/items/10", thread("Py<p>torch", "R&amp;D <a href='pytorch'>x</a>", "c", "PyTorch&#x27;s")
    )
    live.ask("hackernews")
    assert shares(live)["pytorch", "2026-10"] == 25


def test_final_threads_are_never_asked_again(live: Live) -> None:
    live.ask("hackernews")
    live.server.received.clear()
    assert live.ask("hackernews").outcome == "unchanged"
    assert [each.path for each in live.server.received] == [LIST, "/items/11"]
    live.now = datetime(2026, 12, 10, tzinfo=UTC)
    live.server.received.clear()
    live.server.on("/items/11", thread("LLM", "LLM", "c", "d"))
    assert live.ask("hackernews").outcome == "new"
    assert [each.path for each in live.server.received] == [LIST, "/items/11"]
    rows = {(each.entity_id, each.period): each for each in live.rows("hackernews")}
    assert (rows["world", "2026-11"].value, rows["world", "2026-11"].status) == (50, "actual")
    live.server.received.clear()
    live.ask("hackernews")
    assert [each.path for each in live.server.received] == [LIST]


def test_another_expression_counts_anew_what_is_stored(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    live.ask("hackernews")
    wider = Target("hackernews", r"pytorch", TORCH.source_id, TORCH.metric_id, "pytorch")
    asked_only(monkeypatch, "hackernews", wider, LLM)
    live.server.received.clear()
    live.ask("hackernews")
    assert [each.path for each in live.server.received] == [LIST, "/items/11"]
    assert shares(live)["pytorch", "2026-10"] == 50


def test_older_threads_are_looked_for_on_further_pages(live: Live) -> None:
    def answer(request: Received) -> Reply:
        if request.query["page"] == "0":
            return listed((11, "November 2026"), (10, "October 2026"), pages=9)
        return listed((9, "September 2026"), (8, "August 2026"), pages=9)

    live.server.on(LIST, answer)
    live.ask("hackernews")
    assert [each.query["page"] for each in live.server.asked(LIST)] == ["0", "1"]
    assert ("pytorch", "2026-09") in shares(live)
    live.server.received.clear()
    live.ask("hackernews")
    assert [each.query["page"] for each in live.server.asked(LIST)] == ["0"]


def test_a_thread_that_just_began_waits(live: Live) -> None:
    live.server.on("/items/11", thread("LLM"))
    live.ask("hackernews")
    assert {period for _, period in shares(live)} == {"2026-09", "2026-10"}


@pytest.mark.parametrize(
    ("path", "bad", "words"),
    [
        ("/items/10", thread("one"), "the thread of 2026-10 has 1 posts only"),
        ("/items/10", Reply("<html>blocked</html>", 403), "status 403"),
        ("/items/10", Reply("<html>blocked</html>"), "no JSON"),
        ("/items/10", Reply({"id": 1}), "children"),
        (LIST, Reply({"hits": [], "nbPages": 0}), "no figure"),
    ],
)
def test_no_usable_answer_is_a_failure(live: Live, path: str, bad: Reply, words: str) -> None:
    live.server.on(path, bad)
    result = live.ask("hackernews")
    assert result.outcome == "failed"
    assert words in (result.reason or "")
    assert live.rows("hackernews") == ()


def test_dry_run_asks_nothing(live: Live) -> None:
    (source,) = planned(live.settings, ["hackernews"], live.world)
    assert [each["key"] for each in source["requests"]] == ["list of threads, page 0"]
    assert live.server.received == []
