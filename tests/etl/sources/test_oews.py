"""OEWS: workbooks in zip files, the markers in place of numbers, next year's file that is not there yet."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import xlsxwriter

from etl.errors import ImportRefusedError
from etl.freshness import freshness
from etl.handover import answers_of, take_files
from etl.microdata import spool
from etl.refresh import planned
from etl.settings import Settings
from tests.etl.replay import Reply
from tests.etl.sources.conftest import Live
from tests.etl.test_cli import run

COLUMNS = (
    "AREA",
    "AREA_TITLE",
    "AREA_TYPE",
    "PRIM_STATE",
    "NAICS",
    "OCC_CODE",
    "OCC_TITLE",
    "O_GROUP",
    "TOT_EMP",
    "LOC_QUOTIENT",
    "A_MEAN",
    "A_MEDIAN",
)
NATION = (99, "U.S.", 1, "US", "000000", "15-2051", "Data Scientists", "detailed", 1110, 1, 111000, 100000)
STATES = (
    (13, "Georgia", 2, "GA", "000000", "15-2051", "Data Scientists", "detailed", 110, "**", "*", 100000),
    (36, "New York", 2, "NY", "000000", "15-1252", "Software Developers", "detailed", 220, 1.1, 111000, "#"),
    (72, "Puerto Rico", 2, "PR", "000000", "15-2051", "Data Scientists", "detailed", 330, 1, 111000, 100000),
)
METROS = (
    (
        35620,
        "Example-New York, NY",
        4,
        "NY",
        "000000",
        "15-2051",
        "Data Scientists",
        "detailed",
        50,
        1.4,
        1e5,
        9e4,
    ),
    (35620, "Example-New York, NY", 4, "NY", "000000", "11-1011", "Chief Executives", "detailed", 9, 1, 1, 1),
    (99999, "Example-Elsewhere, NY", 4, "NY", "000000", "15-2051", "Data Scientists", "detailed", 9, 1, 1, 1),
)
NOTE = "# = indicates a wage equal to or greater than $115.00 per hour or $239,200 per year"
MADE = "Fri, 15 May {} 09:00:00 GMT"


def workbook(rows: Sequence[Sequence[object]], columns: Sequence[str] = COLUMNS) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        book.add_worksheet("UpdateTime").write_row(0, 0, ["2026"])
        sheet = book.add_worksheet("Example_dl")
        for position, row in enumerate([columns, *rows]):
            sheet.write_row(position, 0, row)
        notes = book.add_worksheet("Field Descriptions")
        notes.write_column(0, 0, ["Field Descriptions", "Note", NOTE])
    return content.getvalue()


def packed(**workbooks: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, book in workbooks.items():
            archive.writestr(f"oesm25/{name}.xlsx", book)
    return content.getvalue()


def serve(live: Live, year: int = 25, columns: Sequence[str] = COLUMNS, metros: bytes | None = None) -> None:
    files = {
        "nat": packed(**{f"national_M20{year}_dl": workbook([NATION], columns)}),
        "st": packed(**{f"state_M20{year}_dl": workbook(STATES, columns)}),
        "ma": metros
        or packed(
            **{f"MSA_M20{year}_dl": workbook(METROS, columns), f"BOS_M20{year}_dl": workbook(METROS[2:])}
        ),
    }
    for kind, content in files.items():
        live.server.on(
            f"/oes/special-requests/oesm{year}{kind}.zip", Reply(content, modified=MADE.format(2001 + year))
        )


def told(live: Live) -> dict[tuple[str, str, str], tuple[float, str | None]]:
    return {
        (each.entity_id, each.metric_id.removeprefix("occupation_"), each.period): (each.value, each.bound)
        for each in live.rows("oews")
    }


def test_figures_and_markers(live: Live) -> None:
    serve(live)
    assert live.ask("oews").outcome == "new"
    assert told(live) == {
        ("USA", "employment", "2025-05"): (1110, None),
        ("USA", "location_quotient", "2025-05"): (1, None),
        ("USA", "pay_mean", "2025-05"): (111_000, None),
        ("USA", "pay_median", "2025-05"): (100_000, None),
        ("georgia-state", "employment", "2025-05"): (110, None),
        ("georgia-state", "pay_median", "2025-05"): (100_000, None),
        ("new-york-state", "employment", "2025-05"): (220, None),
        ("new-york-state", "location_quotient", "2025-05"): (1.1, None),
        ("new-york-state", "pay_mean", "2025-05"): (111_000, None),
        ("new-york-state", "pay_median", "2025-05"): (239_200, "at_least"),
        ("new-york-us", "employment", "2025-05"): (50, None),
        ("new-york-us", "location_quotient", "2025-05"): (1.4, None),
        ("new-york-us", "pay_mean", "2025-05"): (100_000, None),
        ("new-york-us", "pay_median", "2025-05"): (90_000, None),
    }
    metro = next(each for each in live.rows("oews") if each.entity_id == "new-york-us")
    assert (metro.population, metro.segment) == ("metropolitan area Example-New York, NY", "data scientists")
    assert (metro.area_basis, metro.vintage) == ("metro", "2026-05-15")


def test_columns_as_other_years_wrote_them(live: Live) -> None:
    names = {
        "AREA_TITLE": "area_name",
        "OCC_CODE": "occ code",
        "O_GROUP": "group",
        "LOC_QUOTIENT": "loc quotient",
    }
    serve(live, columns=[names.get(name, name.lower()) for name in COLUMNS])
    assert live.ask("oews").outcome == "new"
    assert told(live)["new-york-us", "location_quotient", "2025-05"] == (1.4, None)


def test_unchanged_files_are_not_sent_again(live: Live) -> None:
    serve(live)
    assert [live.ask("oews").outcome for _ in range(2)] == ["new", "unchanged"]
    assert set(live.outcomes("oews").values()) == {"unchanged"}
    assert all("if-modified-since" in each.headers for each in live.server.received[3:])


def test_next_year_is_not_there_yet_then_is(live: Live) -> None:
    serve(live)
    live.ask("oews")
    live.now = datetime(2027, 5, 2, tzinfo=UTC)
    assert live.ask("oews").outcome == "unchanged"
    assert live.outcomes("oews")["oesm26nat.zip"] == "missing"
    live.now = datetime(2027, 5, 20, tzinfo=UTC)
    serve(live, 26)
    assert live.ask("oews").outcome == "new"
    assert {period for *_, period in told(live)} == {"2025-05", "2026-05"}


def test_a_challenge_page_keeps_the_last_figures(live: Live) -> None:
    serve(live)
    live.ask("oews")
    before = live.rows("oews")
    live.server.on("/oes/special-requests/oesm25st.zip", Reply("<html>Access denied", 403))
    assert live.ask("oews").outcome == "failed"
    assert live.rows("oews") == before


def test_files_that_hold_no_figures(live: Live) -> None:
    serve(live)
    live.ask("oews")
    before = live.rows("oews")
    for metros, words in (
        (b"<html>Not a zip file", "no zip file"),
        (packed(BOS_M2025_dl=workbook(METROS)), "no workbook"),
        (packed(MSA_M2025_dl=workbook(METROS, ["A", *["x"] * 11])), "no sheet"),
        (packed(MSA_M2025_dl=workbook(METROS[1:])), "only 0 figures for metros"),
        (packed(MSA_M2025_dl=workbook(METROS))[:2000], "BadZipFile"),
    ):
        serve(live, metros=metros)
        live.server.on("/oes/special-requests/oesm25ma.zip", Reply(metros))
        result = live.ask("oews")
        assert result.outcome == "failed"
        assert words in (result.reason or "")
        assert live.rows("oews") == before


def test_dry_run_asks_nothing(live: Live) -> None:
    (plan,) = planned(live.settings, ["oews"], live.world)
    assert [each["key"] for each in plan["requests"]] == ["oesm25nat.zip"]
    assert live.server.received == []


def test_real_metros_are_the_shipped_figures(live: Live, raw: Path) -> None:
    """Real rows of 2024, for one occupation, in a workbook of the official layout."""
    with (raw / "bls_oews" / "oews_2024_data_scientists_by_metro.csv").open(encoding="utf-8") as handle:
        real = list(csv.DictReader(handle))
    with (live.settings.data / "hubs" / "us_metros.csv").open(encoding="utf-8", newline="") as handle:
        shipped = [
            each
            for each in csv.DictReader(handle)
            if each["period"] == "2024-05" and each["segment"] == "data scientists"
        ]
    with (live.settings.data / "live" / "targets.csv").open(encoding="utf-8", newline="") as handle:
        codes = {
            each["entity_id"]: each["target"]
            for each in csv.DictReader(handle)
            if each["connector"] == "oews"
        }
    areas = {
        each["population"].removeprefix("metropolitan area "): codes[each["entity_id"]] for each in shipped
    }
    rows = [
        (
            int(areas.get(each["area_title"], 0)),
            each["area_title"],
            4,
            "",
            "000000",
            "15-2051",
            "Data Scientists",
            "detailed",
            each["employment_2024"] or "**",
            each["location_quotient_2024"] or "**",
            "*",
            each["median_annual_wage_usd_2024"] or "*",
        )
        for each in real
    ]
    live.now = datetime(2025, 11, 25, tzinfo=UTC)
    serve(live, 24, metros=packed(MSA_M2024_dl=workbook(rows)))
    assert live.ask("oews").outcome == "new"
    found = {
        (each.metric_id, each.entity_id, each.population): each.value
        for each in live.rows("oews")
        if each.source_id == "live-bls-oews-metros"
    }
    assert shipped
    assert {(e["metric_id"], e["entity_id"], e["population"]): float(e["value"]) for e in shipped} == found


# --- files that somebody fetched by hand ------------------------------------------------------------------


def by_hand(folder: Path, *kinds: str, year: int = 25) -> list[Path]:
    """Files of the agency in a folder, as a browser saves them."""
    content = {
        "nat": packed(**{f"national_M20{year}_dl": workbook([NATION])}),
        "st": packed(**{f"state_M20{year}_dl": workbook(STATES)}),
        "ma": packed(**{f"MSA_M20{year}_dl": workbook(METROS), f"BOS_M20{year}_dl": workbook(METROS[2:])}),
    }
    folder.mkdir(exist_ok=True)
    found = []
    for kind in kinds:
        found.append(folder / f"oesm{year}{kind}.zip")
        found[-1].write_bytes(content[kind])
    return found


def taken(live: Live, *paths: Path) -> str:
    return take_files("oews", answers_of("oews", paths), live.settings, live.world).outcome


def test_a_file_from_a_folder_gives_the_figures_that_a_refresh_gives(live: Live, tmp_path: Path) -> None:
    files = by_hand(tmp_path / "files", "nat", "st", "ma")
    assert taken(live, *files) == "new"
    assert live.server.received == []
    by_file = {row.claim_id("oews"): replace(row, vintage=None) for row in live.rows("oews")}
    assert taken(live, *files) == "unchanged"
    assert sorted((tmp_path / "files").iterdir()) == sorted(files)
    another = Live(live.server, Settings(home=tmp_path / "another", data=live.settings.data))
    serve(another)
    another.ask("oews")
    assert {row.claim_id("oews"): replace(row, vintage=None) for row in another.rows("oews")} == by_file


def test_files_from_a_folder_are_in_the_ledger_and_with_all_of_them_the_source_counts_as_read(
    live: Live, tmp_path: Path
) -> None:
    def is_read() -> bool:
        return any(
            each.last_success
            for each in freshness(live.settings, live.now)
            if each.source_id == "live-bls-oews-metros"
        )

    taken(live, *by_hand(tmp_path / "files", "ma"))
    ((snapshot, outcome),) = [
        (row["snapshot"], row["outcome"])
        for row in live.ledger.query("SELECT * FROM snapshot JOIN run USING (run_id)")
    ]
    assert (snapshot, outcome) == (live.manifest("oews")["snapshot"], "fine")
    ((answer),) = live.manifest("oews")["answers"]
    assert answer["url"] == "https://www.bls.gov/oes/special-requests/oesm25ma.zip"
    assert live.ledger.body(answer["sha256"]).is_file()
    assert not is_read()
    taken(live, *by_hand(tmp_path / "files", "nat", "st", "ma"))
    assert is_read()


def test_an_older_file_from_a_folder_joins_the_newer_figures(live: Live, tmp_path: Path) -> None:
    for year in (25, 23):
        assert taken(live, *by_hand(tmp_path / "files", "ma", year=year)) == "new"
    assert {period for *_, period in told(live)} == {"2023-05", "2025-05"}
    assert live.manifest("oews")["editions"] == {"live-bls-oews-metros": "2025-05"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>Access denied", "oesm25ma.zip cannot be read"),
        (packed(BOS_M2025_dl=workbook(METROS)), "oesm25ma.zip cannot be read .*no workbook"),
        (packed(MSA_M2025_dl=workbook(METROS[1:])), "oesm25ma.zip: the answers hold no figure"),
    ],
)
def test_a_file_from_a_folder_that_cannot_be_right_changes_nothing(
    content: bytes, words: str, live: Live, tmp_path: Path
) -> None:
    (file,) = by_hand(tmp_path / "files", "ma")
    taken(live, file)
    before = live.rows("oews")
    file.write_bytes(content)
    with pytest.raises(ImportRefusedError, match=words):
        taken(live, file)
    assert live.rows("oews") == before
    assert [row["outcome"] for row in live.ledger.query("SELECT * FROM run")] == ["fine", "failed"]


def test_an_archive_that_is_a_bomb_is_refused(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "RATIO_GRACE_BYTES", 1_000)
    file = tmp_path / "oesm25ma.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("oesm25ma/MSA_M2025_dl.xlsx", b"0" * 1_000_000)
    with pytest.raises(ImportRefusedError, match="unpacks to more than"):
        taken(live, file)


def test_real_files_do_not_join_figures_of_a_test_server(live: Live, tmp_path: Path) -> None:
    serve(live)
    live.ask("oews")
    with pytest.raises(ImportRefusedError, match="come from a test server"):
        taken(live, *by_hand(tmp_path / "files", "ma"))


def test_the_command_takes_such_files_and_others_apart(tmp_path: Path, raw: Path) -> None:
    files = by_hand(tmp_path / "files", "ma")
    done = run("import", "oews", tmp_path / "files")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "oews: 4 figures, as a refresh reads them. genai-atlas build makes the dashboard show them.\n"
    )
    assert run("import", "oews", *files).out.startswith("Unchanged: these figures are there.")
    again = run("import", "oews", *files, "--json")
    assert again.document == {"ok": True, "new": False, "source": "oews", "figures": 4}
    other = raw / "bls_oews" / "oews_2024_data_scientists_by_metro.csv"
    mixed = run("import", "oews", *files, other)
    assert mixed.code == 1
    assert "import them one after the other" in mixed.err
