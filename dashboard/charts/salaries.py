"""What records of pay say, by role, level, country, year and place of work: quantiles, n and the mix behind.

All figures come from cells, so each is a count of records in some group; no group under ten is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    HOVER,
    EndLabel,
    capitalised,
    label_line_ends,
    legend_below,
    records,
    title_above,
    wrapped,
    year_axis,
)

Counting = Literal["postings", "reports"]
Seniority = Literal["EN", "MI", "SE", "EX"]
Remote = Literal["0", "50", "100"]
Contract = Literal["FT", "PT", "CT", "FL"]
Size = Literal["S", "M", "L"]
LEAST = 10  # records that a group needs to be shown
COUNTINGS = {"postings": "Distinct postings", "reports": "As reported"}
SENIORITIES = {"EN": "Entry", "MI": "Mid", "SE": "Senior", "EX": "Executive"}
REMOTES = {"0": "On site", "50": "Hybrid", "100": "Remote"}
CONTRACTS = {"FT": "Full time", "PT": "Part time", "CT": "Contract", "FL": "Freelance"}
SIZES = {"S": "Under 50 people", "M": "50 to 250", "L": "Over 250"}
ROLE_OPTIONS = (
    "SELECT role_id, any_value(role) AS label FROM salary_cell JOIN salary_role USING (role_id) "
    "GROUP BY role_id, position ORDER BY position"
)
AI_ROLES = "Generative AI and machine learning"
SOURCE_OPTIONS = (
    "SELECT source, name FROM salary_source WHERE source IN (SELECT DISTINCT source FROM salary_cell) "
    "ORDER BY source <> 'aijobs', name"
)
ROW = 27  # pixels of one row
MOST_ROWS = 22


class SalaryFilters(Filters):
    """What every chart of pay records can be narrowed by."""

    pay_roles: Annotated[
        list[str], Control("Roles", ROLE_OPTIONS, all_label="All roles", is_primary=True, width=300)
    ] = []
    seniority: Annotated[
        list[Seniority],
        Control("Experience", labels=SENIORITIES, all_label="All levels", is_primary=True, width=200),
    ] = []
    employer_in: Annotated[
        list[str],
        Control(
            "Employer in",
            "SELECT country, any_value(entity.name) AS label FROM salary_cell "
            "JOIN entity ON entity.entity_id = country GROUP BY country "
            "HAVING sum(postings) >= 10 ORDER BY sum(postings) DESC",
            all_label="All countries",
            help="A survey tells where people live; there it is that country.",
            is_primary=True,
            width=200,
        ),
    ] = []
    counting: Annotated[
        Counting,
        Control(
            "Counting",
            labels=COUNTINGS,
            help="Distinct postings: the two ends of a range are one posting at its middle, and a "
            "posting that is listed again counts once. As reported: every record counts with the pay that "
            "it states.",
            is_primary=True,
        ),
    ] = "postings"
    pay_years: Annotated[
        tuple[int, int] | None, Control("Years", "SELECT min(year), max(year) FROM salary_cell")
    ] = None
    works: Annotated[list[Remote], Control("Place of work", labels=REMOTES, all_label="Anywhere")] = []
    contract: Annotated[list[Contract], Control("Contract", labels=CONTRACTS, all_label="Any contract")] = []
    size: Annotated[list[Size], Control("Size of the employer", labels=SIZES, all_label="Any size")] = []
    pay_source: Annotated[
        str,
        Control(
            "Source", SOURCE_OPTIONS, help="One at a time: pay told in a survey and pay posted do not mix."
        ),
    ] = "aijobs"


CHOSEN = """
    FROM salary_cell AS cell
    WHERE cell.source = $pay_source
        AND (len($pay_roles::VARCHAR[]) = 0 OR list_contains($pay_roles::VARCHAR[], cell.role_id))
        AND (len($seniority::VARCHAR[]) = 0 OR list_contains($seniority::VARCHAR[], cell.experience))
        AND (len($employer_in::VARCHAR[]) = 0 OR list_contains($employer_in::VARCHAR[], cell.country))
        AND ($pay_years_from IS NULL OR cell.year BETWEEN $pay_years_from AND $pay_years_to)
        AND (len($works::VARCHAR[]) = 0 OR list_contains($works::VARCHAR[], cell.remote::VARCHAR))
        AND (len($contract::VARCHAR[]) = 0 OR list_contains($contract::VARCHAR[], cell.employment))
        AND (len($size::VARCHAR[]) = 0 OR list_contains($size::VARCHAR[], cell.company_size))
