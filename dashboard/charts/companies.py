"""Companies: who they are and where, what they raised, what they are said to be worth, each with its date."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    HOVER,
    Sketch,
    capitalised,
    counted,
    hover_data,
    listed,
    money_ticks,
    money_title,
    records,
    spoken,
    title_above,
    wrapped,
)
from dashboard.charts.rows import the

Player = Literal["startup", "tech giant", "cloud platform", "research lab", "open-source community"]
PLAYERS: dict[str, str] = {
    "startup": "Startup",
    "tech giant": "Tech giant",
    "cloud platform": "Cloud platform",
    "research lab": "Research lab",
    "open-source community": "Open-source community",
}
PLAYER_COLORS = dict(zip(PLAYERS, theme.PALETTE, strict=False))
MOST_COMPANIES = 34
MOST_NAMED = 14
# The plot of the scatter on a narrow card, in pixels: what has room there has room everywhere.
PLOT_WIDTH, PLOT_HEIGHT, LETTER, NAME_HEIGHT = 300, 380, 6.5, 15
BOUNDS = {"at_least": "at least ", "about": "about ", "at_most": "at most "}
BOUND_SYMBOLS = {"at_least": "triangle-right", "about": "circle-open"}


def _companies(count: int) -> str:
    return f"{count} {'company' if count == 1 else 'companies'}"


class CompanyFilters(Filters):
    """What narrows every chart over companies."""

    player: Annotated[
        list[Player],
        Control("Kind of player", labels=PLAYERS, all_label="All kinds", is_primary=True),
    ] = []
    places: Annotated[
        list[str],
        Control(
            "Country",
            "SELECT country_id, country FROM company_profile WHERE country_id IS NOT NULL GROUP BY ALL "
            "ORDER BY country",
            all_label="All countries",
            is_primary=True,
        ),
    ] = []


class DatedFilters(CompanyFilters):
    """Companies by the date of their figures."""

    dated: Annotated[
        tuple[int, int] | None,
        Control(
            "Figure of",
            "SELECT min(year), max(year) FROM observation_figure WHERE dataset = 'company_figure'",
            help="The year that a figure is of. Old figures miss later rounds.",
        ),
    ] = None


_NARROWED = """(len($player::VARCHAR[]) = 0 OR list_contains($player::VARCHAR[], profile.kind))
    AND (len($places::VARCHAR[]) = 0 OR list_contains($places::VARCHAR[], profile.country_id))"""
# A company is shown once: by its newest figure, since money raised and valuations grow with each round.
# Within a year a stated total comes before a sum of known rounds, which may lack some.
_NEWEST = """QUALIFY row_number() OVER (
    PARTITION BY figure.entity_id, figure.metric_id
    ORDER BY figure.year DESC, figure.basis IS NOT NULL, figure.period DESC, figure.published DESC NULLS LAST,
        figure.claim_id
) = 1"""
_FIGURES = f"""
SELECT figure.*, figure.harmonised_value / 1000 AS value_usd_bn, profile.company_id, profile.company,
    profile.kind, profile.country_id, profile.country, profile.headquarters
