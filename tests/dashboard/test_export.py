"""What a reader takes away: rows that come back as they were, a page that needs nothing but itself."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import date
from html import escape
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from dashboard import theme
from dashboard.address import read_filters
from dashboard.chart import REGISTRY, Chart
from dashboard.export import MEDIA_TYPES, FormError, Selection, render, select
from dashboard.export.tables import METADATA_KEY
from dashboard.warehouse import Warehouse, view
from tests.dashboard.conftest import every_chart

ROOT = "https://atlas.example/"
# As text they start what a spreadsheet would run, open or fetch.
FORMULAS = ["=1+1", "=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"]  # noqa: RUF001


def selected(opened: Warehouse, chart_id: str, **asked: list[str]) -> Selection:
    chart = REGISTRY[chart_id]
    return select(opened, chart, read_filters(chart, asked), ROOT)


def read_csv(selection: Selection) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(selection, "csv").content.decode(), newline="")))


def workbook(selection: Selection) -> CalamineWorkbook:
    return CalamineWorkbook.from_filelike(io.BytesIO(render(selection, "xlsx").content))


def in_every_format(selection: Selection) -> tuple[list[dict[str, str]], Any, Any, CalamineWorkbook]:
    """The data formats, read back: CSV, JSON, Parquet, XLSX."""
    table = pq.read_table(io.BytesIO(render(selection, "parquet").content))
    return read_csv(selection), json.loads(render(selection, "json").content), table, workbook(selection)


def with_text(selection: Selection, texts: list[str]) -> Selection:
    """The same selection with other texts in the column of publishers."""
    frame = pd.concat([selection.frame.head(1)] * len(texts), ignore_index=True)
    return replace(selection, frame=frame.assign(publisher=texts))


@every_chart
def test_every_format_has_the_rows_that_the_page_draws_and_says_whose_they_are(
    opened: Warehouse, chart: Chart[Any]
) -> None:
    drawn = view(chart.id, chart.filters().model_dump_json(), "light")
    selection = select(opened, chart, chart.filters(), ROOT)
    pd.testing.assert_frame_equal(selection.frame, drawn.frame)
    assert selection.takeaway == drawn.takeaway
    assert json.loads(selection.figure("light").to_json()) == json.loads(drawn.figure.to_json())

    csv_rows, document, table, book = in_every_format(selection)
    check_metadata(selection, csv_rows, document, table, book)
    head, *lines = book.get_sheet_by_name("Rows").to_python()
    ids = list(drawn.frame["claim_id"])
    for back in ([row["claim_id"] for row in csv_rows], [line[0] for line in lines]):
        assert back == ids
    names = drawn.frame.columns
    backs = [
        pd.DataFrame(csv_rows, columns=names).replace("", None),
        pd.DataFrame(document["rows"], columns=names),
        table.to_pandas(),
    ]
    for name in (name for name in selection.headings if name in drawn.frame.select_dtypes("number").columns):
        values = pytest.approx(drawn.frame[name].astype(float).tolist(), nan_ok=True)
        assert [back[name].astype(float).tolist() for back in backs] == [values] * 3
        cells = [line[head.index(selection.headings[name])] for line in lines]
        assert all(isinstance(cell, (int, float)) or cell == "" for cell in cells)
        assert [float(str(cell) or "nan") for cell in cells] == values


def check_metadata(
    selection: Selection, csv_rows: Any, said: Any, table: Any, book: CalamineWorkbook
) -> None:
    """Every format names chart, filters, build, sources and terms."""
    chart, build_id = selection.chart, selection.build_id
    for row in csv_rows:
        assert row["licence"]
        assert row["cite_as"]
        assert "{" not in row["cite_as"]
        assert (row["chart"], row["build"], row["address"]) == (chart.title, build_id, selection.link)
        assert build_id in row["how_to_cite"]
    assert said["chart"]["id"] == chart.id
    assert said["chart"]["address"].startswith(ROOT)
    assert said["filters"].keys() == chart.filters.model_fields.keys()
    assert said["build"]["id"] == build_id
    assert {source["source_id"] for source in said["sources"]} == set(selection.frame["source_id"])
    for source in said["sources"]:
        assert source["url"].startswith("http")
        assert source["licence"]
        assert source["cite_as"]
    assert said["licence"]
    assert selection.link in said["how_to_cite"]
    assert {claim["claim_id"] for claim in said["claims"]} <= set(selection.frame["claim_id"])

    in_file = json.loads(table.schema.metadata[METADATA_KEY])
    assert in_file == {name: value for name, value in said.items() if name not in {"rows", "claims"}}

    about = {line[0]: line[1] for line in book.get_sheet_by_name("About").to_python()}
    assert about["Chart"] == chart.title
    assert build_id in str(about["Build"])
    assert about["How to cite"] == said["how_to_cite"]


def test_a_document_has_the_claims_behind_its_rows(opened: Warehouse) -> None:
    said = json.loads(render(selected(opened, "market-forecasts", publisher=["IDC"]), "json").content)
    assert {claim["claim_id"] for claim in said["claims"]} == {row["claim_id"] for row in said["rows"]}
    assert said["filters"]["publisher"] == ["IDC"]
    assert said["filters_in_words"] == "Publisher: IDC"


# --- spreadsheets ---------------------------------------------------------------------------------


def test_a_spreadsheet_runs_nothing(opened: Warehouse) -> None:
    selection = with_text(selected(opened, "market-forecasts"), FORMULAS)
    written = [row["publisher"] for row in read_csv(selection)]
    assert written == [f"'{text}" for text in FORMULAS]

    made = render(selection, "xlsx").content
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(made)).get_sheet_by_name("Rows").to_python()
    assert [line[sheet[0].index("Publisher")] for line in sheet[1:]] == FORMULAS
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if "worksheets/sheet" in name]
        assert not any("externalLink" in name for name in archive.namelist())
    assert len(sheets) == 3
    assert not any("<f>" in sheet or "<f " in sheet for sheet in sheets)


@given(st.text(min_size=1))
def test_no_text_at_all_starts_a_formula(text: str) -> None:
    from dashboard.export.tables import _harmless

    first = _harmless(text).lstrip()[:1]
    assert first not in set("=+-@＝＋－＠")  # noqa: RUF001
    assert _harmless(text).removeprefix("'") == text.removeprefix("'")


def test_days_are_days_and_the_rest_of_a_date_stays_text(opened: Warehouse) -> None:
    """A publication of 2024 was not published on the first of January."""
    selection = selected(opened, "market-forecasts")
    head, *lines = workbook(selection).get_sheet_by_name("Rows").to_python()
    cells = [line[head.index("Published")] for line in lines]
    published = selection.frame["published"]
    for cell, text in zip(cells, published, strict=True):
        if pd.isna(text):
            assert cell == ""
        else:
            assert cell == (date.fromisoformat(text) if len(text) == 10 else text)
    assert any(isinstance(cell, date) for cell in cells)


def test_addresses_of_sources_can_be_clicked(opened: Warehouse) -> None:
    made = render(selected(opened, "market-forecasts", publisher=["IDC"]), "xlsx").content
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        links = archive.read("xl/worksheets/_rels/sheet2.xml.rels").decode()
    assert "https://" in links


def test_the_same_selection_gives_the_same_file(opened: Warehouse) -> None:
    selection = selected(opened, "market-forecasts")
    for form in ("csv", "json", "xlsx", "parquet"):
        assert render(selection, form).content == render(selection, form).content


# --- names and formats ----------------------------------------------------------------------------


def test_the_name_of_a_file_tells_chart_filters_and_build(opened: Warehouse) -> None:
    made = render(selected(opened, "market-forecasts", publisher=["IDC"], published=["2023", "2024"]), "csv")
    build = opened.build_id
    assert made.file_name == f"genai-atlas-market-forecasts-publisher-idc-published-2023-2024-{build}.csv"
    assert made.media_type == MEDIA_TYPES["csv"]


@given(text=st.text(max_size=300))
def test_no_choice_makes_a_name_that_leaves_its_folder(text: str) -> None:
    from dashboard.export import file_stem
    from dashboard.pages import SourceFilters

    chart = replace(REGISTRY["market-forecasts"], filters=SourceFilters)
    stem = file_stem(chart, SourceFilters(find=text), "20261125T211553602Z-3d663c4fdd4b")
    assert re.fullmatch(r"[A-Za-z0-9-]{1,160}", stem)


def test_long_choices_that_differ_at_their_end_have_names_that_differ(opened: Warehouse) -> None:
    known = opened.query("SELECT DISTINCT publisher FROM forecast_path ORDER BY ALL LIMIT 12")["publisher"]
    one = selected(opened, "market-forecasts", publisher=list(known))
    other = selected(opened, "market-forecasts", publisher=list(known[:-1]))
    assert one.file_stem != other.file_stem


def test_a_format_that_does_not_exist_is_refused(opened: Warehouse) -> None:
    with pytest.raises(FormError, match=r"There is no format 'docx'; there are png, svg, .*"):
        render(selected(opened, "market-forecasts"), "docx")


@pytest.mark.parametrize(
    ("published", "read_on", "said"),
    [
        (["2024-05", "2021"], [None, None], "published 2021–2024"),
        (["2024-05", None], [None, None], "published 2024, 1 undated"),
        ([None, None], [None, None], "undated"),
        (["2024", None], [None, "2026-11-25"], "published 2024, 1 undated, read 2026-11-25"),
        ([None, None], ["2026-10-01", "2026-11-25"], "undated, read 2026-10-01 to 2026-11-25"),
    ],
)
def test_dates_tell_when_sources_were_published_and_when_live_ones_were_read(
    opened: Warehouse, published: list[str | None], read_on: list[str | None], said: str
) -> None:
    selection = selected(opened, "market-forecasts")
    sources = (
        selection.sources.head(2)
        .reset_index(drop=True)
        .assign(published=pd.Series(published), read_on=pd.Series(read_on))
    )
    changed = replace(selection, sources=sources)
    assert changed.dates() == said
    page = render(changed, "html").content.decode()
    assert all(f", read {day})" in page for day in read_on if day)


# --- the page -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("chart_id", ["market-forecasts", "market-arithmetic", "hub-map"])
def test_the_page_to_take_away_asks_for_nothing_from_the_network(
    opened: Warehouse, chart_id: str, mode: theme.Mode
) -> None:
    """All that it names are the addresses of sources, for readers to click on."""
    selection = selected(opened, chart_id)
    page = render(selection, "html", mode=mode).content.decode()
    assert not re.search(r"<(?:script|img|iframe|source|link)\b[^>]*\b(?:src|href)\s*=", page)
    assert "@import" not in page.split("<body>")[0]
    for url in selection.sources["url"].astype(str):
        assert f'<a href="{escape(url)}">' in page
    assert page.count("<li>") == len(selection.sources)
    for text in (selection.chart.title, selection.takeaway, *selection.publishers(), selection.dates()):
        assert escape(text) in page
    assert opened.build_id in page
    assert f'<a href="{escape(selection.link)}">' in page
    assert ('PlotlyGeoAssets={topojson:{"world' in page) == (chart_id == "hub-map")


def test_a_page_names_what_was_chosen(opened: Warehouse) -> None:
    page = render(selected(opened, "market-forecasts", publisher=["IDC"], scale=["linear"]), "html")
    assert "Shown: Publisher: IDC; " in page.content.decode()


def test_what_a_source_says_cannot_become_markup(opened: Warehouse) -> None:
    selection = selected(opened, "market-forecasts")
    sources = selection.sources.head(1).assign(publisher="<script>alert(1)</script>", title='"><b>')
    page = render(replace(selection, sources=sources, takeaway="</script><b>x"), "html").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&quot;&gt;&lt;b&gt;" in page
    assert "</script><b>x" not in page
