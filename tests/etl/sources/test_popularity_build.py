"""Live counts of frameworks in a build with those that ship: each keeps its line, nothing counts twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from etl.snapshots import snapshots_for_build
from etl.sources import clickhouse, toppypi
from etl.sources.connector import Target
from etl.sources.months import as_month
from tests.conftest import SHIPPED
from tests.etl.replay import Received, Reply
from tests.etl.sources import test_clickhouse, test_github, test_toppypi
from tests.etl.sources.conftest import Live, asked_only

SHIPPED_MARCH = 87_347_847  # PyTorch, March 2026, as top-pypi-packages published it


def test_live_counts_among_shipped_ones(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Target("", "torch", entity_id="pytorch")
    monkeypatch.setattr(clickhouse, "FIRST", as_month("2026-07"))
    monkeypatch.setattr(toppypi, "LEAST_PACKAGES", 1)

    def downloads(request: Received) -> Reply:
        count = 500_000 if "by_version" in request.body else 900_000
        return test_clickhouse.engine("2026-11-24", lambda *_: count)(request)

    live.server.on("/", downloads)
    asked_only(monkeypatch, "clickhouse", package, Target("", "keras", entity_id="keras"))
    live.ask("clickhouse")
    lists = [
        test_toppypi.ranked("2026-04-01", {"torch": SHIPPED_MARCH}),
        test_toppypi.ranked("2026-11-01", {"torch": 99_999_999}),
    ]
    live.server.on(test_toppypi.PATH, *map(Reply, lists))
    asked_only(monkeypatch, "toppypi", package)
    for live.now in (datetime(2026, 4, 2, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)):
        live.ask("toppypi")
    repositories = {"pytorch/pytorch": "pytorch", "keras-team/keras": "keras"}
    asked_only(
        monkeypatch, "github", *(Target("github", name, entity_id=one) for name, one in repositories.items())
    )
    live.environment["GITHUB_TOKEN"] = test_github.TOKEN
    for name in repositories:
        live.server.on(f"/repos/{name}", Reply(test_github.repository(name)))
        live.server.on(f"/repos/{name}/stargazers/history", test_github.pages(test_github.weeks(40)))
    live.ask("github")
    assert len(snapshots_for_build(SHIPPED, live.settings.home)) >= 3

    doubled, clickpy, top, momentum, stars, march = live.built(
        """
        SELECT [
            (SELECT count(*)::VARCHAR FROM (
                SELECT signal_id FROM framework_count
                GROUP BY signal_id, entity_id, period HAVING count(*) > 1
            )),
            (SELECT string_agg(word, ', ' ORDER BY word) FROM (
                SELECT signal || ' = ' || min(value)::BIGINT || '..' || max(value)::BIGINT AS word
                FROM framework_count WHERE publisher = 'ClickPy' GROUP BY signal
            )),
            (SELECT min(period) || '..' || max(period) || ' ' || count(*) FROM framework_count
             WHERE signal_id = 'monthly-downloads-top-pypi-packages' AND entity_id = 'pytorch'),
            (SELECT earlier_period || ' ' || period FROM framework_momentum
             WHERE publisher = 'top-pypi-packages' AND series = 'package: torch' AND period = '2026-10'),
            (SELECT string_agg(DISTINCT signal_id, ', ' ORDER BY signal_id) FROM framework_count
             WHERE metric_id LIKE 'github_stars%' AND publisher LIKE 'GitHub%'),
            (SELECT string_agg(claim_id, ', ') FROM observation
             WHERE metric_id = 'monthly_downloads' AND series = 'package: torch' AND period = '2026-03')
        ]
        """
    )[0][0]
    assert doubled == "0"
    label = "Package downloads in a month, ClickPy"
    assert clickpy == (
        f"{label}: all installers = 900000..900000, {label}: pip/uv/poetry/pdm only = 500000..500000"
    )
    # 96 shipped months and October; March, read again with the same value, is no figure of its own.
    assert top == "2018-01..2026-10 97"
    assert momentum == "2025-10 2026-10"
    assert stars == "github-stars-gained-github, github-stars-github, github-stars-github-ranking"
    assert march == "FP04950"