FROM observation_figure AS figure
JOIN company_profile AS profile ON profile.company_id = figure.entity_id
WHERE figure.dataset = 'company_figure' AND NOT figure.is_repeat AND figure.metric_id IN ({{metrics}})
    AND figure.segment IS NULL AND ($dated_from IS NULL OR figure.year BETWEEN $dated_from AND $dated_to)
    AND {_NARROWED}
{_NEWEST}
ORDER BY value_usd_bn DESC, figure.claim_id
"""  # noqa: S608  # constants only
_COLUMNS = {
    "company": "Company",
    "kind": "Kind of player",
    "country": "Country",
    "headquarters": "Headquarters",
    "metric_label": "What is given",
    "value": "Published value",
    "unit_label": "Unit",
    "bound": "Bound",
    "period": "Date of the figure",
    "publisher": "Publisher",
    "relayed_by": "Relayed by",
    "published": "Published",
    "attribution": "How it was read",
    "note": "Note",
    "url": "Address",
}


def _words(row: Any) -> str:
    """One figure of one company as a sentence."""
    verb = "worth" if row.metric_id == "company_valuation" else "raised"
    bound = BOUNDS.get(row.bound, "")
    home = ", ".join(str(part) for part in (row.headquarters, row.country) if pd.notna(part))
    relayed = f"<br>as relayed by {row.relayed_by}" if pd.notna(row.relayed_by) else ""
    note = f"<br>{wrapped(row.note, 60)}" if pd.notna(row.note) else ""
    return (
        f"{row.company}, {verb} {bound}{theme.usd_bn(row.value_usd_bn)}, {spoken(row.period)}"
        f"<br>{PLAYERS[row.kind]}{', ' + home if home else ''}{note}{relayed}"
    )


def _hover(frame: pd.DataFrame, words: Callable[[Any], str]) -> pd.Series:
    """The customdata of every row, as a column."""
    return pd.Series(hover_data(frame, words), index=frame.index)


def _by_player(figure: go.Figure, frame: pd.DataFrame, x: str, y: str, **marks: Any) -> None:
    """One trace a kind of player; the shape says whether the figure is a bound."""
    sketch = Sketch()
    for kind, group in frame.groupby("kind", sort=False):
        color = PLAYER_COLORS[str(kind)]
        sketch.add_scatter(
            x=group[x],
            y=group[y],
            mode="markers+text",
            name=PLAYERS[str(kind)],
            text=group["label"],
            textposition=list(group["side"]) if "side" in group else "middle right",
            textfont={"size": 12},
            customdata=group["hover"].tolist(),
            hovertemplate=HOVER,
            marker={
                "color": color,
                "size": 10,
                "symbol": [BOUND_SYMBOLS.get(bound, "circle") for bound in group["bound"]],
                "line": {"width": 2, "color": color},
                **marks,
            },
        )
    sketch.onto(figure)
    figure.update_layout(showlegend=frame["kind"].nunique() > 1)


def _decades(low: float, high: float, *, is_per_head: bool = False) -> dict[str, Any]:
    """A log axis with few ticks at powers of ten, narrow screens in mind."""
    last = math.floor(math.log10(high))
    first = min(math.ceil(math.log10(low)), last)
    ticks = [10.0**power for power in range(first, last + 1, 1 if last - first < 3 else 2)]
    words = [f"${theme.exact(tick)}" if is_per_head else theme.usd_bn(tick) for tick in ticks]
    return {"type": "log", "tickvals": ticks, "ticktext": words}


# --- ranked by money raised, by valuation ---------------------------------------------------------


def _ranked(frame: pd.DataFrame, title: str) -> go.Figure:
    shown = frame.head(MOST_COMPANIES)
    shown = shown.assign(
        row=[wrapped(name, 24) for name in shown["company"]],
        label=[
            f" {BOUNDS.get(row.bound, '')}{theme.usd_bn(row.value_usd_bn)}, {row.period[:4]}"
            for row in records(shown)
        ],
        hover=_hover(shown, _words),
    )
    figure = go.Figure()
    _by_player(figure, shown, "value_usd_bn", "row")
    low, high = float(shown["value_usd_bn"].min()), float(shown["value_usd_bn"].max())
    # Room on the right for the label of the largest.
    reach = math.log10(high / low) if high > low else 1.0
    figure.update_xaxes(
        **_decades(low, high),
        range=[math.log10(low) - reach * 0.06, math.log10(high) + reach * 0.8],
        showgrid=True,
        tickangle=0,
        title=money_title(title, is_log=True),
    )
    figure.update_yaxes(categoryorder="array", categoryarray=list(shown["row"])[::-1], showgrid=True)
    return figure


def _ranked_takeaway(frame: pd.DataFrame, verb: str) -> str:
    top = next(records(frame))
    text = (
        f"{top.company} leads: {verb} {BOUNDS.get(top.bound, '')}{theme.usd_bn(top.value_usd_bn)} "
        f"({spoken(top.period)}, {top.publisher})"
    )
    if len(frame) > 1:
        second = next(records(frame.iloc[1:]))
        text += (
            f", before {second.company} with {theme.usd_bn(second.value_usd_bn)} ({spoken(second.period)})"
        )
    relayed = int((frame["attribution"] != "primary").sum())
    how = "all" if relayed == len(frame) else f"{relayed} of them"
    dates = dict.fromkeys([spoken(frame["period"].min()), spoken(frame["period"].max())])
    return f"{text}. {counted(len(frame), 'figure')}, {how} relayed, dated {' to '.join(dates)}."


def _funding(frame: pd.DataFrame, filters: DatedFilters) -> go.Figure:
    return _ranked(frame, "Money raised in all")


def _funding_takeaway(frame: pd.DataFrame, filters: DatedFilters) -> str:
    return _ranked_takeaway(frame, "it is said to have raised")


_RANKED_READING = (
    "A mark is one published figure, on a log scale, with its year beside it: the largest "
    f"{MOST_COMPANIES}, the table has all. Hollow marks are approximate, triangles are lower bounds. "
    "Figures of different dates do not compare well, and a company without a mark is one for which no "
    "figure was found."
)

funding = register(
    Chart(
        id="company-funding",
        topic="companies",
        title="Who raised how much",
        question="How much money is each company said to have raised, and as of when?",
        reading=_RANKED_READING,
        filters=DatedFilters,
        sql=_FIGURES.format(metrics="'company_funding'"),
        figure=_funding,
        takeaway=_funding_takeaway,
        columns=_COLUMNS,
        height=820,
    )
)


def _valuation(frame: pd.DataFrame, filters: DatedFilters) -> go.Figure:
    return _ranked(frame, "Valuation")


def _valuation_takeaway(frame: pd.DataFrame, filters: DatedFilters) -> str:
    return _ranked_takeaway(frame, "it is said to be worth")


valuation = register(
    Chart(
        id="company-valuation",
        topic="companies",
        title="Who is said to be worth what",
        question="At which valuation is each company reported, and as of when?",
        reading=_RANKED_READING,
        filters=DatedFilters,
        sql=_FIGURES.format(metrics="'company_valuation'"),
        figure=_valuation,
        takeaway=_valuation_takeaway,
        columns=_COLUMNS,
        height=820,
    )
)


# --- worth against raised -------------------------------------------------------------------------


def paired(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a company that has both figures: raised, worth, the ratio of the two."""
    raised = frame[frame["metric_id"] == "company_funding"].drop_duplicates("company_id")
    worth = frame[frame["metric_id"] == "company_valuation"].drop_duplicates("company_id")
    both = worth.merge(
        raised[["company_id", "value_usd_bn", "period", "claim_id"]],
        on="company_id",
        suffixes=("", "_raised"),
    )
    return both.assign(ratio=both["value_usd_bn"] / both["value_usd_bn_raised"]).sort_values(
        ["value_usd_bn", "company_id"], ascending=[False, True]
    )


