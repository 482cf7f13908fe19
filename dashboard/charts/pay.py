"""Pay bands: what published pages say that a group of roles earns; base, total and unstated pay apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import HOVER, Sketch, capitalised, counted, hover_rows, records, wrapped
from dashboard.charts.rows import TEXT_LINE

Kind = Literal["base", "total", "not stated"]
Level = Literal["all", "entry", "mid", "senior", "lead", "executive"]
Tier = Literal["A", "B", "C", "seed"]
KINDS: dict[str, str] = {
    "base": "Base pay",
    "total": "Total pay, bonus and shares included",
    "not stated": "Not stated whether base or total",
}
KIND_COLORS = {"base": theme.BLUE, "total": theme.VERMILION, "not stated": theme.GREY}
LEVELS: dict[str, str] = {
    "all": "all levels",
    "entry": "entry",
    "mid": "mid",
    "senior": "senior",
    "lead": "lead",
    "executive": "executive",
}
TIERS: dict[str, str] = {
    "A": "A: data set or official survey",
    "B": "B: salary platform or recruiter",
    "C": "C: page without a stated method",
    "seed": "seed: the guide that this project started from",
}
STATISTICS: dict[str, str] = {
    "min": "lowest of the range",
    "p10": "10th percentile",
    "p25": "25th percentile",
    "median": "median",
    "mean": "mean",
    "p75": "75th percentile",
    "p90": "90th percentile",
    "max": "highest of the range",
}
# How a range is drawn, widest first: statistic at its two ends, width, dash.
RANGES = (("min", "max", 2, "3px,3px"), ("p10", "p90", 2, "solid"), ("p25", "p75", 7, "solid"))
SYMBOLS = {"median": "circle", "mean": "diamond-open"}
HEIGHT = 1000
ROOM = HEIGHT - 75  # pixels for headings and bands
LABEL_LETTERS = 55
HEADING = 30  # pixels
BAND = 16  # pixels below a label for the band and the gap to the next
MOST_STRETCH = 1.5


class PayFilters(Filters):
    """Filters of the pay bands."""

    pay_group: Annotated[
        str,
        Control(
            "Roles",
            "SELECT role_group, CASE role_group WHEN 'AI roles' THEN 'Other AI roles' ELSE "
            "upper(role_group[1]) || role_group[2:] END AS label FROM salary_statement "
            "GROUP BY role_group ORDER BY role_group <> 'generative AI', count(*) DESC",
            is_primary=True,
        ),
    ] = "generative AI"
    place: Annotated[
        str,
        Control(
            "Place",
            "SELECT entity_id, place FROM salary_statement GROUP BY entity_id, place, place_kind "
            "ORDER BY place_kind NOT IN ('world', 'country'), place",
            is_primary=True,
        ),
    ] = "USA"
    pay_kind: Annotated[
        list[Kind],
        Control("Kind of pay", labels=KINDS, all_label="All kinds, apart", is_primary=True),
    ] = []
    level: Annotated[list[Level], Control("Experience", labels=LEVELS, all_label="All levels")] = []
    tier: Annotated[
        list[Tier],
        Control("Tier of the source", labels=TIERS, all_label="All tiers"),
    ] = []
    older: Annotated[
        bool, Control("Older years too", help="Otherwise only the newest year that a publisher gives.")
    ] = False
    repeats: Annotated[
        bool, Control("Include repeats", help="The same figure of the same firm, read on another page.")
    ] = False


@dataclass(frozen=True)
class Band:
    """All statistics that one publication prints for one role, level, year and kind of pay."""

    claims: dict[str, Any]
    first: Any

    @property
    def kind(self) -> str:
        """Base, total or not stated."""
        return str(self.first.compensation_kind)

    @property
    def order(self) -> tuple[Any, ...]:
        """Kinds apart; then by role, from entry to executive, from the best tier down."""
        row = self.first
        kinds, levels, tiers = list(KINDS), list(LEVELS), list(TIERS)
        return (
            kinds.index(row.compensation_kind),
            row.role,
            levels.index(row.experience_level),
            tiers.index(row.tier),
            row.publisher,
            str(row.year),
            row.claim_id,
        )

    @property
    def precedence(self) -> tuple[Any, ...]:
        """Which bands are drawn first: the guide's, then the best tiers, the newest before others."""
        row = self.first
        tiers = ["seed", "A", "B", "C"]
        return tiers.index(row.tier), -(row.year if pd.notna(row.year) else 0), self.order


def bands_of(frame: pd.DataFrame) -> list[Band]:
    """The bands that the claims form, in the order in which they are drawn."""
    keys = ["source_id", "role_id", "entity_id", "year", "experience_level", "experience_label"]
    keys += ["specialisation", "compensation_kind", "is_repeat"]
    bands = []
    for _, group in frame.groupby(keys, dropna=False, sort=False):
        rows = list(records(group.sort_values("claim_id")))
        bands.append(Band({row.statistic: row for row in rows}, rows[0]))
    return sorted(bands, key=lambda band: band.order)


