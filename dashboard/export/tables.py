"""The rows of a chart as CSV, XLSX, Parquet and JSON, each with what they are, whose and how to cite them.

A spreadsheet that opens them runs nothing: text that would be read as a formula is marked as text.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from dashboard import theme
from dashboard.charts.marks import records
from dashboard.export.selection import Selection

METADATA_KEY = b"genai_atlas"
LONGEST_LINK = 2079  # characters that Excel follows
WIDEST_COLUMN = 60  # characters
_DAY = re.compile(r"(?:19|20)\d\d-\d\d-\d\d")  # Excel knows no day before 1900
# What makes a spreadsheet take a text for a formula, the wide forms of East Asian keyboards included.
_FORMULA = re.compile(r"\s*[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001 - these very characters


def csv(selection: Selection) -> bytes:
    """The rows, each with its claim, its source and the terms of that, and the view they are of. UTF-8."""
    cards = selection.source_cards()[["source_id", "licence", "cite_as"]]
    rows = selection.rows.merge(cards, on="source_id", how="left")
    rows = rows.assign(
        chart=selection.chart.title,
        filters=selection.choice,
        build=selection.build_id,
        address=selection.link,
        how_to_cite=selection.cite(),
    )
    for name, column in rows.items():
        if not pd.api.types.is_numeric_dtype(column):
            rows[name] = [_harmless(value) for value in column]
    return rows.to_csv(index=False, lineterminator="\r\n").encode()


def parquet(selection: Selection) -> bytes:
    """The rows with their types; the metadata stand under `genai_atlas` in the schema, as JSON."""
    table = pa.Table.from_pandas(selection.rows, preserve_index=False)
    described = {**(table.schema.metadata or {}), METADATA_KEY: to_json(selection.metadata())}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(described), buffer, compression="zstd")
    return buffer.getvalue()


def as_json(selection: Selection) -> bytes:
    """One document: what it is, the rows, the claims behind them, their sources. UTF-8."""
    return to_json(
        {
            **selection.metadata(),
            "rows": plain_rows(selection.rows),
            "claims": plain_rows(selection.claims),
        }
    )


def xlsx(selection: Selection) -> bytes:
    """A workbook of three sheets: the rows under headings that people read, the sources, what it is."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, {**options, "default_date_format": "yyyy-mm-dd"}) as book:
        # The same content gives the same file.
        book.set_properties(
            {"title": selection.chart.title, "created": selection.built_at.replace(tzinfo=None)}
        )
        bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        rows = selection.rows
        if "attribution" in rows:
            rows = rows.assign(attribution=rows["attribution"].map(theme.ATTRIBUTIONS))
        _sheet(book.add_worksheet("Rows"), rows.rename(columns=selection.headings), bold)
        _sheet(book.add_worksheet("Sources"), selection.source_cards().rename(columns=_SOURCE_HEADINGS), bold)
        about = book.add_worksheet("About")
        about.set_column(0, 0, 16)
        about.set_column(1, 1, 110)
        for line, (label, text) in enumerate(_about(selection)):
            about.write_string(line, 0, label, bold)
            about.write_string(line, 1, text, wrap)
    return buffer.getvalue()


_SOURCE_HEADINGS = {
    "source_id": "Source",
    "publisher": "Publisher",
    "title": "Title",
    "published": "Published",
    "read_on": "Read on",
    "url": "Address",
    "carrier": "Read at",
    "read": "How it was read",
    "marks": "Rows from it",
    "licence": "Licence",
    "licence_url": "Terms",
    "cite_as": "Cite as",
}


def _about(selection: Selection) -> Iterable[tuple[str, str]]:
    yield "Chart", selection.chart.title
    yield "Question", selection.chart.question
    yield "Takeaway", selection.takeaway
    yield "How to read it", selection.chart.reading
    yield "Filters", selection.choice or "none"
    yield "Build", f"{selection.build_id} of {selection.built_on}"
    yield "Address", selection.link
    yield "Licence", selection.metadata()["licence"]
    yield "How to cite", selection.cite()


def _sheet(sheet: Worksheet, table: pd.DataFrame, bold: Any) -> None:
    """Write a table with a head that stays, columns that fit, and a filter on each."""
    for place, (heading, column) in enumerate(table.items()):
        sheet.write_string(0, place, str(heading), bold)
        lengths = [len(str(heading)) + 3]
        for line, value in enumerate(column, start=1):
            lengths.append(_cell(sheet, line, place, value))
        sheet.set_column(place, place, min(max(lengths), WIDEST_COLUMN))
    sheet.freeze_panes(1, 0)
    if len(table):
        sheet.autofilter(0, 0, len(table), len(table.columns) - 1)


def _cell(sheet: Worksheet, line: int, place: int, value: Any) -> int:
    """Write one value as what it is; returns how many characters it takes."""
    value = _plain(value)
    if value is None:
        return 0
    if isinstance(value, bool):
        sheet.write_boolean(line, place, value)
        return 5
    if isinstance(value, (int, float)):
        sheet.write_number(line, place, value)
        return len(f"{value:.15g}")
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    if _DAY.fullmatch(text):
        sheet.write_datetime(line, place, date.fromisoformat(text))
        return len(text)
    if re.match(r"https?://", text) and len(text) <= LONGEST_LINK:
        sheet.write_url(line, place, text, string=text)
    else:
        sheet.write_string(line, place, text)
    return len(text)


def _harmless(value: Any) -> Any:
    """A text that no spreadsheet takes for a formula: an apostrophe in front, as people write it there."""
    if isinstance(value, (list, np.ndarray)):
        value = "; ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as JSON knows them, by column; what is missing is None."""
    return [
        {name: _plain(value) for name, value in zip(frame.columns, row, strict=True)}
        for row in records(frame)
    ]


def _plain(value: Any) -> Any:
    """A value as Python and JSON know it; what is missing, or no number, is None."""
    if isinstance(value, np.ndarray):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list):
        return value
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat() if value == value.normalize() else value.isoformat()
    if value is None or pd.isna(value) or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value


def to_json(document: Any) -> bytes:
    """A document as it leaves: UTF-8, indented, no number that JSON does not know."""
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False, default=str).encode()