def _pair_words(row: Any) -> str:
    return (
        f"{row.company}<br>worth {theme.usd_bn(row.value_usd_bn)} in {spoken(row.period)}, "
        f"raised {theme.usd_bn(row.value_usd_bn_raised)} by {spoken(row.period_raised)}"
        f"<br>{theme.times(row.ratio)} times the money raised"
    )


def _multiple(frame: pd.DataFrame, filters: DatedFilters) -> go.Figure:
    pairs = paired(frame)
    figure = go.Figure()
    if pairs.empty:
        figure.add_annotation(
            text="No company here has both figures", showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5
        )
        figure.update_layout(xaxis_visible=False, yaxis_visible=False)
        return figure
    lowest, highest = pairs["value_usd_bn_raised"].min() / 1.6, pairs["value_usd_bn_raised"].max() * 1.6
    bottom, top = pairs["value_usd_bn"].min() / 1.8, pairs["value_usd_bn"].max() * 1.8
    _draw_guides(figure, (lowest, highest), top)
    named = names_with_room(pairs, (lowest, highest), (bottom, top))
    pairs = pairs.assign(
        label=[row.company if row.company_id in named else "" for row in records(pairs)],
        side=[named.get(row.company_id, "middle right") for row in records(pairs)],
        hover=_hover(pairs, _pair_words),
    )
    _by_player(figure, pairs, "value_usd_bn_raised", "value_usd_bn", opacity=0.8)
    figure.update_xaxes(
        **money_ticks(lowest, highest, is_log=True, most=5),
        range=[math.log10(lowest), math.log10(highest)],
        tickangle=0,
        title=money_title("Money raised", is_log=True),
    )
    figure.update_yaxes(
        **money_ticks(bottom, top, is_log=True, most=5), range=[math.log10(bottom), math.log10(top)]
    )
    title_above(figure, money_title("Valuation", is_log=True))
    figure.update_layout(legend={"y": -0.16, "yanchor": "top"})
    return figure


