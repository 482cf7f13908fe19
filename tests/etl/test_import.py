"""Importing files of pay records: packings, bad input, snapshots; what is refused changes nothing."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.errors import HomeError, ImportRefusedError, MisuseError
from etl.microdata import spool
from etl.salaries import ImportResult, import_files
from etl.settings import Settings
from etl.snapshots import REJECTS, ROWS, Store
from etl.warehouse import Home
from tests.etl.microdata_files import CELLS, HEADER, SHIPPED, reduced, row, text
from tests.etl.test_cli import run

ANSWERS = b"DevType,Country,Employment,RemoteWork,ConvertedCompYearly\n"
SOUND = [row(100_000 + 500 * number, title=f"Data Engineer {number % 7}") for number in range(60)]


def imported(
    folder: Path, content: bytes | None = None, *, name: str = "salaries.csv", source: str = "aijobs"
) -> ImportResult:
    """Import one file into the home of this test."""
    file = folder / name
    if content is not None:
        file.write_bytes(content)
    return import_files(source, [file], Settings(home=folder / "home", data=SHIPPED))


def rejects(result: ImportResult) -> list[tuple[object, ...]]:
    """(line, reason) of every rejected row."""
    return duckdb.execute(
        f"SELECT line, reason FROM '{result.snapshot.folder / REJECTS}' ORDER BY ALL"
    ).fetchall()


def nothing_is_there(folder: Path) -> bool:
    return not Store(folder / "home").current() and not list((folder / "home/snapshots").glob("[!u]*"))


# --- packings --------------------------------------------------------------------------------------------


def zipped(content: bytes, name: str = "salaries.csv") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.md", "not data")
        archive.writestr(name, content)
    return packed.getvalue()


def parquet(content: bytes, folder: Path) -> bytes:
    source, target = folder / "source.csv", folder / "target.parquet"
    source.write_bytes(content)
    duckdb.execute(f"COPY (FROM read_csv('{source}')) TO '{target}'")
    return target.read_bytes()


PACKINGS: dict[str, Callable[[bytes, Path], bytes]] = {
    "salaries.csv": lambda content, _: content,
    "salaries.csv.gz": lambda content, _: gzip.compress(content),
    "salaries.zip": lambda content, _: zipped(content),
    "salaries.parquet": parquet,
    "bom.csv": lambda content, _: b"\xef\xbb\xbf" + content,
    "crlf.csv": lambda content, _: content.replace(b"\n", b"\r\n"),
    "semicolons.csv": lambda content, _: content.replace(b",", b";"),
    "tabs.tsv": lambda content, _: content.replace(b",", b"\t"),
    "no-end.csv": lambda content, _: content.rstrip(b"\n"),
    "blank-lines.csv": lambda content, _: content.replace(b"\n", b"\n\n") + b"\n\n",
    "quoted.csv": lambda content, _: content.replace(b"Data Engineer 3", b'"Data Engineer 3"'),
    # The content decides, not the name.
    "gzip-without-suffix.csv": lambda content, _: gzip.compress(content),
}


@pytest.mark.parametrize("name", PACKINGS)
def test_every_packing_gives_the_same_cells(name: str, tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.csv", tmp_path / name
    plain.write_bytes(text(SOUND))
    packed.write_bytes(PACKINGS[name](text(SOUND), tmp_path))
    for each in ("one", "other"):
        (tmp_path / each).mkdir()
    assert reduced(tmp_path / "one", packed) == reduced(tmp_path / "other", plain)


def test_columns_may_stand_in_any_order_beside_others(tmp_path: Path) -> None:
    plain, mixed = tmp_path / "plain.csv", tmp_path / "mixed.csv"
    plain.write_bytes(text(SOUND))
    more = "SELECT company_size, 'x, y' AS extra, * EXCLUDE (company_size)"
    duckdb.execute(f"COPY ({more} FROM read_csv('{plain}')) TO '{mixed}'")
    for each in ("one", "other"):
        (tmp_path / each).mkdir()
    assert reduced(tmp_path / "one", mixed) == reduced(tmp_path / "other", plain)


def test_a_folder_and_a_pattern_name_their_files(tmp_path: Path) -> None:
    inside = tmp_path / "files" / "deeper"
    inside.mkdir(parents=True)
    for number in range(3):
        (inside / f"{number}.csv").write_bytes(text(SOUND[number::3]))
    (inside / "readme.md").write_text("not data")
    assert spool.expand([tmp_path / "files"]) == spool.expand([str(inside / "*.csv")])
    result = import_files("aijobs", [tmp_path / "files"], Settings(home=tmp_path / "home", data=SHIPPED))
    assert result.manifest["accepted"] == len(SOUND)
    assert [each["name"] for each in result.manifest["files"]] == ["0.csv", "1.csv", "2.csv"]


def test_pieces_of_a_file_give_what_the_whole_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A range whose two ends lie in two pieces is one all the same."""
    rows = [row(pay) for pay in (200_000, 150_000, 190_000, 140_000, 130_000) * 40]
    file = tmp_path / "salaries.csv"
    file.write_bytes(text(rows))
    for each in ("one", "other"):
        (tmp_path / each).mkdir()
    whole = reduced(tmp_path / "one", file)
    monkeypatch.setattr(spool, "PIECE_BYTES", 500)
    monkeypatch.setattr(spool, "_READ_BYTES", 77)
    assert reduced(tmp_path / "other", file) == whole


