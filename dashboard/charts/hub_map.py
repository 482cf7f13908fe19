"""Hubs on a map, and what a salary is worth there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, register
from dashboard.charts.hub_figures import (
    COLUMNS,
    PRICES,
    PlaceFilters,
    amount,
    amount_with_unit,
    counts_on_log,
    hover,
    measured,
    shown,
)
from dashboard.charts.marks import HOVER, listed, records, spoken, title_above

LARGEST = 34  # pixels across of the largest bubble
SMALLEST = 5
MOST_NAMED = 6
MOST_MISSED = 4  # names of cities without a price level in the sentence
_LISTS = """
SELECT list_id, list_label || ' (' || count(*) || ' cities)' FROM hub_figure
WHERE place_kind = 'city' {} AND shown_unit_id <> 'rank' GROUP BY list_id, list_label HAVING count(*) >= {}
ORDER BY count(*) DESC, list_label
"""
_EXTENTS = {
    "world": ([-135, 180], [-50, 72]),
    "america": ([-128, -66], [22, 56]),
    "europe": ([-14, 42], [30, 63]),
    "asia": ([62, 148], [-8, 48]),
}


class MapFilters(PlaceFilters):
    """What the bubbles of the map show."""

    size: Annotated[
        str, Control("Size", _LISTS.format("AND list_id <> 'price-level'", 5), is_primary=True, width=280)
    ] = "y-combinator-start-ups-ai"
    colour: Annotated[str, Control("Colour", _LISTS.format("", 5), is_primary=True, width=280)] = PRICES
    zoom: Annotated[
        Literal["world", "america", "europe", "asia"],
        Control(
            "Part of the world",
            labels={"world": "World", "america": "North America", "europe": "Europe", "asia": "Asia"},
            is_primary=True,
        ),
    ] = "world"


def _map(frame: pd.DataFrame, filters: MapFilters) -> go.Figure:
    sizes = frame[frame["list_id"] == filters.size].set_index("entity_id")
    colours = frame[frame["list_id"] == filters.colour].set_index("entity_id")
    figure = go.Figure()
    _add_bubbles(figure, sizes, colours)
    _add_unsized(figure, colours[~colours.index.isin(sizes.index)])
    _add_names(figure, frame, sizes, filters)
    longitudes, latitudes = _EXTENTS[filters.zoom]
    figure.update_geos(
        scope="world",
        projection_type="natural earth" if filters.zoom == "world" else "equirectangular",
        lonaxis_range=longitudes,
        lataxis_range=latitudes,
        resolution=110,
        bgcolor="rgba(0,0,0,0)",
        showframe=False,
        showland=True,
        landcolor=theme.BAND,
        showocean=False,
        showlakes=False,
        showcountries=True,
        countrycolor=theme.FAINT,
        coastlinecolor=theme.FAINT,
    )
    title_above(figure, _size_title(sizes, filters))
    figure.update_layout(margin={"l": 0, "r": 0, "b": 0})
    return figure


def _size_title(sizes: pd.DataFrame, filters: MapFilters) -> str:
    """What the area of the bubbles stands for."""
    if sizes.empty:
        return "No city has a figure for the size"
    return f"Area of the bubbles: {sizes['list_label'].iloc[0]}"


def _at(rows: pd.DataFrame, **more: Any) -> dict[str, Any]:
    """Where the marks stand, and that clicking one does not fade the others."""
    return {
        "lat": rows["latitude"],
        "lon": rows["longitude"],
        "hovertemplate": HOVER,
        "unselected": {"marker": {"opacity": 0.9}},
        "selected": {"marker": {"opacity": 1}},
        **more,
    }


def _add_bubbles(figure: go.Figure, sizes: pd.DataFrame, colours: pd.DataFrame) -> None:
    """Cities with a figure for the size; grey where there is none for the colour."""
    if sizes.empty:
        return
    largest = max(float(sizes["shown_value"].max()), 1e-9)
    ordered = sizes.sort_values("shown_value", ascending=False)
    others = {row.entity_id: row for row in records(colours.reset_index())}
    has_colour = ordered.index.isin(colours.index)
    for is_coloured in (False, True):
        part = ordered[has_colour == is_coloured]
        if part.empty:
            continue
        marker: dict[str, Any] = {
            "size": part["shown_value"].clip(lower=0),
            "sizemode": "area",
            "sizeref": largest / LARGEST**2,
            "sizemin": SMALLEST,
            "opacity": 0.9,
            "line": {"width": 1, "color": theme.GREY},
            "color": "rgba(0,0,0,0)",
        }
        if is_coloured:
            marker |= _coloured(colours.loc[part.index], colours)
        figure.add_scattergeo(
            **_at(part, mode="markers", name="cities" if is_coloured else "no figure for the colour"),
            customdata=[
                [row.claim_id, _both(row, others), row.entity_id] for row in records(part.reset_index())
            ],
            marker=marker,
        )


def _both(row: Any, others: Mapping[str, Any]) -> str:
    """The text of a bubble: the figure of its size, then that of its colour."""
    if row.entity_id not in others:
        return f"{hover(row)}<br>No figure for the colour"
    other = others[row.entity_id]
    return hover(row) if other.claim_id == row.claim_id else f"{hover(row)}<br>{measured(other)}"


def _coloured(rows: pd.DataFrame, colours: pd.DataFrame) -> dict[str, Any]:
    """Marker colours along the ramp with a bar that explains them; counts and money on a log scale."""
    unit = colours["shown_unit_id"].iloc[0]
    values = colours["shown_value"]
    is_log = counts_on_log(unit) and float(values.min()) > 0 and values.max() / values.min() > 30
    scaled = [math.log10(value) for value in rows["shown_value"]] if is_log else list(rows["shown_value"])
    low, high = (float(values.min()), float(values.max()))
    ends = (math.log10(low), math.log10(high)) if is_log else (low, high)
    middle = sum(ends) / 2
    ticks = [low, 10**middle if is_log else middle, high] if high > low else [low]
    name = colours["list_label"].iloc[0] + (" (log scale)" if is_log else "")
    unit_name = "" if unit in {"usd_bn", "usd_per_year", "percent"} else f", {colours['shown_unit'].iloc[0]}"
    return {
        "color": scaled,
        "cmin": ends[0],
        "cmax": ends[1],
        "colorscale": list(theme.SEQUENTIAL),
        "colorbar": {
            "orientation": "h",
            "x": 0.5,
            "xanchor": "center",
            "y": 0,
            "yanchor": "top",
            "len": 0.6,
            "thickness": 8,
            "outlinewidth": 0,
            "title": {"text": name + unit_name, "side": "top", "font": {"size": 12}},
            "tickvals": [math.log10(tick) for tick in ticks] if is_log else ticks,
            "ticktext": [_rounded(tick, unit) for tick in ticks],
            "tickfont": {"size": 12},
            "ticks": "",
        },
    }


def _rounded(value: float, unit: str) -> str:
    digits = 2 - math.floor(math.log10(value)) if value > 0 else 0
    return amount(round(value, min(digits, 1)), unit)


def _add_unsized(figure: go.Figure, rows: pd.DataFrame) -> None:
    """Cities that have only a figure for the colour: small hollow diamonds."""
    if rows.empty:
        return
    figure.add_scattergeo(
        **_at(rows, mode="markers", name="no figure for the size"),
        customdata=[
            [row.claim_id, f"{hover(row)}<br>No figure for the size", row.entity_id]
            for row in rows.reset_index().itertuples()
        ],
        marker={
            "size": 6,
            "symbol": "diamond-open",
            "color": theme.GREY,
            "opacity": 0.9,
            "line": {"width": 1, "color": theme.GREY},
        },
    )


def _add_names(figure: go.Figure, frame: pd.DataFrame, sizes: pd.DataFrame, filters: MapFilters) -> None:
    """The names of the largest bubbles that are apart from each other, and a ring around the chosen city."""
    cities = frame.drop_duplicates("entity_id").set_index("entity_id")
    chosen = cities[cities.index == filters.place]
    if not chosen.empty:
        figure.add_scattergeo(
            lat=chosen["latitude"],
            lon=chosen["longitude"],
            mode="markers",
            name="chosen",
            hoverinfo="skip",
            marker={
                "size": LARGEST + 4,
                "symbol": "circle-open",
                "color": theme.VERMILION,
                "line": {"width": 2},
            },
        )
    largest = sizes.sort_values("shown_value", ascending=False).head(4 * MOST_NAMED)
    named = pd.concat([chosen, largest]).loc[lambda rows: ~rows.index.duplicated()]
    wide, high = (60, 13) if filters.zoom == "world" else (12, 4)
    kept: list[Any] = []
    for row in named.itertuples():
        is_free = all(
            abs(row.longitude - other.longitude) > wide or abs(row.latitude - other.latitude) > high
            for other in kept
        )
        if is_free and len(kept) < MOST_NAMED:
            kept.append(row)
    figure.add_scattergeo(
        lat=[row.latitude for row in kept],
        lon=[row.longitude for row in kept],
        mode="text",
        name="names",
        text=[f"<b>{row.place}</b>" if row.Index == filters.place else row.place for row in kept],
        # A name in the far west would run out of a narrow map.
        textposition=["bottom right" if row.longitude < -100 else "bottom center" for row in kept],
        textfont={"size": 12},
        hoverinfo="skip",
    )


def _map_takeaway(frame: pd.DataFrame, filters: MapFilters) -> str:
    sizes = frame[frame["list_id"] == filters.size].sort_values("shown_value", ascending=False)
    cities = frame["entity_id"].nunique()
    if sizes.empty:
        return f"No city of this choice has a figure for the size; {cities} have one for the colour."
    first: Any = next(records(sizes))
    both = int(sizes["entity_id"].isin(frame.loc[frame["list_id"] == filters.colour, "entity_id"]).sum())
    ties = int((sizes["shown_value"] == first.shown_value).sum())
    lead = f"{first.place} has the most" if ties == 1 else f"{ties} cities share the most"
    text = f"{first.measure} ({first.publisher}, {spoken(first.period)}): {lead}, {amount_with_unit(first)}"
    if ties == 1 and len(sizes) > 1:
        second: Any = list(records(sizes.head(2)))[1]
        text += f"; {second.place} follows with {shown(second)}"
    return f"{text}. {both} of its {len(sizes)} cities have a figure for the colour as well."


hub_map = register(
    Chart(
        id="hub-map",
        topic="hubs",
        title="Where the hubs are",
        question="Which cities have how much of what, and how does that go together?",
        reading="The area of a bubble is the figure chosen for the size, its colour the one chosen for "
        "the colour. Empty bubbles have no figure for the colour, small diamonds none for the "
        "size; a city without either is not drawn. Each list is one publisher's count and misses "
        "what its author did not look at. Clicking a city opens its profile; the table names "
        "every city.",
        filters=MapFilters,
        sql="""