def names_with_room(
    pairs: pd.DataFrame, across: tuple[float, float], up: tuple[float, float]
) -> dict[str, str]:
    """The companies whose names can stand beside their marks without touching others, and on which side.

    The company with the highest ratio comes first, then the most valuable ones.
    """
    marks = {
        row.company_id: (
            PLOT_WIDTH * _part(row.value_usd_bn_raised, across),
            PLOT_HEIGHT * _part(row.value_usd_bn, up),
        )
        for row in records(pairs)
    }
    taken: list[tuple[float, float, float]] = []
    named: dict[str, str] = {}
    first = pairs.nlargest(1, "ratio")
    for row in records(pd.concat([first, pairs.drop(first.index)])):
        others = [(x - 5, x + 5, y) for company, (x, y) in marks.items() if company != row.company_id]
        for side, (start, end, height) in _sides(*marks[row.company_id], row.company):
            is_inside = start >= 0 and end <= PLOT_WIDTH
            if is_inside and all(
                end < left or start > right or abs(height - y) > NAME_HEIGHT
                for left, right, y in others + taken
            ):
                named[row.company_id] = side
                taken.append((start, end, height))
                break
        if len(named) == MOST_NAMED:
            break
    return named


def _sides(x: float, y: float, name: str) -> list[tuple[str, tuple[float, float, float]]]:
    """Where a name can stand: side -> from, to, height in pixels."""
    width = LETTER * len(name) + 10
    return [
        ("middle right", (x, x + width, y)),
        ("middle left", (x - width, x, y)),
        ("top center", (x - width / 2, x + width / 2, y + NAME_HEIGHT)),
    ]


def _part(value: float, span: tuple[float, float]) -> float:
    """Where a value lies on a log axis, 0 to 1."""
    return math.log(value / span[0]) / math.log(span[1] / span[0])


def _draw_guides(figure: go.Figure, span: tuple[float, float], top: float) -> None:
    """Lines for 1, 10 and 100 times the money raised, each with its number."""
    sketch = Sketch()
    for times in (1, 10, 100):
        sketch.add_scatter(
            x=span,
            y=[span[0] * times, span[1] * times],
            mode="lines",
            name="guide",
            showlegend=False,
            line={"color": theme.BAND, "width": 2},
            hoverinfo="skip",
        )
        x = min(span[1], top / times) / 1.12
        if x > span[0]:
            sketch.add_annotation(
                x=math.log10(x),
                y=math.log10(x * times),
                text=f"{times}×",
                showarrow=False,
                xanchor="right",
                yanchor="bottom",
                font={"color": theme.GREY},
            )
    sketch.onto(figure)


def _multiple_takeaway(frame: pd.DataFrame, filters: DatedFilters) -> str:
    pairs = paired(frame)
    if pairs.empty:
        return "No company of this choice has both a figure for money raised and a valuation."
    high = next(records(pairs.nlargest(1, "ratio")))
    text = (
        f"{_companies(len(pairs))} with both figures: the median "
        f"valuation is {theme.times(pairs['ratio'].median())} times the money raised (computed)"
    )
    return (
        f"{text}; the most, {theme.times(high.ratio)} times, is {high.company}. The two dates often differ."
    )


