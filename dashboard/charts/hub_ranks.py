"""The ranking of cities by the reader's weights: which parts are known, and the range of each rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go
from pydantic import Field

from dashboard import theme
from dashboard.chart import Chart, Control, empty_figure, register
from dashboard.charts.hub_figures import COLUMNS, PlaceFilters, shown
from dashboard.charts.hub_ranking import PARTS, ranking
from dashboard.charts.marks import HOVER, records, spoken

MOST_CITIES = 20
HEIGHT = 660
Weight = Annotated[int, Field(ge=0, le=10)]


class RankingFilters(PlaceFilters):
    """What a good hub is: the reader's weights, and which cities compete."""

    w_startups: Annotated[Weight, Control("Weight of start-ups", is_primary=True)] = 5
    w_talent: Annotated[Weight, Control("Weight of talent", is_primary=True)] = 5
    w_funding: Annotated[Weight, Control("Weight of funding", is_primary=True)] = 5
    w_pay: Annotated[Weight, Control("Weight of pay", is_primary=True)] = 5
    w_cost: Annotated[Weight, Control("Weight of low prices", is_primary=True)] = 5
    compete: Annotated[
        Literal["world", "us"],
        Control(
            "Cities",
            labels={"world": "World", "us": "United States"},
            help="For cities of the United States alone there are lists of pay, talent and prices by "
            "metropolitan area that leave out the rest of the world.",
            is_primary=True,
        ),
    ] = "world"
    figures: Annotated[
        Literal["size", "order"],
        Control(
            "Points by",
            labels={"size": "Size", "order": "Order"},
            help="By size, a city's points are its figure against that of the leader of the list. By order, "
            "they are the part of the list's other cities that it is ahead of.",
        ),
    ] = "size"
    known: Annotated[
        Literal["2", "3", "4", "5"],
        Control(
            "Parts that must be known",
            labels={"2": "2", "3": "3", "4": "4", "5": "All"},
            help="Cities with figures in fewer of the five parts are not ranked.",
        ),
    ] = "3"


def ranked(frame: pd.DataFrame, filters: RankingFilters) -> pd.DataFrame:
    """The ranking of the frame's cities by the reader's weights, with their names."""
    weights = {part: getattr(filters, f"w_{part}") for part in PARTS}
    table = ranking(frame, weights, how=filters.figures, least=int(filters.known))
    names = frame.drop_duplicates("entity_id").set_index("entity_id")
    table = table.join(names[["place", "country", "country_id"]])
    clashes = table["place"].duplicated(keep=False)
    return table.assign(city=table["place"].where(~clashes, table["place"] + ", " + table["country"]))


def missing_parts(row: Any, filters: RankingFilters) -> list[str]:
    """The weighted parts in which a city has no figure."""
    return [
        name for part, name in PARTS.items() if getattr(filters, f"w_{part}") and pd.isna(getattr(row, part))
    ]


def span(low: float, high: float) -> str:
    """A range of ranks in words."""
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"


def _shown(table: pd.DataFrame, place: str) -> pd.DataFrame:
    """The best cities, and the chosen one if it comes later."""
    first = table.head(MOST_CITIES)
    return pd.concat([first, table.iloc[MOST_CITIES:].loc[lambda rest: rest.index == place]])


def _figure(frame: pd.DataFrame, filters: RankingFilters) -> go.Figure:
    table = ranked(frame, filters)
    if table.empty:
        return empty_figure()
    rows = _shown(table, filters.place)
    names = [_name(row, filters.place) for row in records(rows.reset_index())]
    claims = frame.drop_duplicates("entity_id").set_index("entity_id")["claim_id"]
    figure = go.Figure()
    _draw_parts(figure, frame, rows, names, filters)
    _draw_ranges(figure, rows, names, [claims[entity] for entity in rows.index], filters)
    figure.update_yaxes(
        categoryorder="array", categoryarray=names[::-1], range=[-0.7, len(names) - 0.4], showgrid=True
    )
    figure.update_layout(margin_t=58)
    return figure


def _name(row: Any, chosen: str) -> str:
    """Rank and name of a city; those of the chosen place stand out."""
    name = f"{row.rank:.0f}  {row.city}"
    return f"<b>{name}</b>" if chosen in {row.entity_id, row.country_id} else name


def _draw_parts(
    figure: go.Figure, frame: pd.DataFrame, rows: pd.DataFrame, names: Sequence[str], filters: RankingFilters
) -> None:
    """One column a part: the larger the disc, the more points; a cross where there is no figure."""
    used = [part for part in PARTS if getattr(filters, f"w_{part}")]
    cities = list(records(rows.reset_index()))
    behind: dict[tuple[str, str], list[Any]] = {}
    for row in records(frame[frame["entity_id"].isin(rows.index)]):
        behind.setdefault((row.entity_id, row.part), []).append(row)
    for x, part in enumerate(used):
        is_known = rows[part].notna()
        points = rows[part].fillna(0.0)
        figure.add_scatter(
            x=[x] * len(rows),
            y=list(names),
            mode="markers",
            name=PARTS[part],
            customdata=[_part_words(behind.get((row.entity_id, part)), row, part) for row in cities],
            hovertemplate=HOVER,
            marker={
                "size": [5 + 10 * value / 100 for value in points],
                "color": [
                    _tone(value) if known else theme.GREY
                    for value, known in zip(points, is_known, strict=True)
                ],
                "symbol": ["circle" if known else "x-thin" for known in is_known],
                "opacity": 1,
                "line": {"width": 1, "color": theme.GREY},
            },
        )
    figure.update_layout(
        xaxis={
            "domain": [0, 0.465],
            "tickvals": list(range(len(used))),
            "ticktext": [PARTS[part] for part in used],
            "side": "top",
            "tickangle": -40,
            "ticks": "",
            "zeroline": False,
            "range": [-0.6, len(used) - 0.4],
        }
    )


