"""Workforce: how many people are said to work in AI, where, who asks for them, who moves and who hires."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go
from pydantic import Field

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    AXES_HEIGHT,
    HOVER,
    EndLabel,
    capitalised,
    counted,
    hover_data,
    label_line_ends,
    records,
    title_above,
    wrapped,
    year_axis,
)
from dashboard.charts.rows import (
    Block,
    Ranking,
    about,
    column_titles,
    hover_rows,
    people,
    place_hues,
    ranked_bars,
    short,
    stack,
)

Places = Annotated[
    list[str],
    Control(
        "Places to point out",
        "SELECT DISTINCT entity_id, place FROM observation_figure "
        "WHERE topic IN ('workforce', 'adoption') AND place_kind IN ('world', 'region', 'country') AND NOT is_repeat "
        "ORDER BY place",
        help="They keep their colour; all others turn grey.",
        is_primary=True,
        all_label="None in particular",
    ),
]
Years = Annotated[
    tuple[int, int] | None,
    Control(
        "Years",
        "SELECT min(year), max(year) FROM observation_figure WHERE topic IN ('workforce', 'adoption')",
        is_primary=True,
    ),
]
IN_YEARS = "($years_from IS NULL OR year BETWEEN $years_from AND $years_to)"


class WorkforceFilters(Filters):
    """Filters that all charts of the page understand."""

    places: Places = []
    years: Years = None


def is_faint(entity: str, places: Sequence[str], present: Sequence[str]) -> bool:
    """Whether a place steps back because the reader points out others that are there."""
    return bool(set(places) & set(present)) and entity not in places


def missing_note(frame: pd.DataFrame, places: Sequence[str], names: dict[str, str] | None = None) -> str:
    """A sentence on chosen places without a figure here, or nothing."""
    absent = [place for place in places if place not in set(frame["entity_id"])]
    return f" No figure for {counted(len(absent), 'place')} of your choice." if absent else ""


# --- workforce-total -----------------------------------------------------------------------------------------------

TOTAL_HEIGHT = 800
_TOTAL_SQL = f"""
SELECT figure.*, metric.definition, place_rank
FROM observation_figure AS figure
JOIN metric USING (metric_id)
LEFT JOIN place_rank USING (entity_id)
WHERE figure.topic = 'workforce' AND NOT is_repeat AND place_kind IN ('world', 'region', 'country')
    AND metric_id IN (
        'genai_professionals', 'ai_professionals', 'ai_workers', 'ai_talent_pool', 'ai_authors_and_inventors',
        'occupation_employment', 'software_developer_population'
    )
    AND (metric_id <> 'occupation_employment' OR place_kind = 'country')
    AND {IN_YEARS}
ORDER BY
    max(value) OVER (PARTITION BY metric_id) DESC, metric_id,
    max(value) OVER (PARTITION BY metric_id, publisher, entity_id, segment) DESC, entity_id, segment, period, claim_id