SELECT * FROM hub_figure
WHERE place_kind = 'city' AND list_id IN ($size, $colour)
ORDER BY list_id <> $size, shown_value DESC, entity_id
""",
        figure=_map,
        takeaway=_map_takeaway,
        columns=COLUMNS,
        height=430,
    )
)


Paid = Annotated[str, Control("Pay", _LISTS.format("AND part = 'pay'", 5), is_primary=True, width=340)]
PAID = "average-salary-ai-roles-linkee"


class PayFilters(PlaceFilters):
    """Which pay is set against the prices."""

    paid: Paid = PAID


def _joined(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a city: its pay, its price level where known, and what the pay is worth at US prices."""
    pay = frame[frame["list_id"] != PRICES].set_index("entity_id")
    prices = frame[frame["list_id"] == PRICES].set_index("entity_id")["shown_value"]
    joined = pay.assign(level=prices.reindex(pay.index))
    return joined.assign(worth=100 * joined["shown_value"] / joined["level"])


def _cost_and_pay(frame: pd.DataFrame, filters: PayFilters) -> go.Figure:
    cities = _joined(frame)
    prices = frame[frame["list_id"] == PRICES].set_index("entity_id")
    placed = cities[cities["level"].notna()].sort_values("worth")
    figure = go.Figure()
    top = float(cities["shown_value"].max()) * 1.12
    right = max(float(placed["level"].max()) if len(placed) else 0, 100) * 1.1
    _add_worth_lines(figure, top, right)
    named = _named(placed, filters.place)
    for is_country, symbol, words in (
        (False, "circle", "prices of the metropolitan area"),
        (True, "diamond-open", "prices of the whole country"),
    ):
        of_country = prices["is_computed"].reindex(placed.index)
        rows = placed[of_country == is_country]
        if rows.empty:
            continue
        figure.add_scatter(
            x=rows["level"],
            y=rows["shown_value"],
            mode="markers+text",
            name=words,
            text=[name if entity in named else "" for entity, name in rows["place"].items()],
            textposition=[_side(row, placed, top, right) for row in records(rows)],
            textfont={"size": 12},
            cliponaxis=False,
            customdata=[
                [row.claim_id, _worth_words(row, prices.loc[row.entity_id]), row.entity_id]
                for row in records(rows.reset_index())
            ],
            hovertemplate=HOVER,
            marker={
                "symbol": symbol,
                "size": [13 if entity == filters.place else 10 for entity in rows.index],
                "color": [
                    theme.VERMILION if entity == filters.place else theme.BLUE for entity in rows.index
                ],
                "line": {"width": 2},
            },
        )
    figure.update_xaxes(title="Price level, United States = 100", range=[0, right], tickangle=0)
    figure.update_yaxes(range=[0, top], tickprefix="$", tickformat="~s")
    title_above(figure, "Pay, US$ a year; dotted: the same worth at US prices")
    figure.update_layout(margin_r=48)
    if not len(placed):
        figure.add_annotation(
            text="No price level is known for these cities",
            showarrow=False,
            xref="paper",
            yref="paper",
            x=0.5,
            y=0.5,
        )
    return figure


