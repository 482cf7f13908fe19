"""What all charts over forecasts share: their filters, these in SQL, the headings of their tables."""

from __future__ import annotations

from typing import Annotated, Literal

from dashboard import theme
from dashboard.chart import Control, Filters

PUBLISHERS_SQL = "SELECT DISTINCT publisher FROM forecast_path ORDER BY publisher"
REGIONS_SQL = "SELECT DISTINCT entity_id, place FROM forecast_path ORDER BY entity_id <> 'world', place"

Market = Annotated[
    str,
    Control(
        "Market",
        'SELECT market_id, label FROM market ORDER BY "order"',
        help="Definitions differ from publisher to publisher: spending counts devices, software markets do "
        "not.",
        is_primary=True,
    ),
]
Repeats = Annotated[
    bool, Control("Include repeats", help="The same figures of the same firm, read on another page.")
]


class ForecastFilters(Filters):
    """What narrows every chart over forecasts."""

    market: Market = "generative_ai"
    publisher: Annotated[
        list[str], Control("Publisher", PUBLISHERS_SQL, is_primary=True, all_label="All publishers")
    ] = []
    attribution: Annotated[
        list[Literal["primary", "relayed", "inferred", "misquoted", "unnamed"]],
        Control(
            "Attribution",
            labels=theme.ATTRIBUTIONS,
            help="Where the figure was read, and how sure it is whose it is.",
            all_label="However it was read",
        ),
    ] = []
    published: Annotated[
        tuple[int, int] | None,
        Control(
            "Published",
            "SELECT min(published_year), max(published_year) FROM forecast_path",
            help="The year of publication; undated claims stay out once you narrow it.",
        ),
    ] = None
    target: Annotated[
        tuple[int, int] | None,
        Control(
            "Target year",
            "SELECT min(forecast_year), max(forecast_year) FROM forecast_path",
            help="The year that a forecast ends in.",
        ),
    ] = None
    repeats: Repeats = False


class PlacedFilters(ForecastFilters):
    """Forecasts of one place and segment; by default the whole market of the world."""

    region: Annotated[str, Control("Region", REGIONS_SQL, is_primary=True)] = "world"
    segment: Annotated[
        str,
        Control(
            "Segment",
            "SELECT '' AS value, 'Whole market' AS label UNION ALL "
            "(SELECT DISTINCT segment, upper(segment[1]) || segment[2:] FROM forecast_path "
            "WHERE segment IS NOT NULL ORDER BY segment)",
        ),
    ] = ""


# What the values of these filters mean in SQL.
NARROWED = """market_id = $market
    AND (len($publisher::VARCHAR[]) = 0 OR list_contains($publisher::VARCHAR[], publisher))
    AND (len($attribution::VARCHAR[]) = 0 OR list_contains($attribution::VARCHAR[], attribution))
    AND ($published_from IS NULL OR published_year BETWEEN $published_from AND $published_to)
    AND ($repeats OR NOT is_repeat)"""
TARGETED = "($target_from IS NULL OR forecast_year BETWEEN $target_from AND $target_to)"
PLACED = "entity_id = $region AND coalesce(segment, '') = $segment"
HAS_TARGET = "forecast_value_usd_bn IS NOT NULL"
WHOLE_WORLD = "is_whole_market AND entity_id = 'world'"


def select(rows: str, *conditions: str, order: str) -> str:
    """The statement for all rows that meet the conditions; values stand in it as parameters only."""
    return f"SELECT * FROM {rows} WHERE {' AND '.join(conditions)} ORDER BY {order}"  # noqa: S608  # constants only


PATH_COLUMNS = {
    "publisher": "Publisher",
    "edition": "Report",
    "published": "Published",
    "base_year": "Base year",
    "base_value_usd_bn": "Base (US$ bn)",
    "forecast_year": "Target year",
    "forecast_value_usd_bn": "Target (US$ bn)",
    "cagr_pct": "Stated growth (% a year)",
    "attribution": "How it was read",
    "url": "Address",
}
VALUE_COLUMNS = {
    "publisher": "Publisher",
    "edition": "Report",
    "published": "Published",
    "year": "Year",
    "value_usd_bn": "Value (US$ bn)",
    "role": "Part of the forecast",
    "attribution": "How it was read",
    "url": "Address",
}