"""
COUNTED = "CASE $counting WHEN 'reports' THEN cell.reports ELSE cell.postings END"

# Between these two of n sorted records lies the true median in at least 95 of 100 samples.
LOWER_RANK = "greatest(1, floor((total - 1.96 * sqrt(total)) / 2))"
UPPER_RANK = "least(total, ceil(1 + (total + 1.96 * sqrt(total)) / 2))"


SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
MIX = """,
        100.0 * coalesce(sum(from_us), 0) / total AS us_share,
        sum(reports)::BIGINT AS reports,
        100.0 * sum(paired) / sum(reports) AS paired_share"""
NOUN = "CASE $counting WHEN 'reports' THEN 'records' ELSE source.records_are END AS noun"


def listed_sql(group: str, more: str = "") -> str:
    """SELECT of the groups of `counted` (`salary_k`, `n` and the columns of the group) that are large enough.

    One running sum over all groups is several times faster than one each, so a group knows how many records
    are `before` it. `pays` are its pays in rising order, `uptos` how many records there are up to each.
    """
    return f"""
    SELECT
        {group},
        sum(n) AS total,
        max(upto) - total AS before,
        list(salary_k ORDER BY salary_k) AS pays,
        list(upto ORDER BY salary_k) AS uptos{more}
    FROM (
        SELECT *, sum(n) OVER (ORDER BY {group}, salary_k ROWS UNBOUNDED PRECEDING) AS upto FROM counted
    ) AS ranked
    GROUP BY {group}
    HAVING total >= {LEAST}
"""  # noqa: S608  # texts of this package


def pay_at(rank: str) -> str:
    """SQL of the pay (US$) of the record of that rank in a group of `listed_sql`."""
    return f"1000.0 * pays[1 + len(list_filter(uptos, lambda upto: upto < before + {rank}))]"


def pay_between(place: str) -> str:
    """SQL of the pay at a place that may lie between two records, interpolated."""
    return (
        f"({pay_at(f'floor({place})')} * (1 - {place} + floor({place})) "
        f"+ {pay_at(f'ceil({place})')} * ({place} - floor({place})))"
    )


def pay_quantile(share: object) -> str:
    """SQL of the pay that this share of a group of `listed_sql` is paid at most, interpolated."""
    return pay_between(f"(1 + (total - 1) * {share})")


def pays_sql(shares: Sequence[float]) -> str:
    """SQL of a list of pays of a group of `listed_sql`: its quantiles, and the ends of the median's interval.

    The interval is that of order statistics: between two records so far apart that the true median lies
    outside in at most one of twenty samples, however pay is distributed.
    """
    places = f"list_transform({list(shares)}, lambda share: 1 + (total - 1) * share)"
    ends = f"[{LOWER_RANK}, {UPPER_RANK}]"
    return f"list_transform({places} || {ends}, lambda place: {pay_between('place')})"


def quantiles_sql(group: str, label: str, more: str = "", join: str = "") -> str:
    """SELECT of quantiles, n and mix of the chosen cells by one column of `salary_cell`."""
    return f"""
WITH counted AS (
    SELECT
        {group} AS value,
        cell.salary_k,
        sum({COUNTED}) AS n,
        sum({COUNTED}) FILTER (cell.country = 'USA') AS from_us,
        sum(cell.reports) AS reports,
        sum(cell.paired_reports) AS paired
    {CHOSEN}
    GROUP BY ALL
    HAVING value IS NOT NULL
),

listed AS ({listed_sql("value", MIX)}),