multiple = register(
    Chart(
        id="company-funding-valuation",
        topic="companies",
        title="Worth against money raised",
        question="How many times the money raised is a company said to be worth?",
        reading="A mark is one company with both figures, on log scales; grey lines stand for 1, 10 and 100 "
        "times the money raised. The ratio is computed here, and where the valuation is newer than "
        "the money, it is too high: the text of a mark gives both dates.",
        filters=DatedFilters,
        sql=_FIGURES.format(metrics="'company_funding', 'company_valuation'"),
        figure=_multiple,
        takeaway=_multiple_takeaway,
        columns=_COLUMNS,
        height=560,
    )
)


# --- by country -----------------------------------------------------------------------------------


class ByCountryFilters(DatedFilters):
    """Filters of the sums by country."""

    money: Annotated[
        Literal["company_funding", "company_valuation"],
        Control(
            "What is added up",
            labels={"company_funding": "Money raised", "company_valuation": "Valuations"},
            is_primary=True,
        ),
    ] = "company_funding"
    per: Annotated[
        Literal["country", "head"],
        Control("Per", labels={"country": "Country", "head": "Inhabitant"}, is_primary=True),
    ] = "country"


def by_country_sums(frame: pd.DataFrame, per: str) -> pd.DataFrame:
    """Country -> its sum (US$ bn, or US$ an inhabitant), companies with a figure, companies listed."""
    sums = frame.groupby("country").agg(
        total=("value_usd_bn", "sum"),
        companies=("company_id", "nunique"),
        listed=("listed", "first"),
        inhabitants=("inhabitants", "first"),
    )
    if per == "head":
        sums = sums[sums["inhabitants"].notna()]
        sums = sums.assign(total=sums["total"] * 1e9 / sums["inhabitants"])
    return sums.sort_values("total", ascending=False, kind="stable")


def _by_country(frame: pd.DataFrame, filters: ByCountryFilters) -> go.Figure:
    sums = by_country_sums(frame, filters.per)
    is_per_head = filters.per == "head"
    figure = go.Figure()
    if sums.empty:
        figure.add_annotation(
            text="No population is known for this choice",
            showarrow=False,
            xref="paper",
            yref="paper",
            x=0.5,
            y=0.5,
        )
        figure.update_layout(xaxis_visible=False, yaxis_visible=False)
        return figure
    shown = frame[frame["country"].isin(sums.index)]
    share = 1e9 / shown["inhabitants"].astype("float") if is_per_head else 1.0
    shown = shown.assign(x=shown["value_usd_bn"] * share, label="", hover=_hover(shown, _words))
    labels = {
        name: wrapped(f"{name}, {companies} of {listed}", 24)
        for name, companies, listed in sums[["companies", "listed"]].itertuples()
    }
    shown["country"] = shown["country"].map(labels)
    _by_player(figure, shown, "x", "country", opacity=0.55)
    names = list(labels.values())
    figure.add_scatter(
        x=sums["total"],
        y=names,
        mode="markers+text",
        name="Sum (computed)",
        text=[f" {_sum(total, is_per_head=is_per_head)}" for total in sums["total"]],
        textposition="middle right",
        hoverinfo="skip",
        marker={"symbol": "line-ns", "size": 16, "line": {"width": 3, "color": theme.GREY}},
    )
    low, high = float(shown["x"].min()), float(max(sums["total"].max(), shown["x"].max()))
    reach = math.log10(high / low) if high > low else 1.0
    title = "Money raised" if filters.money == "company_funding" else "Valuation"
    ticks = _decades(low, high, is_per_head=is_per_head)
    figure.update_xaxes(
        **ticks,
        range=[math.log10(low) - reach * 0.05, math.log10(high) + reach * 0.6],
        showgrid=True,
        tickangle=0,
        title=money_title(f"{title} per inhabitant" if is_per_head else title, is_log=True),
    )
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], showgrid=True)
    figure.update_layout(showlegend=True)
    return figure