"""  # noqa: S608  # constants only


def _total_words(row: Any) -> str:
    """What a head count says, for the hover."""
    part = "" if pd.isna(row.segment) else f", {row.segment}"
    expected = ", forecast" if row.status == "forecast" else ""
    return about(
        f"{row.metric_label}{part}: {theme.exact(row.value)}, {row.place}, {row.period}{expected}", row.note
    )


def _total_label(row: Any) -> str:
    part = "" if pd.isna(row.segment) else f", {row.segment}"
    return wrapped(f"{row.place} {row.year}{part}: {people(row.value)}", 26)


def _total_blocks(frame: pd.DataFrame) -> list[Block]:
    """One block a metric; one row a line of figures: same publisher, place and part."""
    blocks = []
    for label, metric in frame.groupby("metric_label", sort=False):
        lines = [
            group
            for _, group in metric.groupby(["publisher", "entity_id", "segment"], sort=False, dropna=False)
        ]
        who = " and ".join(dict.fromkeys(metric["publisher"]))
        note = wrapped(metric["definition"].iloc[0], 58).split("<br>")
        heights = [20 + 15 * _total_label(list(records(line))[-1]).count("<br>") for line in lines]
        blocks.append(Block(wrapped(f"{label}, {who}", 52), note, lines, heights))
    return blocks


def _total(frame: pd.DataFrame, filters: WorkforceFilters) -> go.Figure:
    figure = go.Figure()
    blocks = _total_blocks(frame)
    middles = stack(figure, blocks, TOTAL_HEIGHT - AXES_HEIGHT)
    low, high = math.log10(frame["value"].min()) - 0.25, math.log10(frame["value"].max()) + 0.25
    present = list(frame["entity_id"])
    hues = place_hues(frame, sorted(set(present)))
    for (block, line), y in middles.items():
        rows = list(records(blocks[block].rows[line]))
        color = (
            theme.GREY if is_faint(rows[0].entity_id, filters.places, present) else hues[rows[0].entity_id]
        )
        _total_line(figure, rows, y, color, (low + high) / 2)
    powers = range(math.floor(low), math.ceil(high) + 1)
    figure.update_xaxes(
        type="log",
        range=[low, high],
        tickvals=[10.0**power for power in powers],
        ticktext=[people(10.0**power) if power >= 0 else "" for power in powers],
        showgrid=True,
    )
    title_above(figure, "People (log scale)")
    return figure


def _total_line(figure: go.Figure, rows: list[Any], y: float, color: str, middle: float) -> None:
    """The figures of one publisher for one place, oldest to newest; the newest is written out."""
    figure.add_scatter(
        x=[row.value for row in rows],
        y=[y] * len(rows),
        mode="lines+markers",
        name=rows[0].place,
        customdata=hover_rows(rows, _total_words),
        hovertemplate=HOVER,
        line={"color": color, "width": 1},
        marker={
            "color": color,
            "size": [7] * (len(rows) - 1) + [11],
            "symbol": ["circle-open" if row.status == "forecast" else "circle" for row in rows],
            "line": {"width": 2, "color": color},
        },
    )
    values = [math.log10(row.value) for row in rows]
    is_left = max(values) < middle
    figure.add_annotation(
        x=max(values) if is_left else min(values),
        y=y,
        text=_total_label(rows[-1]),
        showarrow=False,
        xanchor="left" if is_left else "right",
        xshift=9 if is_left else -9,
        align="left" if is_left else "right",
        font={"color": color},
    )


def _total_takeaway(frame: pd.DataFrame, filters: WorkforceFilters) -> str:
    worldwide = frame[
        (frame["entity_id"] == "world") & (frame["metric_id"] != "software_developer_population")
    ]
    if worldwide["metric_id"].nunique() < 2:
        top = max(records(frame), key=lambda row: float(row.value))
        return (
            f"{counted(len(frame), 'figure')} under {counted(frame['metric_id'].nunique(), 'definition')}; the "
            f"largest is {people(top.value)}: {top.metric_label.lower()}, {top.place}, {top.year} ({top.publisher})."
        ) + missing_note(frame, filters.places)
    newest = worldwide.sort_values("period").groupby("metric_id").tail(1).sort_values("value")
    small, large = list(records(newest))[0], list(records(newest))[-1]
    ratio = theme.times(large.value / small.value)
    return (
        f"For the world, {large.publisher} says {people(large.value)} ({large.year}) and {small.publisher} "
        f"{people(small.value)} ({small.year}), {ratio} times fewer: they do not count the same people."
    ) + missing_note(frame, filters.places)


total = register(
    Chart(
        id="workforce-total",
        topic="workforce",
        title="How many people work in AI",
        question="How many people are said to work in AI, by whose definition?",
        reading="Each block is one definition, each row the figures of one publisher for one place; the large mark is the newest "
        "and is written out, small marks are earlier years or steps of a forecast. Hollow marks are forecasts. Figures under "
        "different definitions count different people and do not add up.",
        filters=WorkforceFilters,
        sql=_TOTAL_SQL,
        figure=_total,
        takeaway=_total_takeaway,
        columns=column_titles(segment="Occupation or part", definition="Definition"),
        height=TOTAL_HEIGHT,
    )
)

# --- workforce-by-country --------------------------------------------------------------------------------------------

MAP_HEIGHT = 720
MOST_BARS = 14


class ByCountryFilters(Filters):
    """Filters of the map: one measure by one publisher, up to one year."""

    places: Places = []
    measure: Annotated[
        str,
        Control(
            "Measure",
            "SELECT DISTINCT measure, measure_label FROM workforce_by_country WHERE measure_countries >= 3 "
            "ORDER BY measure_label",
            help="One metric by one publisher: only its figures can be compared with each other.",
            is_primary=True,
        ),
    ] = "ai_talent_pool.Bain & Company"
    per: Annotated[
        Literal["absolute", "million"],
        Control(
            "Counts",
            labels={"absolute": "Absolute", "million": "Per million people"},
            help="Shares and ratios stay as they are.",
            is_primary=True,
        ),
    ] = "absolute"
    asof: Annotated[int, Field(ge=2014, le=2030), Control("Newest figure up to", is_primary=True)] = 2027


_BY_COUNTRY_SQL = """
SELECT country.*, place_rank, CASE WHEN $per = 'million' THEN coalesce(per_million, value) ELSE value END AS shown
FROM workforce_by_country AS country
LEFT JOIN place_rank USING (entity_id)
WHERE measure = $measure AND year <= $asof
QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY year DESC, period DESC, published DESC, claim_id) = 1
ORDER BY shown DESC, place
"""


def _is_per_million(row: Any, per: str) -> bool:
    return per == "million" and pd.notna(row.per_million)


def _unit(row: Any, per: str) -> str:
    """The unit of what is shown, for the axis."""
    unit = row.unit_label if row.metric_id != "net_inflow_ai_researchers" else "unit not printed"
    return f"{unit} per million people, computed" if _is_per_million(row, per) else str(unit)


def _amount(row: Any, per: str) -> str:
    if row.unit_id == "percent":
        return f"{short(row.shown)}%"
    return short(row.shown) if _is_per_million(row, per) else people(row.shown)


def _by_country_words(row: Any, per: str) -> str:
    expected = ", forecast" if row.status == "forecast" else ""
    words = f"{row.place}, {row.period}{expected}: {theme.exact(row.value)} {row.unit_label}"
    if _is_per_million(row, per):
        words += (
            f"<br>{row.per_million:,.0f} per million people, computed with {row.population_used:,.0f} people in "
            f"{row.population_year}"
        )
    return about(words, row.note)


def _by_country(frame: pd.DataFrame, filters: ByCountryFilters) -> go.Figure:
    order = frame.sort_values("entity_id", key=lambda e: ~e.isin(filters.places), kind="stable")
    listed = frame[frame["entity_id"].isin(order["entity_id"].head(MOST_BARS))]
    scale = _map_scale()
    top, least = float(frame["shown"].max()), min(float(frame["shown"].min()), 0.0)
    first = next(records(frame))

    def color(row: Any) -> str:
        return shade((row.shown - least) / ((top - least) or 1.0))

    figure = ranked_bars(
        listed,
        Ranking(
            value="shown",
            label=lambda row: f"<b>{row.place}</b>" if row.entity_id in filters.places else row.place,
            text=lambda row: (
                f"{_amount(row, filters.per)} ({row.period}{', forecast' if row.status == 'forecast' else ''})"
            ),
            words=lambda row: _by_country_words(row, filters.per),
            title=f"{first.metric_label}, {_unit(first, filters.per)}",
            color=color,
            most=MOST_BARS,
        ),
    )
    figure.add_choropleth(
        locations=frame["entity_id"],
        z=frame["shown"],
        zmin=least,
        zmax=top or 1.0,
        colorscale=scale,
        showscale=False,
        name="countries",
        customdata=hover_data(frame, lambda row: _by_country_words(row, filters.per)),
        hovertemplate=HOVER,
        marker={
            "line": {
                "color": [theme.VERMILION if e in filters.places else theme.GREY for e in frame["entity_id"]],
                "width": [2.0 if e in filters.places else 0.5 for e in frame["entity_id"]],
            }
        },
    )
    world_geo(figure, (0.56, 1.0))
    figure.update_yaxes(domain=[0.0, 0.5])
    return figure


def _map_scale() -> list[list[Any]]:
    """The sequential ramp from low (light) to high (dark), without the end that vanishes on a dark page."""
    colors = theme.SEQUENTIAL[:0:-1]
    return [[i / (len(colors) - 1), color] for i, color in enumerate(colors)]


def shade(part: float) -> str:
    """The colour of the map at a part of its range, between 0 and 1."""
    colors = theme.SEQUENTIAL[:0:-1]
    return colors[round(min(max(part, 0.0), 1.0) * (len(colors) - 1))]


def world_geo(figure: go.Figure, domain: tuple[float, float]) -> None:
    """A world map over part of the height: grey land without a figure, no frame, both themes."""
    figure.update_geos(
        scope="world",
        projection_type="natural earth",
        resolution=110,
        bgcolor="rgba(0,0,0,0)",
        showframe=False,
        showcoastlines=False,
        showland=True,
        landcolor=theme.BAND,
        showcountries=True,
        countrycolor=theme.GREY,
        countrywidth=0.4,
        showocean=False,
        showlakes=False,
        lataxis_range=[-57, 84],
        domain={"x": [0, 1], "y": list(domain)},
    )


def _by_country_takeaway(frame: pd.DataFrame, filters: ByCountryFilters) -> str:
    rows = list(records(frame))
    first, last = rows[0], rows[-1]
    per = " per million people" if _is_per_million(first, filters.per) else ""
    what = f"{first.metric_label}{'' if pd.isna(first.population) else f' ({first.population})'}"
    text = f"{what}, {first.publisher}: {first.place} leads with {_amount(first, filters.per)}{per}"
    if first.status == "forecast":
        text += f" expected for {first.period}"
    if len(rows) > 1:
        text += f", {last.place} comes last of {len(rows)} countries with {_amount(last, filters.per)}"
    text += "; grey countries have no figure."
    return text + missing_note(frame, filters.places)


by_country = register(
    Chart(
        id="workforce-by-country",
        topic="workforce",
        title="Where the people are",
        question="Which countries are said to have how many AI people, or how large a share?",
        reading="The darker a country, the higher its newest figure up to the year chosen; grey means that no figure was published. "
        "The bars rank the same figures, so that small countries count as much as large ones. One measure by one publisher at a time: "
        "others define it otherwise. Counts per million people are computed with the newest population of the World Bank.",
        filters=ByCountryFilters,
        sql=_BY_COUNTRY_SQL,
        figure=_by_country,
        takeaway=_by_country_takeaway,
        columns=column_titles(per_million="Per million people (computed)"),
        height=MAP_HEIGHT,
    )
)

# --- ai-job-postings -------------------------------------------------------------------------------------------------

POSTINGS_HEIGHT = 500
MOST_LINES = 8


class PostingsFilters(WorkforceFilters):
    """Filters of the postings: whose count."""

    counter: Annotated[
        Literal["lightcast", "indeed", "genai"],
        Control(
            "Counted by",
            labels={
                "lightcast": "Lightcast, AI",
                "indeed": "Indeed, AI",
                "genai": "Indeed, generative AI",
            },
            help="Word lists and sites differ, so do the levels: never read one line against another counter's.",
            is_primary=True,
        ),
    ] = "lightcast"


_POSTINGS_SQL = f"""
SELECT figure.*, place_rank
FROM observation_figure AS figure
LEFT JOIN place_rank USING (entity_id)
WHERE metric_id = CASE $counter WHEN 'genai' THEN 'genai_job_posting_share' ELSE 'ai_job_posting_share' END
    AND series = CASE $counter WHEN 'lightcast' THEN 'Lightcast' ELSE 'Indeed' END
    AND place_kind = 'country' AND is_whole_year AND NOT is_repeat AND {IN_YEARS}
