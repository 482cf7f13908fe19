"""Indeed Hiring Lab: real editions as successive answers, and a file that is not the file."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

from tests.conftest import SHIPPED
from tests.etl.replay import Reply, with_etag
from tests.etl.sources.conftest import Live

PATH = "/hiring-lab/ai-tracker/main/AI_posting.csv"
SMALL = "date,jobcountry,AI_share_postings\n1999-01-01,US,1.0\n1999-12-31,US,2.0\n1999-12-31,QQ,5\n"


def edition(raw: Path, name: str) -> bytes:
    return gzip.decompress((raw / "indeed_ai_tracker" / name).read_bytes())


def test_means_of_years_and_unknown_countries(live: Live) -> None:
    live.server.on(PATH, Reply(SMALL + "2000-01-01,US,3.0\n"))
    assert live.ask("indeed").outcome == "new"
    whole, partial = sorted(live.rows("indeed"), key=lambda each: each.period)
    assert (whole.entity_id, whole.period, whole.value, whole.status) == ("USA", "1999", 1.5, "actual")
    assert (partial.period, partial.value, partial.status) == ("2000", 3.0, "partial")
    assert partial.note == "Mean of the daily seven-day trailing shares, to 2000-01-01."
    assert live.ledger.query("SELECT url FROM request")[0]["url"].endswith(PATH)


def test_unchanged_file_changes_nothing(live: Live) -> None:
    live.server.on(PATH, with_etag(SMALL))
    assert [live.ask("indeed").outcome for _ in range(2)] == ["new", "unchanged"]
    assert live.outcomes("indeed") == {"AI_posting.csv": "unchanged"}
    assert [each.headers.get("if-none-match") is not None for each in live.server.received] == [False, True]


def test_renamed_column_keeps_the_last_figures(live: Live) -> None:
    live.server.on(PATH, Reply(SMALL), Reply(SMALL.replace("AI_share_postings", "share")))
    live.ask("indeed")
    before = live.rows("indeed")
    result = live.ask("indeed")
    assert result.outcome == "failed"
    assert "AI_share_postings" in (result.reason or "")
    assert live.rows("indeed") == before


def test_real_editions_differ_to_the_row(live: Live, raw: Path) -> None:
    older = edition(raw, "vintages/AI_posting_2025-07-07.csv.gz")
    newer = edition(raw, "AI_posting.csv.gz")
    live.server.on(PATH, with_etag(older), with_etag(newer))
    assert live.ask("indeed").rows == 9 * 7
    before = {each.coordinates: each.value for each in live.rows("indeed")}
    assert live.ask("indeed").rows == 9 * 8
    after = {each.coordinates: each.value for each in live.rows("indeed")}
    assert before.keys() < after.keys()
    assert {key[3] for key in after.keys() - before.keys()} == {"2026"}
    assert all(after[key] != value for key, value in before.items())


def test_shipped_edition_read_live_is_the_shipped_figures(live: Live, raw: Path) -> None:
    live.server.on(PATH, Reply(edition(raw, "AI_posting.csv.gz")))
    live.ask("indeed")
    with (SHIPPED / "workforce" / "workforce.csv").open(encoding="utf-8", newline="") as handle:
        shipped = {
            (row["entity_id"], row["period"]): float(row["value"])
            for row in csv.DictReader(handle)
            if row["source_id"] == "indeed-hiring-lab-2026-github-com-ai-tracker"
        }
    assert {(each.entity_id, each.period): each.value for each in live.rows("indeed")} == shipped
