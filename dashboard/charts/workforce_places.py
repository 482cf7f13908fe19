"""Workforce by place: the map, job postings that ask for AI, women and men among the talent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go
from pydantic import Field

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    HOVER,
    EndLabel,
    Sketch,
    counted,
    hollow_while_running,
    hover_data,
    hover_rows,
    label_line_ends,
    records,
    so_far,
    spoken,
    title_above,
    wrapped,
    year_axis,
)
from dashboard.charts.rows import (
    Ranking,
    about,
    column_titles,
    people,
    place_hues,
    ranked_bars,
    short,
    standing_out,
    the,
    with_place,
)
from dashboard.charts.workforce import IN_YEARS, Places, WorkforceFilters, is_faint, missing_note

# --- workforce-by-country -----------------------------------------------------------------------------------

MAP_HEIGHT = 780
MOST_BARS = 12


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
            width=320,
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
    asof: Annotated[
        int, Field(ge=2014, le=2027), Control("Newest figure up to", is_primary=True, is_slider=True)
    ] = 2027


_BY_COUNTRY_SQL = """
SELECT country.*, place_rank,
    CASE WHEN $per = 'million' THEN coalesce(per_million, value) ELSE value END AS shown
FROM workforce_by_country AS country
LEFT JOIN place_rank USING (entity_id)
WHERE measure = $measure AND year <= $asof
QUALIFY row_number() OVER (
    PARTITION BY entity_id ORDER BY year DESC, period DESC, published DESC, claim_id
) = 1
ORDER BY shown DESC, place
"""


def _is_per_million(row: Any, per: str) -> bool:
    return per == "million" and pd.notna(row.per_million)


def _unit(row: Any, per: str) -> str:
    """The unit of what is shown, for the axis."""
    return (
        f"{row.unit_label} per million people, computed" if _is_per_million(row, per) else str(row.unit_label)
    )


def _what(row: Any) -> str:
    """The metric, with the population that it speaks of."""
    return f"{row.metric_label}{'' if pd.isna(row.population) else f', {row.population}'}"


def _amount(row: Any, per: str) -> str:
    if row.unit_id == "percent":
        return f"{short(row.shown)}%"
    return f"{row.shown:,.0f}" if _is_per_million(row, per) else people(row.shown)


def _by_country_words(row: Any, per: str) -> str:
    expected = ", forecast" if row.status == "forecast" else ""
    words = f"{row.place}, {spoken(row.period)}{expected}: {theme.exact(row.value)} {row.unit_label}"
    if _is_per_million(row, per):
        words += (
            f"<br>{row.per_million:,.0f} per million people, computed with "
            f"{row.population_used:,.0f} people in {row.population_year}"
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

    def label(row: Any) -> str:
        name = f"<b>{row.place}</b>" if row.entity_id in filters.places else row.place
        when = f"{spoken(row.period)}{', forecast' if row.status == 'forecast' else ''}"
        return f"{name} {_amount(row, filters.per)} ({when})"

    figure = ranked_bars(
        listed,
        Ranking(
            value="shown",
            label=label,
            words=lambda row: _by_country_words(row, filters.per),
            title=wrapped(f"{_what(first)}, {_unit(first, filters.per)}", 54),
            suffix="%" if first.unit_id == "percent" else "",
            color=color,
            hollow=lambda row: row.status == "forecast",
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
        customdata=with_place(frame, lambda row: _by_country_words(row, filters.per)),
        hovertemplate=HOVER,
        marker={
            "line": {
                "color": [theme.VERMILION if e in filters.places else theme.GREY for e in frame["entity_id"]],
                "width": [2.0 if e in filters.places else 0.5 for e in frame["entity_id"]],
            }
        },
    )
    world_geo(figure, (0.56, 1.0))
    figure.update_yaxes(domain=[0.0, 0.53])
    return figure


def _map_scale() -> list[list[Any]]:
    """The ramp of the map as Plotly takes it."""
    return [[i / (len(theme.MAP_RAMP) - 1), color] for i, color in enumerate(theme.MAP_RAMP)]


def shade(part: float) -> str:
    """The colour of the map at a part of its range, between 0 and 1."""
    return theme.MAP_RAMP[round(min(max(part, 0.0), 1.0) * (len(theme.MAP_RAMP) - 1))]


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
    text = (
        f"{_what(first)}, {first.publisher}: {the(first.place)} leads with {_amount(first, filters.per)}{per}"
    )
    if first.status == "forecast":
        text += f" expected for {spoken(first.period)}"
    if len(rows) > 1:
        text += f", {the(last.place)} comes last of {len(rows)} countries with {_amount(last, filters.per)}"
    text += "; grey countries have no figure."
    return text + missing_note(frame, filters.places)


by_country = register(
    Chart(
        id="workforce-by-country",
        topic="workforce",
        title="Where the people are",
        question="Which countries are said to have how many AI people, or how large a share?",
        reading="The darker a country, the higher its newest figure up to the year chosen; grey means no "
        "figure. The bars rank the same figures, so that small countries count as much "
        "as large ones. One measure by one publisher at a time: others define it otherwise. Counts "
        "per million people are computed with the newest population of the World Bank.",
        filters=ByCountryFilters,
        sql=_BY_COUNTRY_SQL,
        figure=_by_country,
        takeaway=_by_country_takeaway,
        columns=column_titles(per_million="Per million people (computed)"),
        height=MAP_HEIGHT,
    )
)

# --- ai-job-postings ----------------------------------------------------------------------------------------

POSTINGS_HEIGHT = 500
MOST_LINES = 8


class PostingsFilters(WorkforceFilters):
    """Filters of the postings: whose count."""

    counter: Annotated[
        Literal["lightcast", "indeed", "genai"],
        Control(
            "Counted by",
            labels={
                "lightcast": "Lightcast",
                "indeed": "Indeed",
                "genai": "Indeed, GenAI",
            },
            help="Word lists and sites differ, so do the levels: never read one line against another "
            "counter's.",
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
    return standing_out(list(_newest(frame)["entity_id"]), places, MOST_LINES)


def _postings(frame: pd.DataFrame, filters: PostingsFilters) -> go.Figure:
    figure, sketch = go.Figure(), Sketch()
    named = _named(frame, filters.places)
    hues = place_hues(frame, named)
    own = frame[frame["publisher"] == main_publisher(frame)]
    lines: dict[str, list[Any]] = {}
    for row in records(own):
        lines.setdefault(row.entity_id, []).append(row)
    for entity in sorted(lines, key=lambda each: (each in named, each)):
        _postings_line(sketch, lines[entity], hues.get(entity, theme.FAINT))
    others = frame[frame["publisher"] != main_publisher(frame)]
    if not others.empty:
        colors = [hues.get(entity, theme.FAINT) for entity in others["entity_id"]]
        sketch.add_scatter(
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
    sketch.onto(figure)
    ends = _newest(frame)
    labels = [
        EndLabel(f"{row.place} {short(row.value)}%", float(row.value), hues[row.entity_id])
        for row in records(ends[ends["entity_id"].isin(named)])
    ]
    label_line_ends(figure, labels, (0.0, float(frame["value"].max()) * 1.06), POSTINGS_HEIGHT)
    year_axis(figure, int(frame["year"].min()), int(frame["year"].max()))
    figure.update_yaxes(ticksuffix="%")
    title_above(figure, f"{frame['metric_label'].iloc[0]}, per cent")
    return figure


def _postings_line(sketch: Sketch, line: Sequence[Any], color: str) -> None:
    """The years of one country, the running year hollow."""
    is_named = color != theme.FAINT
    sketch.add_scatter(
        x=[row.year for row in line],
        y=[row.value for row in line],
        mode="lines+markers",
        name=line[0].place,
        customdata=hover_rows(line, _postings_words),
        hovertemplate=HOVER,
        line={"color": color, "width": 2 if is_named else 1},
        marker={
            "color": color,
            "size": 7 if is_named else 4,
            "symbol": hollow_while_running(row.status for row in line),
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
    text = (
        f"{first.place}: {short(first.value)}% of job postings named {what} in {first.year}{so_far(first)}"
        + (f", after {short(start.value)}% in {start.year}" if start.year != first.year else "")
        + (
            f" (highest of {len(ends)} countries)"
            if first.entity_id == top.entity_id and len(ends) > 1
            else ""
        )
    )
    if len(chosen) > 1:
        text += f"; {chosen[1].place}: {short(chosen[1].value)}% in {chosen[1].year}{so_far(chosen[1])}"
    return f"{text}, by the count of {main_publisher(frame)}.{missing_note(frame, filters.places)}"


job_postings = register(
    Chart(
        id="ai-job-postings",
        topic="workforce",
        title="Job postings that ask for AI",
        question="Which part of all job postings asks for AI skills, and where does it grow?",
        reading="A line is one country by one counter; without a choice the highest stand out. A hollow mark "
        "is a year that was not over. Diamonds are other editions of the same counter that print "
        "another value. Lightcast and Indeed use different word lists.",
        filters=PostingsFilters,
        sql=_POSTINGS_SQL,
        figure=_postings,
        takeaway=_postings_takeaway,
        columns=column_titles(series="Counter"),
        height=POSTINGS_HEIGHT,
    )
)

# --- talent-concentration -----------------------------------------------------------------------------------

CONCENTRATION_HEIGHT = 700
_CONCENTRATION_SQL = f"""
SELECT figure.*, place_rank
FROM observation_figure AS figure
LEFT JOIN place_rank USING (entity_id)
WHERE metric_id = 'ai_talent_concentration' AND population IN ('women', 'men') AND NOT is_repeat
    AND {IN_YEARS}