told AS (SELECT *, {pays_sql(SHARES)} AS pay FROM listed),

summary AS (
    SELECT
        value, total::BIGINT AS n,
        pay[1] AS p10, pay[2] AS p25, pay[3] AS median, pay[4] AS p75, pay[5] AS p90, pay[6] AS lower,
        pay[7] AS upper, us_share, reports, paired_share
    FROM told
)

SELECT
    summary.*,
    {label} AS label,
    {NOUN},
    $pay_source || ':' || summary.value::VARCHAR AS claim_id,
    source.source_id,
    source.publisher,
    source.published,
    'relayed' AS attribution,
    source.url
    {more}
FROM summary
JOIN salary_source AS source ON source.source = $pay_source
{join}
"""  # noqa: S608  # texts of this module; values are parameters


def dollars(value: float) -> str:
    """Yearly pay, rounded to a thousand: $186k, $1.2M."""
    return f"${value / 1e6:,.1f}M" if value >= 999_500 else f"${value / 1000:,.0f}k"


def _mix(row: Any) -> str:
    return f"{row.n:,} {row.noun}, {theme.percent(row.us_share, 0)} from the US{_pairs(row.paired_share)}"


def _pairs(share: float) -> str:
    """How many records are ends of ranges; surveys have none."""
    return f"; {theme.percent(share, 0)} of their records are ends of ranges" if share else ""


def _words(row: Any) -> str:
    """A group as hover text."""
    return (
        f"<b>{wrapped(str(row.label), 40)}</b><br>Median {dollars(row.median)}, 95% interval "
        f"{dollars(row.lower)}–{dollars(row.upper)}<br>Middle half {dollars(row.p25)}–{dollars(row.p75)}, "
        f"10–90% {dollars(row.p10)}–{dollars(row.p90)}<br>{wrapped(_mix(row), 46)}"
    )


def _rest(frame: pd.DataFrame) -> str:
    """How a sentence about the frame always ends: how many, from where, how many of them ends of ranges."""
    total, reports = int(frame["n"].sum()), frame["reports"]
    us = float((frame["us_share"] * frame["n"]).sum() / total)
    paired = float((frame["paired_share"] * reports).sum() / reports.sum())
    return f"; {total:,} {frame['noun'].iloc[0]}, {theme.percent(us, 0)} from the US{_pairs(paired)}."


@dataclass(frozen=True)
class Rows:
    """How the rows of a chart of ranges look: title of the axis, colour of a row, what the colours say."""

    title: str = "Yearly pay, US$"
    color: Callable[[Any], str] = lambda _: theme.BLUE
    names: Mapping[str, str] = field(default_factory=dict)
    most: int = MOST_ROWS


def interval_bars(rows: pd.DataFrame, value: str) -> dict[str, Any]:
    """Whiskers from `lower` to `upper` around a column of values."""
    return {
        "type": "data",
        "symmetric": False,
        "array": rows["upper"] - rows[value],
        "arrayminus": rows[value] - rows["lower"],
        "color": theme.GREY,
        "thickness": 1.5,
        "width": 4,
    }


def ranges(frame: pd.DataFrame, look: Rows) -> go.Figure:
    """One row a group: thin 10th to 90th percentile, thick the middle half, median with interval."""
    figure = go.Figure()
    shown = frame.head(look.most)
    for place, row in enumerate(records(shown)):
        color = look.color(row)
        for low, high, width in ((row.p10, row.p90, 2), (row.p25, row.p75, 9)):
            figure.add_scatter(
                x=[low, high],
                y=[place, place],
                mode="lines",
                line={"color": color, "width": width},
                opacity=0.35 if width > 2 else 0.8,
                showlegend=False,
                hoverinfo="skip",
            )
    colors = pd.Series([look.color(row) for row in records(shown)])
    for color in colors.unique():
        rows = shown[(colors == color).to_numpy()]
        figure.add_scatter(
            x=rows["median"],
            y=colors.index[colors == color],
            mode="markers",
            name=look.names.get(color, "median"),
            marker={"size": 10, "color": color},
            error_x=interval_bars(rows, "median"),
            customdata=[[row.claim_id, _words(row)] for row in records(rows)],
            hovertemplate=HOVER,
        )
    if look.names:
        legend_below(figure, room=50)
    labels = [
        f"{wrapped(str(row.label), 26)} <span style='font-size:10px'>n={row.n:,}</span>"
        for row in records(shown)
    ]
    figure.update_yaxes(
        tickvals=list(range(len(shown))),
        ticktext=labels,
        range=[max(len(shown), 4) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(
        range=[0, float(shown["p90"].max()) * 1.05],
        tickprefix="$",
        tickformat="~s",
        nticks=7,
        tickangle=0,
        showgrid=True,
    )
    title_above(figure, look.title)
    return figure


def _extremes(frame: pd.DataFrame, filters: SalaryFilters) -> str:
    """Highest and lowest median of the groups."""
    top = frame.iloc[int(frame["median"].argmax())]
    if len(frame) == 1:
        return f"{top['label']}: a median of {dollars(top['median'])}{_rest(frame)}"
    low = frame.iloc[int(frame["median"].argmin())]
    return (
        f"The median runs from {dollars(low['median'])} ({low['label']}) to {dollars(top['median'])} "
        f"({top['label']}){_rest(frame)}"
    )


COLUMNS = {
    "label": "Group",
    "n": "n",
    "p10": "10th percentile (US$)",
    "p25": "25th percentile (US$)",
    "median": "Median (US$)",
    "p75": "75th percentile (US$)",
    "p90": "90th percentile (US$)",
    "lower": "Median, 95% from (US$)",
    "upper": "Median, 95% to (US$)",
    "us_share": "From the US (%)",
    "paired_share": "Ends of ranges (%)",
    "publisher": "Publisher",
    "published": "Published",
    "attribution": "How it was read",
    "url": "Address",
}
READING = (
    "Dot: median, with its 95% interval; thick: the middle half; thin: 10th to 90th percentile; n: how many. "
    f"Groups under {LEAST} are not shown. Pay is rounded to thousands of US dollars. The interval covers "
    "chance, not who reports and who does not."
)


def _role_color(row: Any) -> str:
    return theme.VERMILION if row.family == AI_ROLES else theme.BLUE


def _by_role(frame: pd.DataFrame, filters: SalaryFilters) -> go.Figure:
    names = {theme.VERMILION: AI_ROLES, theme.BLUE: "Other roles"}
    return ranges(frame, Rows(color=_role_color, names=names, most=31))


distribution = register(
    Chart(
        id="salary-distribution",
        topic="salaries",
        title="Pay by role",
        question="What is paid for each role, and how far does it spread?",
        reading=f"Sorted by median. {READING}",
        filters=SalaryFilters,
        sql=quantiles_sql(
            "cell.role_id",
            "role.name",
            ", role.family",
            "JOIN salary_role AS role ON role.role_id = summary.value",
        )
        + "ORDER BY median DESC, label",
        figure=_by_role,
        takeaway=_extremes,
        columns=COLUMNS,
        height=31 * ROW + 90,
    )
)


def _plain_ranges(frame: pd.DataFrame, filters: SalaryFilters) -> go.Figure:
    return ranges(frame, Rows())


def _gap(frame: pd.DataFrame, filters: SalaryFilters) -> str:
    """From the first group to the last, in the order of the chart."""
    first, last = frame.iloc[0], frame.iloc[-1]
    if len(frame) == 1:
        return _extremes(frame, filters)
    more = round(100 * (last["median"] / first["median"] - 1))
    than = f"{abs(more)}% {'more' if more > 0 else 'less'} than" if more else "as much as"
    return (
        f"{capitalised(str(last['label']))}: a median of {dollars(last['median'])}, {than} "
        f"{str(first['label']).lower()} ({dollars(first['median'])}){_rest(frame)}"
    )


def _case(column: str, words: dict[str, str]) -> str:
    cases = " ".join(f"WHEN '{code}' THEN '{word}'" for code, word in words.items())
    return f"CASE {column}::VARCHAR {cases} END"


def _order(column: str, words: dict[str, str]) -> str:
    return f"ORDER BY list_position({list(words)}, {column}::VARCHAR)"


experience = register(
    Chart(
        id="salary-by-experience",
        topic="salaries",
        title="Pay by experience",
        question="How much more do senior people earn?",
        reading=READING,
        filters=SalaryFilters,
        sql=quantiles_sql("cell.experience", _case("summary.value", SENIORITIES))
        + _order("summary.value", SENIORITIES),
        figure=_plain_ranges,
        takeaway=_gap,
        columns=COLUMNS,
        height=230,
    )
)

remote = register(
    Chart(
        id="salary-by-remote",
        topic="salaries",
        title="Pay by place of work",
        question="Is remote work paid differently?",
        reading=f"{READING} ai-jobs.net hardly tells hybrid work apart.",
        filters=SalaryFilters,
        sql=quantiles_sql("cell.remote", _case("summary.value", REMOTES)) + _order("summary.value", REMOTES),
        figure=_plain_ranges,
        takeaway=_gap,
        columns=COLUMNS,
        height=230,
    )
)


# --- countries ------------------------------------------------------------------------------------


class CountryFilters(SalaryFilters):
    """The same, with prices."""

    ppp: Annotated[
        bool,
        Control(
            "Adjust for prices",
            help="Divides by the price level of the country: what the pay buys there, at US prices.",
            is_primary=True,
        ),
    ] = False


MONEY = ["p10", "p25", "median", "p75", "p90", "lower", "upper"]


def adjusted(frame: pd.DataFrame, filters: CountryFilters) -> pd.DataFrame:
    """The frame as it is drawn: with or without prices, highest median first."""
    if filters.ppp:
        frame = frame[frame["price_level"].notna()].copy()
        frame[MONEY] = frame[MONEY].div(frame["price_level"], axis=0)
    return frame.sort_values(["median", "label"], ascending=[False, True])


def _by_country(frame: pd.DataFrame, filters: CountryFilters) -> go.Figure:
    frame = adjusted(frame, filters)
    if frame.empty:
        return go.Figure()
    words = frame["label"] + [
        f" (prices {row.price_level:.2f})" if filters.ppp else "" for row in records(frame)
    ]
    title = "Yearly pay at US prices, US$" if filters.ppp else "Yearly pay, US$"
    return ranges(frame.assign(label=words), Rows(title=title))


def _by_country_takeaway(frame: pd.DataFrame, filters: CountryFilters) -> str:
    shown = adjusted(frame, filters)
    if shown.empty:
        return "No price level is known for these countries."
    kept_back = (
        f" The {MOST_ROWS} highest are drawn, all {len(shown)} are in the table."
        if len(shown) > MOST_ROWS
        else ""
    )
    if not filters.ppp:
        return _extremes(shown, filters) + kept_back
    first, last = (int(each) for each in (shown["ppp_year"].min(), shown["ppp_year"].max()))
    years = f"{first}" if first == last else f"{first} to {last}"
    sources = ", ".join(sorted({str(name) for name in shown["price_publisher"].dropna()}))
    return (
        f"{_extremes(shown, filters)[:-1]}; at US prices, with price levels of {years}, {sources}.{kept_back}"
    )


country = register(
    Chart(
        id="salary-by-country",
        topic="salaries",
        title="Pay by country",
        question="Where is pay highest, and what does it buy there?",
        reading=f"{READING} The country is that of the employer; of the worker in a survey, which asks for "
        "nothing else. Adjusted: divided by the price level of the country, its purchasing power "
        "parity over its exchange rate (United States = 1); a country without one is left out then.",
        filters=CountryFilters,
        sql=quantiles_sql(
            "cell.country",
            "place.name",
            ", prices.price_level, prices.ppp_year, prices.price_level_rate_year, "
            "prices.ppp_publisher AS price_publisher",
            """JOIN entity AS place ON place.entity_id = summary.value
