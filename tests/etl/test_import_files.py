"""Which files an import takes: vintages, what lies beside the data, rows of several lines, small bombs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from etl import cli
from etl.errors import ImportRefusedError, TooManyBadRowsError
from etl.microdata import spool
from etl.salaries import ImportResult, import_files
from etl.settings import Settings
from etl.snapshots import CELLS, REJECTS, Store
from tests.etl.microdata_files import SHIPPED, raw, row, text

SURVEY = "ResponseId,DevType,Country,Employment,RemoteWork,ConvertedCompYearly\n"
SCHEMA = "qid,qname,question\nQ1,DevType,Which of these describes your job?\n"


def answers(count: int = 40, pay: int = 90_000) -> str:
    """A survey of so many respondents."""
    return SURVEY + "".join(f"{n},Data scientist,France,Employed,Remote,{pay + n}\n" for n in range(count))


def given(folder: Path, source: str, *paths: Path | str) -> ImportResult:
    return import_files(source, paths, Settings(home=folder / "home", data=SHIPPED))


def written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def archive(path: Path, **members: str) -> Path:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(f"{name}.csv", content)
    return written(path, packed.getvalue())


# --- vintages ---------------------------------------------------------------------------------------------

# No eight of these in a row stand there twice.
ROWS = [row(90_000 + 137 * n, title=f"Data Engineer {n % 7}") for n in range(400)]


@pytest.mark.parametrize("packed", [False, True], ids=["files", "members of an archive"])
def test_vintages_of_one_file_are_refused_together(packed: bool, tmp_path: Path) -> None:
    """Each holds the records of the one before, but for some that were withdrawn."""
    vintages = {
        "march": text(ROWS[:90]).decode(),
        "june": text([*ROWS[:40], *ROWS[45:200]]).decode(),
        "august": text([*ROWS[300:], *ROWS[:290]]).decode(),
    }
    if packed:
        folder = archive(tmp_path / "all.zip", **vintages)
    else:
        folder = tmp_path / "files"
        for name, content in vintages.items():
            written(folder / f"{name}.csv", content)
    with pytest.raises(
        ImportRefusedError, match=r"records of .*june\.csv, .*march\.csv stand in .*august\.csv"
    ):
        given(tmp_path, "aijobs", folder)
    assert not Store(tmp_path / "home").current()


def test_the_real_vintages_are_refused_together(tmp_path: Path) -> None:
    folder = raw("aijobs_salaries/salaries.csv.gz").parent
    with pytest.raises(ImportRefusedError, match=r"2025-06-22\.csv\.gz stand in salaries\.csv\.gz too"):
        given(tmp_path, "aijobs", folder)


def test_parts_of_one_file_are_taken_together(tmp_path: Path) -> None:
    """Records that repeat in another order are no vintage: a file cut in three, and one drawn from it."""
    for number in range(3):
        written(tmp_path / "parts" / f"{number}.csv", text(ROWS[133 * number : 133 * (number + 1)]))
    written(tmp_path / "parts" / "drawn.csv", text([ROWS[n * 149 % 400] for n in range(300)]))
    assert given(tmp_path, "aijobs", tmp_path / "parts").manifest["accepted"] == 399 + 300


def test_a_range_does_not_reach_into_the_next_member_of_an_archive(tmp_path: Path) -> None:
    lines = [text([*ROWS[:30], row(200_000)]).decode(), text([row(150_000), *ROWS[200:230]]).decode()]
    packed = archive(tmp_path / "two.zip", a=lines[0], b=lines[1])
    cells = given(tmp_path, "aijobs", packed).snapshot.folder / CELLS
    assert duckdb.execute(f"SELECT sum(paired_reports) FROM '{cells}'").fetchone() == (0,)


# --- what lies beside the data ----------------------------------------------------------------------------


def test_what_lies_beside_the_data_is_left_aside_and_named(tmp_path: Path) -> None:
    """The archive of the survey holds a description of the questions in every folder."""
    for year in (2023, 2025):
        written(tmp_path / f"archive/{year}/results.csv", answers(40, 90_000 + year))
        written(tmp_path / f"archive/{year}/schema.csv", SCHEMA)
    found = given(tmp_path, "stackoverflow", tmp_path / "archive/2023", tmp_path / "archive/2025").manifest
    assert (found["accepted"], found["left_aside"]) == (80, ["schema.csv"])


def test_members_of_an_archive_that_are_no_data_are_left_aside(tmp_path: Path) -> None:
    packed = archive(tmp_path / "survey-2024.zip", results=answers(), schema=SCHEMA)
    found = given(tmp_path, "stackoverflow", packed).manifest
    assert (found["accepted"], found["left_aside"]) == (40, ["survey-2024.zip/schema.csv"])


def test_a_file_that_was_named_or_has_most_columns_is_never_left_aside(tmp_path: Path) -> None:
    schema = written(tmp_path / "2024/schema.csv", SCHEMA)
    good = written(tmp_path / "2024/results.csv", answers())
    with pytest.raises(ImportRefusedError, match=r"schema\.csv is no file of the Stack Overflow"):
        given(tmp_path, "stackoverflow", good, schema)
    with pytest.raises(ImportRefusedError, match=r"schema\.csv is no file of the Stack Overflow"):
        given(tmp_path, "stackoverflow", archive(tmp_path / "2024.zip", schema=SCHEMA))
    schema.unlink()
    written(tmp_path / "2024/other.csv", answers().replace("ConvertedCompYearly", "Pay"))
    with pytest.raises(ImportRefusedError, match=r"other\.csv .*: it has no column ConvertedCompYearly"):
        given(tmp_path, "stackoverflow", tmp_path / "2024")


def test_all_files_that_cannot_be_used_are_named_at_once(tmp_path: Path) -> None:
    files = [
        written(tmp_path / "empty.csv", ""),
        written(tmp_path / "good.csv", text(ROWS)),
        written(tmp_path / "wrong.csv", "a,b\n1,2\n"),
        written(tmp_path / "cut.csv.gz", b"\x1f\x8b\x08\x00cut"),
    ]
    with pytest.raises(ImportRefusedError) as refused:
        given(tmp_path, "aijobs", *files)
    words = str(refused.value)
    assert [name in words for name in ("empty.csv", "good.csv", "wrong.csv", "cut.csv.gz")] == [
        True,
        False,
        True,
        True,
    ]
    many = [written(tmp_path / f"empty-{n}.csv", b"" if n else b"a\n") for n in range(8)]
    with pytest.raises(ImportRefusedError, match=r"empty-0\.csv is no file .* And 2 more\.$"):
        given(tmp_path, "aijobs", many[0], *[written(each, f"a{n}") for n, each in enumerate(many[1:7])])


# --- rows of several lines --------------------------------------------------------------------------------


def test_an_answer_of_several_lines_is_one_row(tmp_path: Path) -> None:
    """People press Enter in the boxes of a survey; a quote that is never closed still costs its line only."""
    sound = answers(80).splitlines()
    lines = [
        *sound[:6],
        '50,Data scientist,"',  # lines 7 to 9: one answer
        "France",
        '",Employed,Remote,71000',
        '51,Data scientist,"France,Employed,Remote,72000',
        '52,Data scientist,"France,Employed,Remote,73000',
        *sound[6:],
        "60,Data scientist,Atlantis,Employed,Remote,74000",
    ]
    result = given(tmp_path, "stackoverflow", written(tmp_path / "survey_2025.csv", "\n".join([*lines, ""])))
    assert (result.manifest["rows"], result.manifest["accepted"]) == (84, 81)
    told = duckdb.execute(f"SELECT line, reason FROM '{result.snapshot.folder / REJECTS}' ORDER BY line")
    assert told.fetchall() == [
        (10, "quote never closed"),
        (11, "quote never closed"),
        (len(lines), "unknown country"),
    ]
    cells = result.snapshot.folder / CELLS
    assert duckdb.execute(f"SELECT residence FROM '{cells}' WHERE salary_k = 71").fetchall() == [("FRA",)]


# --- bombs of many members, rejected rows of a refused import ---------------------------------------------


def test_an_archive_of_many_small_bombs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "RATIO_GRACE_BYTES", 1_000_000)
    members = {f"part{number}": text(ROWS).decode() + "0" * 900_000 for number in range(5)}
    packed = archive(tmp_path / "bombs.zip", **members)
    with pytest.raises(ImportRefusedError, match=r"bombs\.zip unpacks to more than"):
        given(tmp_path, "aijobs", packed)


def test_the_rejected_rows_of_a_refused_import_are_kept_until_one_is_taken(tmp_path: Path) -> None:
    bad = written(tmp_path / "bad.csv", text([*ROWS[:30], row(-1), row(10**12), row(1)]))
    with pytest.raises(
        TooManyBadRowsError, match=r"All of them stand in .*rejects.*aijobs\.parquet\.$"
    ) as told:
        given(tmp_path, "aijobs", bad)
    kept = tmp_path / "home" / "rejects" / "aijobs.parquet"
    assert str(kept) in str(told.value)
    assert duckdb.execute(f"SELECT line, reason FROM '{kept}' ORDER BY line").fetchall() == [
        (32, "negative pay"),
        (33, "pay above 5,000,000 USD a year"),
        (34, "pay below 1,000 USD a year"),
    ]
    given(tmp_path, "aijobs", written(tmp_path / "good.csv", text(ROWS)))
    assert not kept.exists()


# --- the bar ----------------------------------------------------------------------------------------------


def test_progress_is_told_in_bytes_and_never_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "PIECE_BYTES", 5_000)
    monkeypatch.setattr(spool, "_READ_BYTES", 1_000)
    files = [written(tmp_path / f"{n}.csv", text(ROWS[200 * n : 200 * (n + 1)])) for n in range(2)]
    told: list[tuple[int, int, str]] = []
    import_files(
        "aijobs", files, Settings(home=tmp_path / "home", data=SHIPPED), lambda *step: told.append(step)
    )
    total = sum(each.stat().st_size for each in files)
    assert {each for _, each, _ in told} == {total}
    done = [each for each, *_ in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, total)
    assert len(set(done)) > 6
    assert list(dict.fromkeys(words for *_, words in told)) == [
        "Comparing with what is there",
        "Reading 0.csv",
        "Reading 1.csv",
        "Checking the records",
        "Reducing the records to cells",
    ]


def test_the_bar_is_drawn_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_terminal in (True, False):
        shown = io.StringIO()
        monkeypatch.setattr(cli, "stderr", Console(file=shown, force_terminal=is_terminal, width=100))
        with cli.progress_bar() as report:
            report(546_000_000, 1_092_000_000, "Reading salaries.csv")
        assert ("Reading salaries.csv" in shown.getvalue()) == is_terminal
        assert ("0.5/1.1 GB" in shown.getvalue()) == is_terminal
