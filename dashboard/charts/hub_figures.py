"""What all charts of the hubs share: the choice of a place, the words for a figure, the table's columns."""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd

from dashboard import theme
from dashboard.chart import Control, Filters
from dashboard.charts.marks import hover_text, spoken

HOME_PLACE = "san-francisco-us"
PRICES = "price-level"
_BOUNDS = {"at_least": "≥ ", "at_most": "≤ ", "about": "≈ "}
COLUMNS = {
    "place": "Place",
    "list_label": "List",
    "value": "Published value",
    "unit_label": "Unit",
    "shown_value": "Value compared",
    "shown_unit": "Unit compared",
    "period": "Year",
    "area": "Area described",
    "publisher": "Publisher",
    "published": "Published",
    "attribution": "How it was read",
    "url": "Address",
}


class PlaceFilters(Filters):
    """The city or country that a reader looks at."""

    place: Annotated[
        str,
        Control(
            "City or country",
            """
            SELECT
                entity_id,
                CASE place_kind WHEN 'city' THEN place || ', ' || country ELSE place END AS label
            FROM hub_figure
            GROUP BY entity_id, place, country, place_kind
            HAVING count(*) FILTER (list_id <> 'price-level') > 0
            ORDER BY place_kind, label
            """,
            is_primary=True,
            width=320,
        ),
    ] = HOME_PLACE


def amount(value: float, unit_id: str) -> str:
    """A figure in the unit of its metric; no published digit is lost."""
    if unit_id == "usd_bn":
        return theme.usd_bn(value)
    if unit_id == "usd_per_year":
        return f"${value:,.0f}"
    if unit_id == "rank":
        return f"no. {value:.0f}"
    return theme.exact(value) + ("%" if unit_id == "percent" else "")


def shown(row: Any) -> str:
    """The figure as it is compared: computed and converted values rounded, published ones with all digits."""
    value = row.shown_value
    if row.is_computed or pd.notna(row.rate_used):
        value = round(value, 1 if abs(value) < 1000 else 0)
    return _BOUNDS.get(str(row.bound), "") + amount(value, row.shown_unit_id)


def amount_with_unit(row: Any) -> str:
    """The figure as it is compared, with its unit in words where no symbol says it."""
    unit = "" if row.shown_unit_id in {"usd_bn", "usd_per_year", "percent", "rank"} else f" {row.shown_unit}"
    return shown(row) + unit


def measured(row: Any) -> str:
    """The figure, what it measures, when, for which area, and how it was converted."""
    lines = [f"{row.place}: <b>{amount_with_unit(row)}</b>", f"{row.measure}, {spoken(row.period)}"]
    if row.is_computed:
        lines.append(f"Computed: {theme.exact(row.value)} / {_rate(row)}")
    elif pd.notna(row.rate_used):
        lines.append(f"Published: {theme.exact(row.value)} {row.unit_label}, at {_rate(row)}")
    if row.area not in {"city", "country"}:
        lines.append(f"Describes: {row.area}")
    return "<br>".join(lines)


def _rate(row: Any) -> str:
    by = f", {row.rate_publisher}" if pd.notna(row.rate_publisher) else ""
    return f"{theme.exact(row.rate_used)} per US$ ({row.rate_year}{by})"


def hover(row: Any) -> str:
    """The whole text of a mark."""
    return hover_text(row, measured(row))


def counts_on_log(unit_id: str) -> bool:
    """Whether figures of this unit spread over orders of magnitude: counts and sums, not pay or shares."""
    return unit_id not in {
        "usd_per_year", "percent", "percentage_points", "us_100", "score", "points10", "times", "rank",
        "per_10k", "per_100k", "per_million", "unstated",
    }  # fmt: skip