LEFT JOIN country_profile AS prices ON prices.entity_id = summary.value
""",
        )
        + "ORDER BY median DESC, label",
        figure=_by_country,
        takeaway=_by_country_takeaway,
        columns={
            **COLUMNS,
            "price_level": "Price level (US = 1)",
            "ppp_year": "Parity of year",
            "price_level_rate_year": "Exchange rate of year",
            "price_publisher": "Parity published by",
        },
        height=MOST_ROWS * ROW + 60,
    )
)


# --- years ----------------------------------------------------------------------------------------

MOST_LINES = 6


def _trend(frame: pd.DataFrame, filters: SalaryFilters) -> go.Figure:
    """A line a role, its interval as a band; the names at the ends of the lines."""
    figure = go.Figure()
    labels = []
    for place, (name, group) in enumerate(frame.groupby("label", sort=False)):
        color = theme.PALETTE[place % len(theme.PALETTE)]
        years = list(group["year"])
        figure.add_scatter(
            x=[*years, *years[::-1]],
            y=[*group["upper"], *group["lower"][::-1]],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=color,
            opacity=0.18,
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=years,
            y=group["median"],
            mode="lines+markers",
            line={"color": color, "width": 2},
            marker={"size": 8, "color": color},
            customdata=[[row.claim_id, f"{row.year}: {_words(row)}"] for row in records(group)],
            hovertemplate=HOVER,
        )
        labels.append(EndLabel(str(name), float(group["median"].iloc[-1]), color))
    top = float(frame["upper"].max()) * 1.05
    label_line_ends(figure, labels, (0.0, top), 420)
    figure.update_yaxes(tickprefix="$", tickformat="~s")
    year_axis(figure, int(frame["year"].min()), int(frame["year"].max()))
    title_above(figure, "Median yearly pay, US$")
    return figure


def _trend_takeaway(frame: pd.DataFrame, filters: SalaryFilters) -> str:
    said = []
    for name, group in frame.groupby("label", sort=False):
        first, last = group.iloc[0], group.iloc[-1]
        if first["year"] < last["year"]:
            said.append(
                f"{name}, {dollars(first['median'])} in {first['year']} and {dollars(last['median'])} in "
                f"{last['year']}"
            )
    if not said:
        return f"Only one year has enough of them{_rest(frame)}"
    return f"Median pay: {'; '.join(said)}{_rest(frame)}"


trend = register(
    Chart(
        id="salary-trend",
        topic="salaries",
        title="Pay by year",
        question="Has pay changed?",
        reading="Line: median; band: its 95% interval. With up to six roles chosen, a line each; else all "
        "roles together. Who reports changes from year to year, and the first years have few records, so a "
        "step is no raise that anybody got.",
        filters=SalaryFilters,
        sql=quantiles_sql(
            "{'role_id': CASE WHEN len($pay_roles::VARCHAR[]) BETWEEN 1 AND 6 THEN cell.role_id "
            "ELSE 'all' END, "
            "'year': cell.year}",
            "coalesce(role.name, CASE WHEN len($pay_roles::VARCHAR[]) = 0 THEN 'All roles' "
            "ELSE 'All chosen roles' END)",
            ", summary.value.year AS year",
            "LEFT JOIN salary_role AS role ON role.role_id = summary.value.role_id",
        )
        + "ORDER BY role.position, year",
        figure=_trend,
        takeaway=_trend_takeaway,
        columns={"label": "Role", "year": "Year", **{k: v for k, v in COLUMNS.items() if k != "label"}},
        height=420,
    )
)


# --- roles side by side ---------------------------------------------------------------------------

COMPARED = ("role-ai-engineer", "role-ml-engineer", "role-data-scientist", "role-software-engineer")
STEP = 20  # thousand dollars


def _step_words(row: Any) -> str:
    paid = f"${row.step}k to ${row.step + STEP}k"
    return f"<b>{row.label}</b><br>{paid}: {theme.percent(row.share)} of {row.n:,}"


def _compare(frame: pd.DataFrame, filters: SalaryFilters) -> go.Figure:
    """A curve a role: which share of its postings is paid how much, in steps of 20,000."""
    figure = go.Figure()
    for place, (_, group) in enumerate(frame.groupby("label", sort=False)):
        color = theme.PALETTE[place % len(theme.PALETTE)]
        figure.add_scatter(
            x=1000.0 * (group["step"] + STEP / 2),
            y=group["share"],
            name=str(group["label"].iloc[0]),
            mode="lines",
            line={"color": color, "width": 2, "shape": "spline", "smoothing": 0.6},
            customdata=[[row.claim_id, _step_words(row)] for row in records(group)],
            hovertemplate=HOVER,
        )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(
        range=[0, 420_000], tickprefix="$", tickformat="~s", title="Yearly pay, US$", showgrid=True
    )
    figure.update_yaxes(ticksuffix="%", rangemode="tozero", title="Share of the role")
    return figure


def _compare_takeaway(frame: pd.DataFrame, filters: SalaryFilters) -> str:
    over = frame[frame["step"] >= 200].groupby("label", sort=False)["share"].sum()
    over = over.reindex(frame["label"].unique(), fill_value=0.0).sort_values(ascending=False)
    said = ", ".join(f"{name} {theme.percent(share, 0)}" for name, share in over.items())
    total = int(frame.drop_duplicates("label")["n"].sum())
    first = next(records(frame))
    return (
        f"Paid $200k or more: {said}; {total:,} {first.noun}, {theme.percent(first.us_share, 0)} from the US"
        f"{_pairs(first.paired_share)}."
    )


compare = register(
    Chart(
        id="salary-roles-compare",
        topic="salaries",
        title="Roles side by side",
        question="How does the whole range of pay differ between roles?",
        reading="A curve gives the share of a role's postings in each step of 20,000 US dollars. The first "
        "six roles chosen above; with none chosen, AI engineer, machine-learning engineer, data scientist "
        "and software engineer.",
        filters=SalaryFilters,
        sql=f"""