ORDER BY place, year, claim_id
"""  # noqa: S608  # constants only


def _postings_words(row: Any) -> str:
    part = ", year to date" if row.status == "partial" else ""
    return about(f"{row.place}, {row.period}{part}: {theme.exact(row.value)}% of job postings", row.note)


def main_publisher(frame: pd.DataFrame) -> str:
    """Who has the most figures in the frame: whose lines are drawn; others are other editions."""
    return str(frame["publisher"].value_counts().sort_index().idxmax())


def _newest(frame: pd.DataFrame) -> pd.DataFrame:
    """The newest figure of each place by the main publisher, the highest first."""
    own = frame[frame["publisher"] == main_publisher(frame)]
    return own.groupby("entity_id").tail(1).sort_values(["value", "entity_id"], ascending=[False, True])


def _named(frame: pd.DataFrame, places: Sequence[str]) -> list[str]:
    """The places whose lines stand out: the reader's, or those with the highest newest figure."""
    newest = list(_newest(frame)["entity_id"])
    chosen = [entity for entity in newest if entity in places]
    return (chosen or newest)[:MOST_LINES]


def _postings(frame: pd.DataFrame, filters: PostingsFilters) -> go.Figure:
    figure = go.Figure()
    named = _named(frame, filters.places)
    hues = place_hues(frame, named)
    own = frame[frame["publisher"] == main_publisher(frame)]
    for entity, line in sorted(own.groupby("entity_id"), key=lambda pair: pair[0] in named):
        _postings_line(figure, line, hues.get(str(entity), theme.FAINT))
    others = frame[frame["publisher"] != main_publisher(frame)]
    if not others.empty:
        colors = [hues.get(entity, theme.FAINT) for entity in others["entity_id"]]
        figure.add_scatter(
            x=others["year"],
            y=others["value"],
            mode="markers",
            name="other editions",
            customdata=hover_data(others, _postings_words),
            hovertemplate=HOVER,
            marker={
                "symbol": "diamond-open",
                "size": 9,
                "color": colors,
                "line": {"width": 2, "color": colors},
            },
        )
    ends = _newest(frame)
    labels = [
        EndLabel(f"{row.place} {short(row.value)}%", float(row.value), hues[row.entity_id])
        for row in records(ends[ends["entity_id"].isin(named)])
    ]
    label_line_ends(figure, labels, (0.0, float(frame["value"].max()) * 1.06), POSTINGS_HEIGHT)
    year_axis(figure, int(frame["year"].min()), int(frame["year"].max()))
    figure.update_yaxes(ticksuffix="%")
    title_above(figure, f"{frame['metric_label'].iloc[0]}, percent")
    return figure


