"""Small files of pay records for tests, and where the real ones are."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from etl.microdata.feeding import Feeding
from etl.microdata.vocabulary import Vocabulary
from etl.salaries import READERS, reduce_files
from etl.snapshots import CELLS, MANIFEST

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "data"
HEADER = (
    "work_year,experience_level,employment_type,job_title,salary,salary_currency,salary_in_usd,"
    "employee_residence,remote_ratio,company_location,company_size"
)
CELL_COLUMNS = (
    "year, role_id, title, experience, employment, residence, company_country, remote, company_size, "
    "salary_k, reports, paired_reports, postings"
)


def row(pay: object = 150_000, title: str = "AI Engineer", **other: object) -> str:
    """One line of an ai-jobs.net file."""
    cells: dict[str, object] = {
        "work_year": 2025,
        "experience_level": "SE",
        "employment_type": "FT",
        "job_title": title,
        "salary": pay,
        "salary_currency": "USD",
        "salary_in_usd": pay,
        "employee_residence": "US",
        "remote_ratio": 0,
        "company_location": "US",
        "company_size": "M",
    }
    assert other.keys() <= cells.keys()
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow({**cells, **other}.values())
    return line.getvalue()


def text(rows: Sequence[str]) -> bytes:
    """A file of these lines."""
    return "\n".join([HEADER, *rows, ""]).encode()


def reduced(folder: Path, *files: Path, source: str = "aijobs") -> list[tuple[object, ...]]:
    """The cells of these files."""
    target = folder / "reduced"
    target.mkdir()
    reduce_files(READERS[source], Feeding(files), Vocabulary(SHIPPED), target)
    return duckdb.execute(f"SELECT {CELL_COLUMNS} FROM '{target / CELLS}'").fetchall()


def raw(name: str) -> Path:
    """A real file; the test is skipped where it is not there."""
    folder = Path(os.environ.get("GENAI_ATLAS_RAW") or ROOT.parent / "shared" / "raw")
    if not (folder / name).is_file():
        pytest.skip(f"{name} is not in {folder}; GENAI_ATLAS_RAW names the folder of the raw files")
    return folder / name


__all__ = ["CELLS", "HEADER", "MANIFEST", "SHIPPED", "raw", "reduced", "row", "text"]