def _side(row: Any, placed: pd.DataFrame, top: float, right: float) -> str:
    """Where the name of a city stands: above its mark, or below if another mark is close above."""
    above = (placed["shown_value"] - row.shown_value) / top
    beside = (placed["level"] - row.level).abs() / right
    is_crowded = ((above > 0) & (above < 0.07) & (beside < 0.16)).any()
    return "bottom center" if is_crowded else "top center"


def _named(placed: pd.DataFrame, chosen: str) -> set[str]:
    """All cities where they are few; else the best and the worst by worth and by pay, and the chosen one."""
    if len(placed) <= 12:
        return set(placed.index)
    paid = placed.sort_values("shown_value").index
    return {*placed.index[:2], *placed.index[-2:], *paid[:1], *paid[-2:], chosen}


def _add_worth_lines(figure: go.Figure, top: float, right: float) -> None:
    """Lines along which pay buys the same, labelled with what it is worth at average US prices."""
    for worth in (50_000, 100_000, 150_000, 200_000):
        end = min(right, 100 * top / worth)
        figure.add_scatter(
            x=[0, end],
            y=[0, worth * end / 100],
            mode="lines",
            name="same worth",
            line={"width": 1, "color": theme.FAINT, "dash": "dot"},
            hoverinfo="skip",
        )
        is_at_top = end < right
        figure.add_annotation(
            x=end,
            y=worth * end / 100,
            text=f"${worth // 1000}k",
            showarrow=False,
            xanchor="center" if is_at_top else "left",
            yanchor="bottom" if is_at_top else "middle",
            font={"color": theme.GREY},
        )