def _sum(total: float, *, is_per_head: bool) -> str:
    """A computed sum, rounded: $232.5 bn, or $680 an inhabitant."""
    if not is_per_head:
        return theme.usd_bn(round(total, -1 if total >= 1000 else 1 if total >= 1 else 3))
    return f"${total:,.0f}" if total >= 10 else f"${total:,.2f}"


def _by_country_takeaway(frame: pd.DataFrame, filters: ByCountryFilters) -> str:
    sums = by_country_sums(frame, filters.per)
    if sums.empty:
        return "The population of these countries is not known, so nothing can be shown per inhabitant."
    is_per_head = filters.per == "head"
    top = next(records(sums))
    amount = _sum(top.total, is_per_head=is_per_head) + (" an inhabitant" if is_per_head else "")
    text = (
        f"{capitalised(the(sums.index[0]))} leads with {amount}, added up over {top.companies} of its "
        f"{_companies(top.listed)} on the list"
    )
    biggest = next(records(frame))
    if not is_per_head and len(frame) > 1:
        part = 100 * biggest.value_usd_bn / frame["value_usd_bn"].sum()
        text += f"; {biggest.company} alone is {theme.percent(part, 0)} of all"
    gaps = frame["without_figure"].iloc[0]
    places = listed([the(name) for name in gaps.split(", ")])
    return f"{text}. " + (f"No figure was found in {places}." if gaps else "Every country has a figure.")


by_country = register(
    Chart(
        id="funding-by-country",
        topic="companies",
        title="Whose companies raised the money",
        question="How does the money raised by the companies listed here spread over their home countries?",
        reading="A mark is one company's published figure, on a log scale; the grey stroke is their sum, "
        "computed here; beside the country stands how many of its listed companies have a figure. "
        "Figures have different dates, the list is not complete, and what is unknown is left out of "
        "the sum: read it as a lower bound.",
        filters=ByCountryFilters,
        sql=f"""
WITH profile AS (SELECT * FROM company_profile AS profile WHERE country_id IS NOT NULL AND {_NARROWED}),
figure AS (
    SELECT * FROM observation_figure AS figure
    WHERE dataset = 'company_figure' AND metric_id = $money AND NOT is_repeat
        AND ($dated_from IS NULL OR year BETWEEN $dated_from AND $dated_to)
    {_NEWEST}
),
gap AS (
    SELECT coalesce(string_agg(country, ', ' ORDER BY country), '') AS without_figure
    FROM (SELECT DISTINCT country FROM profile WHERE country_id NOT IN (
        SELECT profile.country_id FROM profile JOIN figure ON figure.entity_id = profile.company_id))
),
listed AS (SELECT country_id, count(*) AS listed FROM profile GROUP BY country_id)
SELECT figure.*, figure.harmonised_value / 1000 AS value_usd_bn, profile.company_id, profile.company,
    profile.kind, profile.country_id, profile.country, profile.headquarters, listed.listed,
    country.population AS inhabitants, gap.without_figure
FROM figure
JOIN profile ON profile.company_id = figure.entity_id
JOIN listed ON listed.country_id = profile.country_id
LEFT JOIN country_profile AS country ON country.entity_id = profile.country_id
CROSS JOIN gap
ORDER BY value_usd_bn DESC, figure.claim_id
""",  # noqa: S608  # constants only
        figure=_by_country,
        takeaway=_by_country_takeaway,
        columns=_COLUMNS,
        height=520,
    )
)


# --- who there is ---------------------------------------------------------------------------------