def _postings_line(figure: go.Figure, line: pd.DataFrame, color: str) -> None:
    """The years of one country, the running year hollow."""
    is_named = color != theme.FAINT
    figure.add_scatter(
        x=line["year"],
        y=line["value"],
        mode="lines+markers",
        name=str(line["place"].iloc[0]),
        customdata=hover_data(line, _postings_words),
        hovertemplate=HOVER,
        line={"color": color, "width": 2 if is_named else 1},
        marker={
            "color": color,
            "size": 7 if is_named else 4,
            "symbol": ["circle-open" if status == "partial" else "circle" for status in line["status"]],
            "line": {"width": 2 if is_named else 1, "color": color},
        },
    )


def _postings_takeaway(frame: pd.DataFrame, filters: PostingsFilters) -> str:
    ends = _newest(frame)
    chosen = [row for row in records(ends) if row.entity_id in filters.places][:2]
    top = next(records(ends))
    first = chosen[0] if chosen else top
    line = frame[(frame["entity_id"] == first.entity_id) & (frame["publisher"] == main_publisher(frame))]
    start = next(records(line))
    what = "generative AI" if filters.counter == "genai" else "AI skills"
    so_far = " so far" if first.status == "partial" else ""
    text = (
        f"{first.place}: {short(first.value)}% of job postings named {what} in {first.year}{so_far}"
        + (f", after {short(start.value)}% in {start.year}" if start.year != first.year else "")
        + (
            f" (highest of {len(ends)} countries)"
            if first.entity_id == top.entity_id and len(ends) > 1
            else ""
        )
    )
    if len(chosen) > 1:
        text += f"; {chosen[1].place}: {short(chosen[1].value)}% in {chosen[1].year}"
    return f"{text}, by the count of {main_publisher(frame)}.{missing_note(frame, filters.places)}"