QUALIFY row_number() OVER (
    PARTITION BY entity_id, population ORDER BY year DESC, published DESC, claim_id
) = 1
ORDER BY place, population, claim_id
"""  # noqa: S608  # constants only
_SEXES = {"women": (theme.PURPLE, "diamond"), "men": (theme.BLUE, "circle")}


def _concentration_words(row: Any) -> str:
    return about(
        f"{row.place}, {row.period}: {theme.exact(row.value)}% of the {row.population} on LinkedIn",
        row.note,
    )


def pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """Women and men side by side, one row a country and year; the largest share of men first."""
    wide = frame.pivot_table(index=["place", "entity_id", "year"], columns="population", values="value")
    wide = wide.reindex(columns=["women", "men"]).dropna().reset_index()
    wide["ratio"] = wide["men"] / wide["women"]
    return wide.sort_values(["men", "place"], ascending=[False, True])


def _concentration(frame: pd.DataFrame, filters: WorkforceFilters) -> go.Figure:
    figure, sketch = go.Figure(), Sketch()
    order = list(frame.groupby("place")["value"].max().sort_values(ascending=False, kind="stable").index)
    rank = {place: index for index, place in enumerate(order)}
    present = list(frame["entity_id"])
    for pair in records(pairs(frame)):
        sketch.add_scatter(
            x=[pair.women, pair.men],
            y=[rank[pair.place]] * 2,
            mode="lines",
            name="gap",
            hoverinfo="skip",
            line={"width": 4, "color": theme.BAND},
        )
    for population, (color, symbol) in _SEXES.items():
        rows = frame[frame["population"] == population]
        sketch.add_scatter(
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
            _name_sex(sketch, rows, rank, population, color)
    sketch.onto(figure)
    chosen = set(frame.loc[frame["entity_id"].isin(filters.places), "place"])
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[f"<b>{place}</b>" if place in chosen else place for place in order],
        range=[len(order) - 0.4, -1.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(rangemode="tozero", ticksuffix="%", showgrid=True, tickangle=0, nticks=6)
    years = sorted({int(year) for year in frame["year"]})
    when = str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"
    title_above(figure, f"AI talent, % of the women and of the men, {when}")
    return figure


def _name_sex(sketch: Sketch, rows: pd.DataFrame, rank: dict[str, int], population: str, color: str) -> None:
    """Write who a mark stands for above the first row."""
    top = next(records(rows.assign(rank=rows["place"].map(rank)).sort_values("rank")))
    sketch.add_annotation(
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
        f"In {'all' if more == len(both) else f'{more} of'} {len(both)} countries AI talent is more common "
        f"among men than among women on LinkedIn: {short(example.men)}% against {short(example.women)}% in "
        f"{the(example.place)}"
    )
    if len(both) > 2:
        text += (
            f"; the gap is widest in {the(far.place)} ({theme.times(far.ratio)} times) and narrowest in "
            f"{the(near.place)} ({theme.times(near.ratio)} times)"
        )
    return f"{text}.{missing_note(frame, filters.places)}"


concentration = register(
    Chart(
        id="talent-concentration",
        topic="workforce",
        title="Women and men among the AI talent",
        question="How common is AI talent among the women and the men of a country?",
        reading="A diamond is the share of women on LinkedIn who are AI talent, a circle the share of men; "
        "each of the newest year within the years chosen. The bar between them is the gap. Figures "
        "for all members together come from another edition and stand on the map.",
        filters=WorkforceFilters,
        sql=_CONCENTRATION_SQL,
        figure=_concentration,
        takeaway=_concentration_takeaway,
        columns=column_titles(population="Of whom"),
        height=CONCENTRATION_HEIGHT,
    )
)