# --- bad input --------------------------------------------------------------------------------------------

BAD_ROWS = {
    "negative pay": row(-5),
    "pay below 1,000 USD a year": row(1),
    "pay above 5,000,000 USD a year": row(10**12),
    "pay is no number": row("a lot"),
    "unknown currency": row(salary_currency="XBT"),
    "unknown country": row(company_location="ZZ"),
    "unknown experience level": row(experience_level="XX"),
    "unknown kind of employment": row(employment_type="full"),
    "unknown share of remote work": row(remote_ratio=30),
    "unknown company size": row(company_size="XXL"),
    "year": row(work_year="last"),
    "no title": row(title=""),
    "title too long": row(title="x" * 300),
    "line too long": row(title="x" * 1_000_000),
    "quote never closed": row().replace("AI Engineer", '"AI Engineer'),
    "too many columns": row() + ",more",
    "missing columns": "2025,SE,FT",
}


@pytest.mark.parametrize("reason", BAD_ROWS)
def test_a_bad_row_is_counted_kept_with_its_reason_and_costs_no_other(reason: str, tmp_path: Path) -> None:
    result = imported(tmp_path, text([*SOUND[:20], BAD_ROWS[reason], *SOUND[20:]]))
    assert result.manifest["rejected"] == {reason: 1}
    assert (result.manifest["accepted"], result.manifest["rows"]) == (len(SOUND), len(SOUND) + 1)
    assert rejects(result) == [(22, reason)]


def test_bytes_of_another_encoding_cost_their_row(tmp_path: Path) -> None:
    bad = row(title="Ingénieur").encode("latin-1")
    content = (
        text(SOUND[:10])
        + bad
        + b"\n"
        + "\n".join(SOUND[10:]).encode()
        + b"\n"
        + row(title="Ingénieur IA").encode()
    )
    result = imported(tmp_path, content)
    assert result.manifest["rejected"] == {"not UTF-8": 1}
    assert rejects(result) == [(12, "not UTF-8")]
    assert result.manifest["accepted"] == len(SOUND) + 1


def test_many_bad_rows_name_their_lines(tmp_path: Path) -> None:
    """Lines are counted past other rejected ones, whoever put those aside."""
    sound = SOUND * 10
    kinds = list(BAD_ROWS.items())
    lines, expected = list(sound), []
    for number, (reason, bad) in enumerate(kinds):
        lines.insert(7 * number, bad)
        expected.append((7 * number + 2, reason))
    assert rejects(imported(tmp_path, text(lines))) == sorted(expected)