def _tone(value: float) -> str:
    return theme.SEQUENTIAL[min(int(value / 100 * len(theme.SEQUENTIAL)), len(theme.SEQUENTIAL) - 1)]


def _part_words(figures: Sequence[Any] | None, row: Any, part: str) -> list[str]:
    """The customdata of one disc: a claim behind it, the lists behind it, the city."""
    if figures is None:
        return ["", f"<b>{row.city}</b><br>{PARTS[part]}: no figure", row.entity_id]
    lists = [f"{shown(figure)} ({figure.list_label}, {spoken(figure.period)})" for figure in figures]
    text = "<br>".join(
        [f"<b>{row.city}</b>", f"{PARTS[part]}: {getattr(row, part):.0f} points, from", *lists]
    )
    return [figures[0].claim_id, text, row.entity_id]


def _draw_ranges(
    figure: go.Figure,
    rows: pd.DataFrame,
    names: Sequence[str],
    claims: Sequence[str],
    filters: RankingFilters,
) -> None:
    """The rank as a dot, its range under other weights as a band, its range without one source as a line."""
    for low, high, width, color, what in (
        ("low_weights", "high_weights", 9, theme.BAND, "weights"),
        ("low_sources", "high_sources", 2, theme.GREY, "sources"),
    ):
        xs: list[float | None] = []
        ys: list[str | None] = []
        for name, least, most in zip(names, rows[low], rows[high], strict=True):
            xs += [least, most, None]
            ys += [name, name, None]
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            name=what,
            line={"width": width, "color": color},
            hoverinfo="skip",
            xaxis="x2",
        )
    figure.add_scatter(
        x=rows["rank"],
        y=list(names),
        mode="markers",
        name="rank",
        customdata=[
            [claim, _rank_words(row, filters), row.entity_id]
            for claim, row in zip(claims, records(rows.reset_index()), strict=True)
        ],
        hovertemplate=HOVER,
        marker={"size": 9, "color": theme.BLUE},
        xaxis="x2",
    )
    worst = max(rows["high_weights"].max(), rows["high_sources"].max())
    step = 10 if worst > 12 else 5
    figure.update_layout(
        xaxis2={
            "domain": [0.495, 1],
            "anchor": "y",
            "title": "Rank",
            "range": [0.2, worst + 0.8],
            "tickvals": [1, *range(step, int(worst) + 1, step)],
            "tickangle": 0,
            "showgrid": True,
        }
    )


def _rank_words(row: Any, filters: RankingFilters) -> str:
    lines = [
        f"<b>{row.city}, {row.country}</b>",
        f"Rank {row.rank:.0f} with {row.total:.0f} points",
        f"Weights moved by ±50%: {span(row.low_weights, row.high_weights)}",
        f"One source left out: {span(row.low_sources, row.high_sources)}",
    ]
    if row.needs:
        lines.append(f"Not ranked without {', '.join(row.needs)}")
    if missing := missing_parts(row, filters):
        lines.append(f"No figure: {', '.join(missing).lower()}")
    return "<br>".join(lines)


def _takeaway(frame: pd.DataFrame, filters: RankingFilters) -> str:
    table = ranked(frame, filters)
    if table.empty:
        return "No city can be ranked: give one of the weights more than 0, or ask for fewer known parts."
    best: Any = table.iloc[0]
    can_lead = int((table[["low_weights", "low_sources"]].min(axis=1) == 1).sum())
    parts = sum(getattr(filters, f"w_{part}") > 0 for part in PARTS)
    complete = int((table["known"] == parts).sum())
    text = f"By these weights {best.city} comes first of {len(table)} cities"
    if can_lead == 1:
        text += ", and it stays first whichever weight moves by half and whichever source is left out."
    else:
        text += f"; {can_lead} can, once the weights move by up to half or one source is left out."
    text += f" {complete} of them have a figure in every part; what is missing is left out, never filled."
    chosen = frame.loc[frame["entity_id"] == filters.place, "place"]
    if len(chosen) and filters.place not in table.index:
        text += f" {chosen.iloc[0]} has figures in too few parts to be ranked."
    return text


hub_ranking = register(
    Chart(
        id="hub-ranking",
        topic="hubs",
        title="Which city comes first is up to you",
        question="Which city is the best hub by my own weights, and how sure is its rank?",
        reading="Left: the points of each part; the larger and lighter the disc, the nearer to the "
        "leader, a cross where no figure was found. Right: the dot is the rank, the band its "
        "range when every weight moves by half up or down, the line its range when any one source "
        "is left out. A part is the mean of its publishers, a rank the weighted mean of the "
        "known parts. Lists of the last five years count that name at least ten cities in three "
        "countries (of the United States: ten cities). Funding rests on the value of the AI "
        "unicorns; prices are those of the metropolitan area in the United States, of the whole "
        "country elsewhere.",
        filters=RankingFilters,
        sql="""
SELECT
    *,
    CASE part
        WHEN 'startups' THEN 'Start-ups'
        WHEN 'cost' THEN 'Low prices'
        ELSE upper(part[1]) || part[2:]
    END AS part_label
FROM hub_figure
WHERE place_kind = 'city' AND part IS NOT NULL AND age_years <= 4
    AND ($compete = 'world' OR country_id = 'USA')
WINDOW list AS (PARTITION BY list_id)
QUALIFY count(*) OVER list >= 10 AND ($compete = 'us' OR count(DISTINCT country_id) OVER list >= 3)
ORDER BY entity_id, part, list_id
""",
        figure=_figure,
        takeaway=_takeaway,
        columns={"part_label": "Part", **COLUMNS},
        height=HEIGHT,
    )
)