job_postings = register(
    Chart(
        id="ai-job-postings",
        topic="workforce",
        title="Job postings that ask for AI",
        question="Which part of all job postings asks for AI skills, and where does it grow?",
        reading="A line is one country by one counter; without a choice, the highest are named. A hollow mark is a year that was not over. "
        "Diamonds are other editions of the same counter that print another value. Lightcast and Indeed use different word lists.",
        filters=PostingsFilters,
        sql=_POSTINGS_SQL,
        figure=_postings,
        takeaway=_postings_takeaway,
        columns=column_titles(series="Counter"),
        height=POSTINGS_HEIGHT,
    )
)

# --- talent-concentration --------------------------------------------------------------------------------------------

CONCENTRATION_HEIGHT = 700
_CONCENTRATION_SQL = f"""
SELECT figure.*, place_rank
FROM observation_figure AS figure
LEFT JOIN place_rank USING (entity_id)
WHERE metric_id = 'ai_talent_concentration' AND population IN ('women', 'men') AND NOT is_repeat AND {IN_YEARS}
QUALIFY row_number() OVER (PARTITION BY entity_id, population ORDER BY year DESC, published DESC, claim_id) = 1
ORDER BY place, population, claim_id
"""  # noqa: S608  # constants only
_SEXES = {"women": (theme.PURPLE, "diamond"), "men": (theme.BLUE, "circle")}