WITH counted AS (
    SELECT
        cell.role_id,
        {STEP} * (cell.salary_k // {STEP}) AS step,
        sum({COUNTED}) AS here,
        sum({COUNTED}) FILTER (cell.country = 'USA') AS from_us,
        sum(cell.reports) AS reports,
        sum(cell.paired_reports) AS paired
    {CHOSEN}
        AND list_contains(
            CASE WHEN len($pay_roles::VARCHAR[]) = 0 THEN {list(COMPARED)}
                ELSE ($pay_roles::VARCHAR[])[1:{MOST_LINES}] END,
            cell.role_id
        )
    GROUP BY ALL
),

shared AS (
    SELECT
        *,
        sum(here) OVER (PARTITION BY role_id) AS n,
        100.0 * coalesce(sum(from_us) OVER (), 0) / sum(here) OVER () AS us_share,
        100.0 * sum(paired) OVER () / sum(reports) OVER () AS paired_share
    FROM counted
)

SELECT
    role.name AS label,
    shared.step,
    100.0 * shared.here / shared.n AS share,
    shared.n::BIGINT AS n,
    shared.us_share,
    shared.paired_share,
    {NOUN},
    $pay_source || ':' || shared.role_id AS claim_id,
    source.source_id,
    source.publisher,
    source.published,
    'relayed' AS attribution,
    source.url
FROM shared
JOIN salary_role AS role USING (role_id)
JOIN salary_source AS source ON source.source = $pay_source
WHERE shared.n >= {LEAST}
ORDER BY role.position, shared.step
""",  # noqa: S608  # constants of this module
        figure=_compare,
        takeaway=_compare_takeaway,
        columns={
            "label": "Role",
            "step": "Pay from (thousand US$)",
            "share": "Share of the role (%)",
            "n": "n of the role",
            "publisher": "Publisher",
            "published": "Published",
            "attribution": "How it was read",
            "url": "Address",
        },
        height=400,
    )
)