def _worth_words(row: Any, price: pd.Series) -> str:
    return "<br>".join(
        [
            hover(row),
            f"Price level {shown(price)} ({price['area']}, {spoken(price['period'])}, {price['publisher']})",
            f"Computed: worth ${row.worth:,.0f} at average prices of the United States",
        ]
    )


def _cost_takeaway(frame: pd.DataFrame, filters: PayFilters) -> str:
    cities = _joined(frame)
    placed = cities[cities["level"].notna()].sort_values("worth")
    without = sorted(cities.loc[cities["level"].isna(), "place"])
    rest = [f"{len(without) - MOST_MISSED} more"] if len(without) > MOST_MISSED else []
    names = listed([*without[:MOST_MISSED], *rest])
    missing = f" No price level is known for {names}." if without else ""
    if placed.empty:
        return f"{cities['list_label'].iloc[0]}: {len(cities)} cities.{missing}"
    best, top = placed.iloc[-1], placed.sort_values("shown_value").iloc[-1]
    text = (
        f"{cities['list_label'].iloc[0]}: {top['place']} pays the most, ${top['shown_value']:,.0f}"
        f"{', among cities with a known price level' if without else ''}"
    )
    if best.name == top.name:
        text += f", and stays first at its price level: worth ${best['worth']:,.0f} at US prices."
    else:
        text += (
            f"; at local prices {best['place']} comes first, where ${best['shown_value']:,.0f} buy what "
            f"${best['worth']:,.0f} do at US prices."
        )
    return text + missing


cost_and_pay = register(
    Chart(
        id="hub-cost-and-pay",
        topic="hubs",
        title="What pay is worth at local prices",
        question="Where does a salary go furthest?",
        reading="Up: pay as published. To the right: dearer. Along a dotted line pay buys the same: as "
        "much as the amount at its end does at average prices of the United States. Discs: the "
        "price level of the metropolitan area (US Bureau of Economic Analysis). Hollow diamonds: "
        "that of the whole country, computed from the World Bank's purchasing power parity and an "
        "exchange rate of that year or a neighbouring one; a big city is dearer than its "
        "country. Taxes are not in it.",
        filters=PayFilters,
        sql="""
WITH paid AS (SELECT * FROM hub_figure WHERE place_kind = 'city' AND list_id = $paid AND part = 'pay')
SELECT * FROM paid
UNION ALL
SELECT * FROM hub_figure WHERE list_id = 'price-level' AND entity_id IN (SELECT entity_id FROM paid)
ORDER BY list_id = 'price-level', shown_value DESC, entity_id
""",
        figure=_cost_and_pay,
        takeaway=_cost_takeaway,
        columns=COLUMNS,
        height=620,
    )
)