def _concentration_words(row: Any) -> str:
    return about(
        f"{row.place}, {row.period}: {theme.exact(row.value)}% of the {row.population} on LinkedIn are AI talent",
        row.note,
    )


def pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """Women and men side by side, one row a country and year; the country where most men are AI talent first."""
    wide = frame.pivot_table(index=["place", "entity_id", "year"], columns="population", values="value")
    wide = wide.reindex(columns=["women", "men"]).dropna().reset_index()
    wide["ratio"] = wide["men"] / wide["women"]
    return wide.sort_values(["men", "place"], ascending=[False, True])


def _concentration(frame: pd.DataFrame, filters: WorkforceFilters) -> go.Figure:
    figure = go.Figure()
    order = list(frame.groupby("place")["value"].max().sort_values(ascending=False, kind="stable").index)
    rank = {place: index for index, place in enumerate(order)}
    present = list(frame["entity_id"])
    for pair in records(pairs(frame)):
        figure.add_scatter(
            x=[pair.women, pair.men],
            y=[rank[pair.place]] * 2,
            mode="lines",
            name="gap",
            hoverinfo="skip",
            line={"width": 4, "color": theme.BAND},
        )
    for population, (color, symbol) in _SEXES.items():
        rows = frame[frame["population"] == population]
        figure.add_scatter(
            x=rows["value"],
            y=rows["place"].map(rank),
            mode="markers",
            name=population,
            customdata=hover_data(rows, _concentration_words),
            hovertemplate=HOVER,
            marker={
                "symbol": symbol,
                "size": 10,
                "color": [
                    theme.GREY if is_faint(e, filters.places, present) else color for e in rows["entity_id"]
                ],
            },
        )
        if not rows.empty:
            _name_sex(figure, rows, rank, population, color)
    chosen = set(frame.loc[frame["entity_id"].isin(filters.places), "place"])
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[f"<b>{place}</b>" if place in chosen else place for place in order],
        range=[len(order) - 0.4, -1.6],
        showgrid=False,
    )
    figure.update_xaxes(rangemode="tozero", ticksuffix="%", showgrid=True, tickangle=0, nticks=6)
    years = sorted({int(year) for year in frame["year"]})
    when = str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"
    title_above(figure, f"AI talent among the women and men on LinkedIn, percent, {when}")
    return figure


