"""Files of microdata read at the address: records that do not change, Stack Overflow behind a pointer."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from etl.refresh import planned
from etl.salaries import READERS
from etl.snapshots import Store
from etl.sources.registry import CONNECTORS
from etl.sources.staging import stage_live
from tests.etl.microdata_files import ROOT, row, text
from tests.etl.replay import Reply, with_etag
from tests.etl.sources.conftest import Live

SALARIES = "/foorilla/ai-jobs-net-salaries/main/salaries.csv"
EDITIONS = {
    "vintages/salaries_2024-03-31.csv.gz": 15_203,
    "vintages/salaries_2025-01-19.csv.gz": 74_301,
    "vintages/salaries_2025-06-22.csv.gz": 133_349,
    "salaries.csv.gz": 151_445,
}
ARCHIVE = "/StackExchange/Survey/main/packages/archive/{}/results.csv"
SURVEY = "\ufeffResponseId,DevType,Country,Employment,RemoteWork,ConvertedCompYearly\n"
ANSWERS = SURVEY + '1,Data scientist,France,"Employed, full-time",Remote,111000\n2,NA,NA,NA,NA,NA\n'


def accepted(live: Live, source: str) -> int | None:
    snapshot = Store(live.settings.home).current().get(source)
    return int(snapshot.manifest["accepted"]) if snapshot else None


def serve_survey(live: Live, year: int, content: str, pointed: str | None = None) -> None:
    body = content.encode()
    oid = hashlib.sha256((pointed or content).encode()).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(body)}\n"
    live.server.on(ARCHIVE.format(year), Reply(pointer))
    live.server.on(f"/media{ARCHIVE.format(year)}", Reply(body))


def serve_years(live: Live) -> None:
    for year in (2023, 2024, 2025):
        serve_survey(live, year, ANSWERS.replace("111000", f"{year}0"))


def test_records_go_to_the_reader(live: Live) -> None:
    live.server.on(
        SALARIES, with_etag(text([row(), row(160_000)])), Reply("<html>Sorry"), Reply("a,b\n1,2\n")
    )
    result = live.ask("aijobs")
    assert (result.outcome, result.rows, accepted(live, "aijobs")) == ("new", 2, 2)
    for _ in range(2):
        assert live.ask("aijobs").outcome == "failed"
        assert accepted(live, "aijobs") == 2


def test_records_of_a_test_server_are_told_from_real_ones(live: Live) -> None:
    live.server.on(SALARIES, with_etag(text([row()])))
    live.ask("aijobs")
    with duckdb.connect() as connection:
        stage_live(connection, list(Store(live.settings.home).current().values()))
        found = connection.execute("SELECT connector, is_replay FROM live_snapshot").fetchall()
    assert found == [("aijobs", True)]


def test_unchanged_file_is_not_imported_again(live: Live) -> None:
    live.server.on(SALARIES, with_etag(text([row()])))
    assert [live.ask("aijobs").outcome for _ in range(2)] == ["new", "unchanged"]
    assert live.server.received[1].headers["if-none-match"]


def test_four_real_editions_in_turn(live: Live, raw: Path) -> None:
    files = {raw / "aijobs_salaries" / name: count for name, count in EDITIONS.items()}
    live.server.on(SALARIES, *[with_etag(gzip.decompress(file.read_bytes())) for file in files])
    for count in files.values():
        result = live.ask("aijobs")
        assert (result.outcome, result.rows) == ("new", count)
    assert live.ask("aijobs").outcome == "unchanged"
    assert accepted(live, "aijobs") == EDITIONS["salaries.csv.gz"]


POSTINGS = "/datasets/lukebarousse/data_jobs/resolve/main/data_jobs.csv"
PETITIONS = "/sites/default/files/document/data/h1b_datahubexport-{}.csv"


def test_postings_are_read_where_the_address_leads(live: Live, raw: Path) -> None:
    """The hub sends on to the host of its files."""
    content = gzip.decompress((raw / "data_jobs" / "data_jobs_salary_2023.csv.gz").read_bytes())
    live.server.on(POSTINGS, Reply("", 302, headers={"Location": f"{live.server.address}/elsewhere"}))
    live.server.on("/elsewhere", with_etag(content))
    result = live.ask("data_jobs")
    assert (result.outcome, result.rows, accepted(live, "data_jobs")) == ("new", 22_036, 22_036)
    assert live.ask("data_jobs").outcome == "unchanged"


def test_petitions_of_all_years_are_one_edition(live: Live, raw: Path) -> None:
    files = {year: raw / "h1b" / f"uscis_employer_hub_fy{year}.csv.gz" for year in (2020, 2021)}
    for year in (2022, 2023):
        empty = gzip.decompress(files[2021].read_bytes()).splitlines(keepends=True)[:3]
        live.server.on(PETITIONS.format(year), with_etag(b"".join(empty).replace(b"2021", b"%d" % year)))
    for year, file in files.items():
        live.server.on(PETITIONS.format(year), with_etag(gzip.decompress(file.read_bytes())))
    assert (live.ask("h1b").outcome, accepted(live, "h1b")) == ("new", 55_239 + 60_806 + 4)
    live.server.on(PETITIONS.format(2023), Reply("<html>Access denied", 403))
    assert live.ask("h1b").outcome == "failed"
    assert accepted(live, "h1b") == 116_049


@pytest.mark.parametrize("reader", READERS)
def test_every_source_is_read_at_an_address_or_says_in_the_documents_why_not(reader: str) -> None:
    """From files every one can be read; two let no program in."""
    has_address = reader in CONNECTORS and (CONNECTORS[reader].reader or CONNECTORS[reader].request_of)
    page = (ROOT / "docs" / "salaries.md").read_text(encoding="utf-8")
    (line,) = (each for each in page.splitlines() if each.startswith(f"| `{reader}` |"))
    assert ("by hand" in line) != bool(has_address)
    assert (f"`refresh {reader}`" in line) == bool(has_address)


def test_survey_is_fetched_where_the_pointer_moved(live: Live) -> None:
    serve_years(live)
    assert (live.ask("stackoverflow").outcome, accepted(live, "stackoverflow")) == ("new", 3)
    before = len(live.server.received)
    assert live.ask("stackoverflow").outcome == "unchanged"
    assert {each.path for each in live.server.received[before:]} == {
        ARCHIVE.format(year) for year in (2023, 2024, 2025, 2026)
    }
    serve_survey(live, 2026, ANSWERS)
    assert live.ask("stackoverflow").outcome == "new"
    assert accepted(live, "stackoverflow") == 4
    serve_survey(live, 2024, ANSWERS.replace("France", "Spain"))
    before = len(live.server.received)
    assert live.ask("stackoverflow").outcome == "new"
    assert [each.path for each in live.server.received[before:] if "media" in each.path] == [
        f"/media{ARCHIVE.format(2024)}"
    ]


def test_a_file_that_is_not_the_one_pointed_to(live: Live) -> None:
    serve_years(live)
    live.ask("stackoverflow")
    for pointed in ("another file", "a third"):
        serve_survey(live, 2025, ANSWERS.replace("France", "Italy"), pointed)
        result = live.ask("stackoverflow")
        assert result.outcome == "failed"
        assert "the file of 2025 is not the one that its pointer names" in (result.reason or "")
        assert accepted(live, "stackoverflow") == 3
    serve_survey(live, 2025, ANSWERS.replace("France", "Italy"))
    assert live.ask("stackoverflow").outcome == "new"


def test_survey_answers_that_are_none(live: Live) -> None:
    serve_years(live)
    live.server.on(ARCHIVE.format(2024), Reply("a,b\n1,2\n"))
    assert "does not give the pointer" in (live.ask("stackoverflow").reason or "")
    serve_years(live)
    pointer = live.server.routes[ARCHIVE.format(2024)]
    live.server.on(f"/media{ARCHIVE.format(2024)}", *pointer)
    assert "a pointer to the file" in (live.ask("stackoverflow").reason or "")
    live.server.on(ARCHIVE.format(2024), Reply("not found", 404))
    assert "status 404" in (live.ask("stackoverflow").reason or "")


def test_dry_run_asks_nothing(live: Live) -> None:
    (jobs,) = planned(live.settings, ["aijobs"], live.world)
    (survey,) = planned(live.settings, ["stackoverflow"], live.world)
    assert [each["key"] for each in jobs["requests"]] == ["salaries.csv"]
    assert [each["key"] for each in survey["requests"]] == [f"pointer of {y}" for y in range(2023, 2027)]
    assert live.server.received == []
    live.now = datetime(2025, 1, 1, tzinfo=UTC)
    (survey,) = planned(live.settings, ["stackoverflow"], live.world)
    assert len(survey["requests"]) == 3
