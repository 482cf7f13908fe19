"""Epoch AI's notable models: three real editions as successive answers, and a page that is no file."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb

from etl.diff import diff
from etl.refresh import planned
from tests.etl.replay import Reply, with_etag
from tests.etl.sources.conftest import Live

PATH = "/data/notable_ai_models.csv"
HEADER = "Model,Organization,Country (of organization),Publication date,Last modified"
SMALL = f"""{HEADER}
Example A,"Google,Google Brain",United States of America,1999-05-01,2000-02-03T00:00:00Z
"Example
B","DeepMind,University of Atlantis","United States of America,Atlantis",1999,2000-01-01
Example C,Cohere,Multinational,2000-01,
Example D,,,,
"""
EDITIONS = (
    "vintages/notable_ai_models_2024-10.csv.gz",
    "vintages/notable_ai_models_2025-02.csv.gz",
    "notable_ai_models.csv.gz",
)


def test_models_are_counted_once_for_each_place_and_company(live: Live) -> None:
    live.server.on(PATH, Reply(SMALL))
    assert live.ask("epoch").outcome == "new"
    rows = {(each.entity_id, each.period): each for each in live.rows("epoch")}
    assert {key: row.value for key, row in rows.items()} == {
        ("world", "1999"): 2,
        ("world", "2000"): 1,
        ("USA", "1999"): 2,
        ("company-google", "1999"): 1,
        ("company-google-deepmind", "1999"): 1,
        ("company-cohere", "2000"): 1,
    }
    assert {key[1]: row.status for key, row in rows.items()} == {"1999": "actual", "2000": "partial"}
    assert rows["world", "1999"].vintage == "2000-02-03"
    assert rows["world", "1999"].basis == "computed from published microdata"


def test_unchanged_file_changes_nothing(live: Live) -> None:
    live.server.on(PATH, with_etag("\ufeff" + SMALL))
    assert [live.ask("epoch").outcome for _ in range(2)] == ["new", "unchanged"]
    assert live.outcomes("epoch") == {"notable_ai_models.csv": "unchanged"}


def test_page_under_an_old_name_keeps_the_last_figures(live: Live) -> None:
    renamed = SMALL.replace("Publication date", "Published")
    live.server.on(PATH, Reply(SMALL), Reply("\ufeff<!DOCTYPE html><title>Epoch AI</title>"), Reply(renamed))
    live.ask("epoch")
    before = live.rows("epoch")
    for words in ("a web page, not a table", "no column Publication date"):
        result = live.ask("epoch")
        assert result.outcome == "failed"
        assert words in (result.reason or "")
        assert live.rows("epoch") == before


def test_half_of_the_figures_is_no_edition(live: Live) -> None:
    live.server.on(PATH, Reply(SMALL), Reply("\n".join(SMALL.splitlines()[:2])))
    live.ask("epoch")
    result = live.ask("epoch")
    assert "only 3 figures where there were 6" in (result.reason or "")


def test_dry_run_asks_nothing(live: Live) -> None:
    (plan,) = planned(live.settings, ["epoch"], live.world)
    assert [each["path"] for each in plan["requests"]] == [PATH]
    assert live.server.received == []


def test_three_real_editions_differ_to_the_row(live: Live, raw: Path) -> None:
    files = [raw / "epoch_ai" / name for name in EDITIONS]
    live.server.on(PATH, *[with_etag(gzip.decompress(each.read_bytes())) for each in files])
    told = []
    for file in files:
        assert live.ask("epoch").outcome == "new"
        found = {(each.entity_id, each.period): each.value for each in live.rows("epoch")}
        assert {key: value for key, value in found.items() if key[0] in {"world", "USA"}} == _counted(file)
        told.append(found)
    assert [max(period for _, period in found) for found in told] == ["2024", "2025", "2025"]
    assert live.ask("epoch").outcome == "unchanged"


def _counted(file: Path) -> dict[tuple[str, str], float]:
    """Models of the world and of the United States by year, counted by the database."""
    relation = duckdb.read_csv(str(file), all_varchar=True)
    country = next(name for name in relation.columns if name.startswith("Country ("))
    counted = duckdb.execute(
        f"""
        WITH model AS (
            SELECT left("Publication date", 4) AS year, "{country}" LIKE '%United States%' AS is_there
            FROM relation
        )
        SELECT 'world', year, count(*) FROM model GROUP BY year
        UNION ALL
        SELECT 'USA', year, count(*) FROM model WHERE is_there GROUP BY year
        """
    ).fetchall()
    return {(entity, year): float(count) for entity, year, count in counted}


def test_difference_of_two_builds_is_that_of_the_editions(live: Live, raw: Path) -> None:
    files = [raw / "epoch_ai" / name for name in EDITIONS[1:]]
    live.server.on(PATH, *[Reply(gzip.decompress(each.read_bytes())) for each in files])
    builds, told = [], []
    for _ in range(2):
        # The newer edition took away the one model of a country, which people have to accept.
        result = live.refresh("epoch", accept=True)
        assert result.build
        builds.append(result.build.build)
        told.append({each.claim_id("epoch"): each.value for each in live.rows("epoch")})
    before, after = told
    found = diff(*builds)
    of = {kind: {each.claim_id for each in found.changes if each.kind == kind} for kind in found.counts()}
    assert of["added"] == after.keys() - before.keys()
    assert of["withdrawn"] == before.keys() - after.keys()
    assert of["changed"] == {key for key in before.keys() & after.keys() if before[key] != after[key]}
    values = {each.claim_id: (each.old_value, each.new_value) for each in found.changes}
    assert all(values[key] == (before[key], after[key]) for key in of["changed"])
    assert found.counts() == {"added": 60, "withdrawn": 51, "changed": 167}