def _name_sex(
    figure: go.Figure, rows: pd.DataFrame, rank: dict[str, int], population: str, color: str
) -> None:
    """Write who a mark stands for above the first row."""
    top = next(records(rows.assign(rank=rows["place"].map(rank)).sort_values("rank")))
    figure.add_annotation(
        x=top.value, y=rank[top.place], yshift=14, text=population, showarrow=False, font={"color": color}
    )


def _concentration_takeaway(frame: pd.DataFrame, filters: WorkforceFilters) -> str:
    both = pairs(frame)
    if both.empty:
        return f"{counted(len(frame), 'figure')} for women or men; none for both." + missing_note(
            frame, filters.places
        )
    more = int((both["men"] > both["women"]).sum())
    by_ratio = both.sort_values(["ratio", "place"])
    near, far = next(records(by_ratio)), next(records(by_ratio[::-1]))
    chosen = both[both["entity_id"].isin(filters.places)]
    example = next(records(chosen if not chosen.empty else both))
    text = (
        f"In {more} of {counted(len(both), 'country').replace('countrys', 'countries')} AI talent is more common among "
        f"men than among women on LinkedIn: {short(example.men)}% against {short(example.women)}% in {example.place}"
    )
    if len(both) > 2:
        text += (
            f"; the gap is widest in {far.place} ({theme.times(far.ratio)} times) and narrowest in {near.place} "
            f"({theme.times(near.ratio)} times)"
        )
    return f"{text}.{missing_note(frame, filters.places)}"


concentration = register(
    Chart(
        id="talent-concentration",
        topic="workforce",
        title="Women and men among the AI talent",
        question="How common is AI talent among the women and the men of a country?",
        reading="A diamond is the share of women on LinkedIn who are AI talent, a circle the share of men; each of the newest year "
        "within the years chosen. The bar between them is the gap. Figures for all members together come from another edition "
        "and stand on the map.",
        filters=WorkforceFilters,
        sql=_CONCENTRATION_SQL,
        figure=_concentration,
        takeaway=_concentration_takeaway,
        columns=column_titles(population="Of whom"),
        height=CONCENTRATION_HEIGHT,
    )
)

# --- talent-migration and hiring -------------------------------------------------------------------------------------

RANKED_HEIGHT = 440
_FLOWS = "metric_id IN ('net_ai_talent_migration', 'net_inflow_ai_researchers', 'tech_workers_added')"
_HIRING = """metric_id IN (
    'ai_hiring_rate_growth', 'ai_hiring_index', 'ai_job_openings', 'ai_job_postings', 'genai_skill_job_postings',
    'ai_share_of_tech_postings', 'ai_jobs_created', 'ai_jobs_retained', 'ai_talent_demand'
)"""
_NO_CITY = "place_kind <> 'city' AND NOT is_repeat AND topic = 'workforce'"
_RANKED_SQL = """
SELECT figure.*, place_rank
FROM observation_figure AS figure
LEFT JOIN place_rank USING (entity_id)
WHERE {} AND metric_id = ${} AND {} AND {}
ORDER BY year DESC, value DESC, claim_id
"""


def _options(which: str) -> str:
    return (
        "SELECT DISTINCT metric_id, metric_label FROM observation_figure "
        f"WHERE {_NO_CITY} AND {which} ORDER BY metric_label"  # noqa: S608  # constants only
    )


class MigrationFilters(WorkforceFilters):
    """Filters of the moves: which count of them."""

    flow: Annotated[str, Control("What is counted", _options(_FLOWS), is_primary=True)] = (
        "net_ai_talent_migration"
    )


class HiringFilters(WorkforceFilters):
    """Filters of hiring: which count of it."""

    hired: Annotated[str, Control("What is counted", _options(_HIRING), is_primary=True)] = (
        "ai_hiring_rate_growth"
    )