def _players(frame: pd.DataFrame, filters: CompanyFilters) -> go.Figure:
    figure, sketch = go.Figure(), Sketch()
    totals = frame.groupby("country_name").size()
    order = sorted(totals.index, key=lambda name: (name == UNKNOWN, -totals[name], name))
    names = {name: wrapped(name, 22) for name in order}
    for kind, color in PLAYER_COLORS.items():
        group = frame[frame["kind"] == kind]
        if group.empty:
            continue
        sketch.add_bar(
            x=[1] * len(group),
            y=group["country_name"].map(names),
            orientation="h",
            name=PLAYERS[kind],
            marker={"color": color, "line": {"width": 0}},
            customdata=hover_data(group, _player_words),
            hovertemplate=HOVER,
        )
    for name in order:
        sketch.add_annotation(
            x=totals[name], y=names[name], text=str(totals[name]), showarrow=False, xanchor="left", xshift=4
        )
    sketch.onto(figure)
    figure.update_layout(barmode="stack", bargap=0.25, showlegend=frame["kind"].nunique() > 1)
    figure.update_layout(legend_traceorder="normal")
    figure.update_xaxes(title="Companies listed", rangemode="tozero", range=[0, float(totals.max()) * 1.08])
    figure.update_yaxes(
        categoryorder="array", categoryarray=[names[name] for name in order][::-1], showgrid=False
    )
    return figure


UNKNOWN = "Home not known"


def _player_words(row: Any) -> str:
    since = f", founded {row.founded_year:.0f}" if pd.notna(row.founded_year) else ""
    models = f"<br>{wrapped(row.models, 60)}" if pd.notna(row.models) else ""
    home = f", {row.headquarters}" if pd.notna(row.headquarters) else ""
    return f"{row.company}: {PLAYERS[row.kind].lower()}{home}{since}{models}"


def _players_takeaway(frame: pd.DataFrame, filters: CompanyFilters) -> str:
    kinds = frame["kind"].value_counts()
    homes = frame.loc[frame["country_name"] != UNKNOWN, "country_name"].value_counts()
    said = ", ".join(f"{count} {_plural(str(kind), count)}" for kind, count in kinds.items())
    text = f"{_companies(len(frame))} on the list: {said}"
    if not homes.empty:
        text += f"; {homes.iloc[0]} of them at home in {the(homes.index[0])}"
    return text + "."


def _plural(kind: str, count: int) -> str:
    if count == 1:
        return kind
    return kind.removesuffix("y") + "ies" if kind.endswith("community") else kind + "s"


players = register(
    Chart(
        id="companies-by-country",
        topic="companies",
        title="Who there is, and where",
        question="Which kinds of player are on the list, and in which countries are they at home?",
        reading="A block is one company of the list, coloured by its kind. The list holds what the sources "
        "name: it is no census, and sources in English name American companies more readily.",
        filters=CompanyFilters,
        sql=f"""
SELECT company_id AS claim_id, source_id, publisher, published, url, 'relayed' AS attribution, company, kind,
    coalesce(country, '{UNKNOWN}') AS country_name, headquarters, founded_year, models, note
FROM company_profile AS profile
WHERE {_NARROWED}
ORDER BY kind, company
""",  # noqa: S608  # constants only
        figure=_players,
        takeaway=_players_takeaway,
        columns={
            "company": "Company",
            "kind": "Kind of player",
            "country_name": "Country",
            "headquarters": "Headquarters",
            "founded_year": "Founded in year",
            "models": "Models named",
            "publisher": "Publisher",
            "published": "Published",
            "attribution": "How it was read",
            "url": "Address",
        },
        height=450,
    )
)


# --- the list -------------------------------------------------------------------------------------


class ListFilters(Filters):
    """What narrows the list of companies, and the one whose profile is shown."""

    seek: Annotated[str, Control("Search", all_label="Company, place or model", is_primary=True)] = ""
    company: Annotated[
        str,
        Control(
            "Profile of",
            "SELECT '' AS value, 'No company chosen' AS label UNION ALL "
            "(SELECT company_id, company FROM company_profile ORDER BY lower(company))",
            is_primary=True,
            width=320,
        ),
    ] = ""


def player(kind: str) -> str:
    """A kind of player as a heading says it."""
    return PLAYERS.get(kind, capitalised(kind))