def test_up_to_a_twentieth_bad_is_published_and_more_is_not(tmp_path: Path) -> None:
    sound, bad = SOUND[:19] * 1, [row(-1)]
    assert imported(tmp_path, text([*sound, *bad]), name="ok.csv").manifest["rejected"] == {"negative pay": 1}
    before = Store(tmp_path / "home").current()
    with pytest.raises(
        ImportRefusedError, match=r"2 of 20 rows are bad, more than 5% \(negative pay: 2\).*line 20"
    ):
        imported(tmp_path, text([*sound[:18], *bad, *bad]), name="bad.csv")
    assert Store(tmp_path / "home").current() == before
    assert len(list((tmp_path / "home/snapshots").iterdir())) == 2


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "only a header": (HEADER.encode() + b"\n", "no usable row"),
    "wrong columns": (
        b"a,b,c\n1,2,3\n",
        r"is no file of ai-jobs.net salaries \(such files: https://.*\): it has no column work_year",
    ),
    "one column short": (text(SOUND).replace(b"salary_in_usd", b"pay"), "it has no column salary_in_usd"),
    "two of a name": (
        text(SOUND).replace(b"company_size", b"company_location"),
        "two columns of the same name",
    ),
    "no table at all": (b"<html>" + b"x" * 100_000, "is no table"),
    "utf-16": ("".join(text(SOUND).decode()).encode("utf-16"), "UTF-16"),
    "gzip cut in half": (gzip.compress(os.urandom(5_000))[:2_000], "damaged or incomplete"),
    "gzip with a flipped byte": (gzip.compress(text(SOUND))[:-6] + b"\x00\x01\x02\x03\x04\x05", "damaged"),
    "zip cut in half": (zipped(text(SOUND))[:300], "damaged or incomplete"),
    "zip without data": (zipped(b"x", "notes.doc"), "holds no CSV"),
    "parquet cut in half": (b"PAR1" + b"\x00" * 200, "damaged"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence_and_changes_nothing(
    what: str, tmp_path: Path
) -> None:
    content, message = REFUSED[what]
    with pytest.raises(ImportRefusedError, match=message):
        imported(tmp_path, content)
    assert nothing_is_there(tmp_path)


@pytest.mark.parametrize("pack", [gzip.compress, zipped], ids=["gzip", "zip"])
def test_a_bomb_is_refused_before_it_unpacks(
    pack: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "RATIO_GRACE_BYTES", 1_000_000)
    bomb = pack(text(SOUND) + b"0" * 30_000_000)
    with pytest.raises(ImportRefusedError, match="unpacks to more than"):
        imported(tmp_path, bomb)
    assert nothing_is_there(tmp_path)


def workbook(sheets: dict[str, list[list[object]]]) -> bytes:
    """A workbook with these sheets, as an agency would publish it."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for place, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    sheet.write(place, column, cell, date if isinstance(cell, datetime) else None)
    return made.getvalue()


OEWS_HEADER = (
    "AREA AREA_TITLE PRIM_STATE OCC_CODE OCC_TITLE TOT_EMP A_MEAN A_PCT10 A_PCT25 A_MEDIAN A_PCT75 A_PCT90"
)


def oews(rows: int = 40) -> bytes:
    wages: list[list[object]] = [list(OEWS_HEADER.split())]
    for number in range(rows):
        area = f"Area {number},\nNY"
        wages.append([number, area, "NY", "15-2051", "Data Scientists", 1_200 + number, 120_000.5, 70_000])
        wages[-1] += ["#" if number == 0 else 90_000, 110_000, 140_000, "*"]
    return workbook({"Notes": [["Field", "Description"]], "All data": wages})


@pytest.mark.parametrize(
    ("name", "pack"),
    [("MSA_M2024_dl.xlsx", None), ("oesm24ma.zip", "oesm24ma/MSA_M2024_dl.xlsx")],
    ids=["workbook", "workbook in a zip"],
)
def test_the_largest_sheet_of_a_workbook_is_read(name: str, pack: str | None, tmp_path: Path) -> None:
    content = zipped(oews(), pack) if pack else oews()
    result = imported(tmp_path, content, name=name, source="oews")
    assert (result.manifest["rows"], result.manifest["accepted"]) == (40, 40)
    first, *_ = duckdb.execute(
        "SELECT year, area, employees, mean_usd, p25_usd, median_usd, p90_usd "
        f"FROM '{result.snapshot.folder / ROWS}' ORDER BY employees"
    ).fetchall()
    assert first == (2024, "Area 0, NY", 1_200, 120_000.5, None, 110_000.0, None)


def test_wages_of_official_applications_keep_their_period(tmp_path: Path) -> None:
    header = ["CASE_STATUS", "DECISION_DATE", "SOC_TITLE", "PREVAILING_WAGE", "PW_UNIT_OF_PAY"]
    day = datetime(2024, 10, 1)  # noqa: DTZ001  # a workbook knows no time zones
    rows: list[list[object]] = [["Certified", day, "Data Scientists", 120_000, "Year"]] * 30
    rows += [
        ["Certified", day, "Data Scientists", 55.5, "Hour"],
        ["Denied", day, "Data Scientists", 90_000, "Year"],
    ]
    result = imported(
        tmp_path,
        workbook({"LCA": [list(header), *rows]}),
        name="LCA_Disclosure_Data_FY2025_Q1.xlsx",
        source="lca",
    )
    assert result.manifest["left_out"] == {"not certified": 1, "paid by the hour": 1}
    assert result.manifest["accepted"] == 30
    cells = duckdb.execute(
        f"SELECT year, salary_k, reports FROM '{result.snapshot.folder / CELLS}'"
    ).fetchall()
    assert cells == [(2024, 120, 30)]


def test_a_damaged_workbook_and_one_that_is_a_bomb_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    with pytest.raises(ImportRefusedError, match="damaged or incomplete"):
        imported(tmp_path, broken.getvalue(), name="wages_2024.xlsx", source="oews")
    monkeypatch.setattr(spool, "RATIO_GRACE_BYTES", 100)
    monkeypatch.setattr(spool, "MAX_RATIO", 2)
    with pytest.raises(ImportRefusedError, match="unpacks to more than"):
        imported(tmp_path, oews(3_000), name="wages_2024.xlsx", source="oews")
    assert nothing_is_there(tmp_path)


def test_the_same_answers_twice_are_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", data=SHIPPED)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(text(SOUND))
    with pytest.raises(ImportRefusedError, match=r"a\.csv and b\.csv are the same file"):
        import_files("aijobs", [tmp_path / "a.csv", tmp_path / "b.csv"], settings)
    for number, name in enumerate(("extract_2024.csv", "results_2024.csv")):
        (tmp_path / name).write_bytes(ANSWERS + b"Data scientist,France,," * number)
    with pytest.raises(
        ImportRefusedError,
        match=r"extract_2024\.csv and results_2024\.csv are both of 2024, so answers would",
    ):
        import_files(
            "stackoverflow", [tmp_path / "extract_2024.csv", tmp_path / "results_2024.csv"], settings
        )
    assert nothing_is_there(tmp_path)


def test_a_source_or_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match="There is no source 'nobody'; there are aijobs"):
        imported(tmp_path, text(SOUND), source="nobody")
    with pytest.raises(ImportRefusedError, match=r"gone\.csv names no file"):
        imported(tmp_path, name="gone.csv")
    with pytest.raises(ImportRefusedError, match=r"a\.csv, b\.csv name no file"):
        spool.expand(["a.csv", "b.csv"])


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(noise=st.binary(max_size=400))
def test_noise_never_breaks_the_import(noise: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever bytes stand in a file: its sound rows are taken, or it is refused with a reason."""
    folder = tmp_path_factory.mktemp("noise")
    try:
        result = imported(folder, text(SOUND) + noise + b"\n")
    except ImportRefusedError:
        assert nothing_is_there(folder)
        return
    assert result.manifest["accepted"] >= len(SOUND)
    assert result.manifest["accepted"] + sum(result.manifest["rejected"].values()) == result.manifest["rows"]


# --- snapshots --------------------------------------------------------------------------------------------


def test_the_same_files_a_second_time_change_nothing(tmp_path: Path) -> None:
    first = imported(tmp_path, text(SOUND))
    files = {path: path.stat().st_mtime_ns for path in first.snapshot.folder.iterdir()}
    again = imported(tmp_path)
    renamed = imported(tmp_path, text(SOUND), name="another-name.csv")
    assert (first.is_new, again.is_new, renamed.is_new) == (True, False, False)
    assert {path: path.stat().st_mtime_ns for path in again.snapshot.folder.iterdir()} == files


def test_another_edition_replaces_the_one_before_and_going_back_takes_no_work(tmp_path: Path) -> None:
    old = imported(tmp_path, text(SOUND[:30]), name="old.csv")
    new = imported(tmp_path, text(SOUND), name="new.csv")
    store = Store(tmp_path / "home")
    assert store.current()["aijobs"].folder == new.snapshot.folder != old.snapshot.folder
    assert not imported(tmp_path, name="old.csv").is_new
    assert store.current()["aijobs"].folder == old.snapshot.folder


def test_an_import_that_was_killed_leaves_the_old_snapshot_and_is_cleared_away(tmp_path: Path) -> None:
    first = imported(tmp_path, text(SOUND))
    leftover = tmp_path / "home/snapshots/unfinished-aijobs"
    leftover.mkdir()
    (leftover / CELLS).write_bytes(b"half")
    assert Store(tmp_path / "home").current()["aijobs"].folder == first.snapshot.folder
    imported(tmp_path, text(SOUND[:40]), name="next.csv")
    assert not leftover.exists()


def test_one_process_at_a_time_changes_a_home(tmp_path: Path) -> None:
    with Home(tmp_path / "home").writing(), pytest.raises(HomeError, match="Another process"):
        imported(tmp_path, text(SOUND))


def test_titles_that_few_share_are_kept_by_role_only(tmp_path: Path) -> None:
    rows = [row(title=f"AI Engineer for Project {number}") for number in range(9)]
    cells = reduced_of(tmp_path, [*rows, *[row(title="AI Engineer, Vision Team")] * 10, *SOUND])
    assert {(cell[1], cell[2]) for cell in cells if cell[1] == "role-ai-engineer"} == {
        ("role-ai-engineer", None),
        ("role-ai-engineer", "ai engineer, vision team"),
    }


def reduced_of(folder: Path, rows: list[str]) -> list[tuple[object, ...]]:
    file = folder / "file.csv"
    file.write_bytes(text(rows))
    return reduced(folder, file)


# --- the command ------------------------------------------------------------------------------------------


def test_the_command_tells_what_was_taken_and_what_not(tmp_path: Path) -> None:
    file = tmp_path / "salaries.csv"
    file.write_bytes(text([*SOUND, row(-1), *[row(title="Gardener")] * 12, row(title="Zookeeper")]))
    done = run("import", "aijobs", file)
    assert done.code == 0
    (snapshot,) = Store(Settings().home).current().values()
    assert done.out == "aijobs: 73 of 74 rows taken. genai-atlas build makes the dashboard show them.\n"
    assert done.err == (
        "1 row rejected: negative pay\n"
        f"The rejected rows, with file, line and reason: {snapshot.folder / REJECTS}\n"
        "13 rows without a known role, the title being unknown or missing; most often gardener (12)\n"
    )
    told = run("import", "aijobs", file, "--json")
    assert (told.code, told.document["new"], told.document["titles"]["unmapped"]) == (0, False, 13)
    (tmp_path / "schema.csv").write_bytes(b"a,b\n1,2\n")
    beside = run("import", "aijobs", tmp_path / "*.csv")
    assert beside.err.startswith("Left aside, being no file of the source: schema.csv\n")
    refused = run("import", "aijobs", tmp_path / "schema.csv", "--json")
    assert refused.code == 1
    assert "no column work_year" in refused.document["error"]
    assert run("import", "nobody", file).code == 2