def _ranked_value(row: Any) -> str:
    sign = (
        "+" if row.metric_id in ("ai_hiring_rate_growth", "net_ai_talent_migration") and row.value > 0 else ""
    )
    least = "at least " if row.bound == "at_least" else "about " if row.bound == "about" else ""
    unit = "%" if row.unit_id == "percent" else ""
    return f"{least}{sign}{people(row.value)}{unit}"


def _ranked_words(row: Any) -> str:
    part = "" if pd.isna(row.segment) else f", {row.segment}"
    expected = ", forecast" if row.status == "forecast" else ""
    return about(
        f"{row.place}{part}, {row.period}{expected}: {_ranked_value(row)} ({row.unit_label})", row.note
    )


def _ranked(frame: pd.DataFrame, filters: WorkforceFilters) -> go.Figure:
    present = list(frame["entity_id"])
    newest = frame["year"].max()
    several = frame["publisher"].nunique() > 1

    def label(row: Any) -> str:
        name = row.place if pd.isna(row.segment) else capitalised(row.segment)
        return f"{name}, {row.period}" + (f", {row.publisher}" if several else "")

    def color(row: Any) -> str:
        if is_faint(row.entity_id, filters.places, present):
            return theme.GREY
        return theme.BLUE if row.year == newest else theme.SKY

    first = next(records(frame))
    return ranked_bars(
        frame,
        Ranking(
            value="value",
            label=label,
            text=_ranked_value,
            words=_ranked_words,
            title=wrapped(f"{first.metric_label}, {first.unit_label}", 52),
            color=color,
            hollow=lambda row: row.status == "forecast",
            suffix="%" if first.unit_id == "percent" else "",
            label_width=22,
        ),
    )


def _ranked_takeaway(frame: pd.DataFrame, filters: WorkforceFilters) -> str:
    newest = frame[frame["year"] == frame["year"].max()]
    rows = list(records(newest))
    first = rows[0]
    part = "" if pd.isna(first.segment) else f", {first.segment}"
    text = f"{first.metric_label}{part}, {first.period}: {_ranked_value(first)} in {first.place} ({first.publisher})"
    others = [row for row in rows[1:] if row.entity_id != first.entity_id]
    if others:
        text += f", ahead of {others[0].place} with {_ranked_value(others[0])}"
    earlier = [row for row in records(frame) if row.entity_id == first.entity_id and row.year < first.year]
    same = [row for row in earlier if row.publisher == first.publisher and _same_part(row, first)]
    if same:
        text += f", after {_ranked_value(same[0])} in {same[0].period}"
    if newest["entity_id"].nunique() == 3:
        text += "; only three places were printed"
    return f"{text}.{missing_note(frame, filters.places)}"


def _same_part(row: Any, other: Any) -> bool:
    return bool(row.segment == other.segment or (pd.isna(row.segment) and pd.isna(other.segment)))


migration = register(
    Chart(
        id="talent-migration",
        topic="workforce",
        title="Who wins talent",
        question="Which countries win or lose AI people by migration?",
        reading="A bar is one published figure; to the left of zero more people left than came. Light bars are older. The reports that "
        "were read print the leaders only: a country that is not here is not known to lose.",
        filters=MigrationFilters,
        sql=_RANKED_SQL.format(_FLOWS, "flow", _NO_CITY, IN_YEARS),
        figure=_ranked,
        takeaway=_ranked_takeaway,
        columns=column_titles(),
        height=RANKED_HEIGHT,
    )
)
hiring = register(
    Chart(
        id="hiring",
        topic="workforce",
        title="Who hires",
        question="Where does hiring for AI grow, and how many jobs are on offer?",
        reading="A bar is one published figure; the newest year comes first, light bars are older, hollow ones are forecasts. "
        "Reports print leaders only. One thing counted at a time: postings, openings and hires are not the same.",
        filters=HiringFilters,
        sql=_RANKED_SQL.format(_HIRING, "hired", _NO_CITY, IN_YEARS),
        figure=_ranked,
        takeaway=_ranked_takeaway,
        columns=column_titles(segment="Skill"),
        height=RANKED_HEIGHT,
    )
)