def dollars(value: float) -> str:
    """Yearly pay, rounded to a label's length: $92.8k, $1.1M."""
    amount, suffix = (value / 1e6, "M") if value >= 999_950 else (value / 1000, "k")
    return (
        f"${amount:,.2f}".rstrip("0").rstrip(".") + suffix
        if suffix == "M"
        else f"${amount:,.1f}".removesuffix(".0") + "k"
    )


def _ends(band: Band) -> str:
    """The widest range that the band states, or its one figure."""
    for low, high, *_ in RANGES:
        if low in band.claims and high in band.claims:
            more = " or more" if band.claims[high].bound == "at_least" else ""
            return f"{dollars(band.claims[low].usd_value)}–{dollars(band.claims[high].usd_value)}{more}"
    row = next((band.claims[name] for name in ("median", "mean") if name in band.claims), band.first)
    return dollars(row.usd_value) + (" or more" if row.bound == "at_least" else "")


def _label(band: Band, *, names_role: bool) -> str:
    """What the band is about; below, its range and who says so, with the tier of the source."""
    row = band.first
    about = [row.role] if names_role else []
    about += [LEVELS[row.experience_level]] if row.experience_level != "all" or not names_role else []
    about += [row.specialisation] if pd.notna(row.specialisation) else []
    year = f" {row.year:.0f}" if pd.notna(row.year) else ""
    tier = "the guide (seed)" if row.tier == "seed" else f"tier {row.tier}"
    says = f"{_ends(band)}, {row.publisher}{year}, {tier}"
    return "<br>".join([wrapped(capitalised(", ".join(about)), LABEL_LETTERS), wrapped(says, LABEL_LETTERS)])


def _pixels(label: str) -> int:
    """Height of a label and of the band below it."""
    return TEXT_LINE * (label.count("<br>") + 1) + BAND


def _words(row: Any) -> str:
    """One pay statistic as a sentence, as printed and in dollars."""
    level = row.experience_label if pd.notna(row.experience_label) else LEVELS[row.experience_level]
    about = ", ".join([row.role, level, *([row.specialisation] if pd.notna(row.specialisation) else [])])
    bounds = {"at_least": "at least ", "at_most": "at most ", "about": "about "}
    printed = f"{bounds.get(row.bound, '')}{theme.exact(row.value)} {row.currency} a year"
    if row.currency != "USD":
        rate = f" at the rate of {row.rate_year:.0f}" if pd.notna(row.rate_year) else ", as printed"
        printed += f", or {row.usd_value:,.0f} USD{rate}"
    size = (
        f", {counted(row.sample_size, 'report')}"
        if pd.notna(row.sample_size)
        else ", number of reports not stated"
    )
    kind = KINDS[row.compensation_kind]
    when = f"{row.year:.0f}" if pd.notna(row.year) else "year not stated"
    return (
        f"{wrapped(about, 60)}<br>{STATISTICS[row.statistic]}: {printed}"
        f"<br>{kind}; {row.place}, {when}{size}<br>source {TIERS[row.tier]}"
    )


def _pay(frame: pd.DataFrame, filters: PayFilters) -> go.Figure:
    bands = bands_of(frame)
    names_role = frame["role"].nunique() > 1
    shown = fitting(bands, names_role=names_role)
    figure, sketch = go.Figure(), Sketch()
    height, kind = 0.0, ""
    for band in shown:
        if band.kind != kind:
            kind = band.kind
            square = f'<span style="color:{KIND_COLORS[kind]}">■</span>'
            _write(sketch, height, f"{square} <b>{KINDS[kind]}</b>")
            height += HEADING
        label = _label(band, names_role=names_role)
        _write(sketch, height, label)
        height += _pixels(label)
        _draw_band(sketch, band, height - BAND + 6)
    if len(shown) < len(bands):
        _write(sketch, height, f"… and {len(bands) - len(shown)} more in the table")
    sketch.onto(figure)
    figure.update_yaxes(range=[max(height + TEXT_LINE, ROOM / MOST_STRETCH), 0], visible=False)
    figure.update_xaxes(
        range=[0, float(frame["usd_value"].max()) * 1.06],
        showgrid=True,
        zeroline=False,
        tickprefix="$",
        tickformat="~s",
        nticks=6,
        tickangle=0,
        title="US$ a year",
    )
    return figure


