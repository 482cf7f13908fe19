"""Hugging Face: the top of each list over pages, months of counters, and the limit's own header."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from etl.refresh import planned
from etl.sources import huggingface
from etl.sources.connector import Target
from tests.etl.replay import Received, Reply, Responder
from tests.etl.sources.conftest import Live, asked_only

PATH = "/models"
TOKEN = "hf_an-invented-token"  # noqa: S105  # no secret


def model(number: int, downloads: int, library: str | None = "transformers") -> dict[str, Any]:
    item = {"_id": str(number), "id": f"example/model-{number}", "downloads": downloads, "likes": 3}
    return item | ({"library_name": library} if library else {})


@pytest.fixture(autouse=True)
def small(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short lists and two libraries; the page of the whole list is two models long."""
    monkeypatch.setattr(huggingface, "MOST_OF_ALL", 4)
    monkeypatch.setattr(huggingface, "MOST_OF_LIBRARY", 2)
    monkeypatch.setattr(huggingface, "PAGE", 2)
    asked_only(
        monkeypatch,
        "huggingface",
        Target("huggingface", "transformers", entity_id="transformers"),
        Target("huggingface", "tf", entity_id="tensorflow"),
    )
    live.environment["HF_TOKEN"] = TOKEN
    live.server.on(PATH, hub())


def hub(changed: dict[str, Reply] | None = None) -> Responder:
    """Two pages of the whole hub that overlap in one model, and a list of each library."""
    answers = {
        "transformers": Reply([model(1, 500), model(2, 300)]),
        "tf": Reply([model(7, 50, None)]),
        "": Reply([model(1, 500), model(2, 300)]),
        "2": Reply([model(2, 300), model(3, 200, "diffusers")]),
        "3": Reply([model(4, 100, None), model(5, 90)]),
        **(changed or {}),
    }

    def answer(request: Received) -> Reply:
        name = request.query.get("cursor") or request.query.get("filter", "")
        reply = answers[name]
        following = {"": "2", "2": "3", "3": "4"}.get(name)
        link = f'<https://elsewhere.example/api/models?limit=2&sort=downloads&cursor={following}>; rel="next"'
        return Reply(reply.body, reply.status, {"Link": link} if following else reply.headers)

    return answer


def test_sums_of_the_top_and_shares_of_the_hub(live: Live) -> None:
    assert live.ask("huggingface").outcome == "new"
    rows = {(each.metric_id, each.entity_id): each for each in live.rows("huggingface")}
    assert {key: each.value for key, each in rows.items()} == {
        ("hub_model_downloads", "transformers"): 800,
        ("hub_model_likes", "transformers"): 6,
        # Of models 1 to 4, the second is on two pages and counts once.
        ("hub_top_model_share", "transformers"): 50,
        ("hub_model_downloads", "tensorflow"): 50,
        ("hub_model_likes", "tensorflow"): 3,
    }
    downloads = rows["hub_model_downloads", "transformers"]
    assert (downloads.period, downloads.as_of, downloads.window_days) == ("2026-11", "2026-11-25", 30)
    assert downloads.note == "Sum over 2 models; the one in the middle has 400."
    assert downloads.series == "library: transformers"


def test_links_to_further_pages_are_followed_at_our_own_address(live: Live) -> None:
    live.ask("huggingface")
    pages = [each for each in live.server.received if "filter" not in each.query]
    assert [each.query.get("cursor") for each in pages] == [None, "2", "3"]
    assert {each.headers["authorization"] for each in live.server.received} == {f"Bearer {TOKEN}"}


def test_a_month_later_both_months_are_there(live: Live) -> None:
    live.ask("huggingface")
    assert live.ask("huggingface").outcome == "unchanged"
    live.now = datetime(2026, 12, 2, tzinfo=UTC)
    live.ask("huggingface")
    assert {each.period for each in live.rows("huggingface")} == {"2026-11", "2026-12"}


def test_a_list_out_of_order_is_refused(live: Live) -> None:
    live.ask("huggingface")
    before = live.rows("huggingface")
    live.server.on(PATH, hub({"tf": Reply([model(1, 5), model(2, 300)])}))
    result = live.ask("huggingface")
    assert result.outcome == "failed"
    assert "not in the order" in (result.reason or "")
    assert live.rows("huggingface") == before


def test_a_library_without_models_costs_no_other(live: Live) -> None:
    live.server.on(PATH, hub({"tf": Reply([])}))
    assert live.ask("huggingface").outcome == "new"
    assert live.manifest("huggingface")["unmapped"] == {"library: tf": 1}


@pytest.mark.parametrize(("seconds", "outcome"), [(55, "new"), (290, "deferred")])
def test_limit_names_its_wait_in_its_own_header(live: Live, seconds: int, outcome: str) -> None:
    limit = Reply({"error": "slow"}, 429, {"RateLimit": f'"api";r=0;t={seconds}'})
    whole = hub()
    assert callable(whole)
    live.server.on(PATH, limit, whole)
    result = live.ask("huggingface")
    assert result.outcome == outcome
    assert result.waits == ((55,) if outcome == "new" else ())


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (Reply({"error": "unknown filter"}, 400), "unknown filter"),
        (Reply("<html>maintenance</html>"), "no JSON"),
        (Reply([{"id": "example/model", "likes": 1}]), "downloads"),
    ],
)
def test_no_usable_answer_is_a_failure(live: Live, bad: Reply, words: str) -> None:
    live.server.on(PATH, hub({"tf": bad}))
    result = live.ask("huggingface")
    assert result.outcome == "failed"
    assert words in (result.reason or "")


def test_token_stands_nowhere(live: Live) -> None:
    live.server.on(PATH, Reply({"error": "no"}, 400))
    assert TOKEN not in str(live.ask("huggingface"))
    live.server.on(PATH, hub())
    live.ask("huggingface")
    for path in live.settings.home.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path


def test_dry_run_asks_nothing(live: Live) -> None:
    (source,) = planned(live.settings, ["huggingface"], live.world)
    assert [each["key"] for each in source["requests"]] == [
        "all libraries, page 1",
        "transformers, page 1",
        "tf, page 1",
    ]
    assert live.server.received == []
