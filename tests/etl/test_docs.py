"""What the documents say about the data is what is declared."""

from __future__ import annotations

from pathlib import Path

from etl.docs import data_page
from etl.package import read_package
from etl.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_about_the_data_is_up_to_date() -> None:
    written = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert written == data_page(read_package(Settings().data)), "run `make docs`"


def test_databases_that_may_not_be_passed_on_are_told_of() -> None:
    written = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert "Numbeo" in written
    assert "Levels.fyi" in written