def fitting(bands: Sequence[Band], *, names_role: bool) -> list[Band]:
    """As many bands as the chart has room for, of each kind of pay in turn."""
    turns: dict[str, int] = {}
    queue = []
    for band in sorted(bands, key=lambda band: band.precedence):
        turns[band.kind] = turns.get(band.kind, 0) + 1
        queue.append((turns[band.kind], band.precedence, band))
    room = ROOM - HEADING * len(turns) - 2 * TEXT_LINE
    kept = []
    for *_, band in sorted(queue, key=lambda item: item[:2]):
        room -= _pixels(_label(band, names_role=names_role))
        if room < 0:
            break
        kept.append(band)
    return sorted(kept, key=lambda band: band.order)


def _write(sketch: Sketch, height: float, text: str) -> None:
    """Text at the left edge whose first line begins at a height."""
    sketch.add_annotation(
        x=0,
        xref="paper",
        y=height,
        text=text,
        showarrow=False,
        xanchor="left",
        yanchor="top",
        align="left",
        borderpad=0,
        xshift=6,
    )


def _draw_band(sketch: Sketch, band: Band, height: float) -> None:
    color = KIND_COLORS[band.kind]
    for low, high, width, dash in RANGES:
        if low in band.claims and high in band.claims:
            sketch.add_scatter(
                x=[band.claims[low].usd_value, band.claims[high].usd_value],
                y=[height] * 2,
                mode="lines",
                name="range",
                line={"color": color, "width": width, "dash": dash},
                opacity=0.6,
                hoverinfo="skip",
            )
    rows = list(band.claims.values())
    sketch.add_scatter(
        x=[row.usd_value for row in rows],
        y=[height] * len(rows),
        mode="markers",
        name=KINDS[band.kind],
        customdata=hover_rows(rows, _words),
        hovertemplate=HOVER,
        cliponaxis=False,
        marker={
            "color": color,
            "symbol": [_symbol(row) for row in rows],
            "size": [10 if row.statistic in SYMBOLS or row.bound == "at_least" else 9 for row in rows],
            "line": {"width": 2, "color": color},
        },
    )


def _symbol(row: Any) -> str:
    if row.bound == "at_least":
        return "triangle-right"
    return SYMBOLS.get(row.statistic, "line-ns")


def _pay_takeaway(frame: pd.DataFrame, filters: PayFilters) -> str:
    bands = bands_of(frame)
    said = []
    for kind, words in (
        ("base", "base pay"),
        ("total", "total pay"),
        ("not stated", "pay of a kind not stated"),
    ):
        rows = frame[frame["compensation_kind"] == kind]
        if rows.empty:
            continue
        low, high = rows["usd_value"].min(), rows["usd_value"].max()
        count = sum(band.kind == kind for band in bands)
        span = dollars(low) if low == high else f"{dollars(low)} to {dollars(high)}"
        said.append(f"{words} {span} ({counted(count, 'statement')})")
    return f"{frame['place'].iloc[0]}, a year: {'; '.join(said)}. The kinds do not compare."


bands = register(
    Chart(
        id="pay-bands",
        topic="careers",
        title="What is said to be paid",
        question="Which pay do published pages state for a group of roles, and which kind of pay is it?",
        reading="A row is one published statement. Thick: 25th to 75th percentile; thin: 10th to 90th; "
        "dotted: the page's own range. Dot: median; hollow diamond: mean; triangle: at least. Tier A is "
        "a data set or an official survey, B a salary platform or recruiter, C a page that states no "
        "method, seed the guide that this project started from. Other currencies are converted at the "
        "rate of their year.",
        filters=PayFilters,
        sql="""
SELECT * FROM salary_statement
WHERE role_group = $pay_group AND entity_id = $place AND usd_value IS NOT NULL AND ($repeats OR NOT is_repeat)
    AND (len($pay_kind::VARCHAR[]) = 0 OR list_contains($pay_kind::VARCHAR[], compensation_kind))
    AND (len($level::VARCHAR[]) = 0 OR list_contains($level::VARCHAR[], experience_level))
    AND (len($tier::VARCHAR[]) = 0 OR list_contains($tier::VARCHAR[], tier))
QUALIFY $older OR year IS NOT DISTINCT FROM max(year) OVER (
    PARTITION BY publisher, role_id, experience_level, experience_label, specialisation, compensation_kind
)
ORDER BY compensation_kind, role, experience_level, claim_id
""",
        figure=_pay,
        takeaway=_pay_takeaway,
        columns={
            "role": "Role",
            "experience_label": "Experience as printed",
            "specialisation": "Specialisation",
            "compensation_kind": "Kind of pay",
            "statistic": "Statistic",
            "value": "Pay as published",
            "currency": "Currency",
            "usd_value": "Pay (US$)",
            "bound": "Bound",
            "sample_size": "Reports behind it",
            "year": "Year",
            "tier": "Tier",
            "publisher": "Publisher",
            "published": "Published",
            "attribution": "How it was read",
            "note": "Note",
            "url": "Address",
        },
        height=HEIGHT,
    )
)
