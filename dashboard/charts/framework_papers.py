"""PyTorch against TensorFlow in research papers, conference by conference."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.frameworks import not_measured, when
from dashboard.charts.marks import (
    HOVER,
    EndLabel,
    Sketch,
    hover_data,
    label_line_ends,
    records,
    said_by,
    title_above,
    year_axis,
)

HEIGHT = 480
LEFT, RIGHT = "pytorch", "tensorflow"


class PapersFilters(Filters):
    """How papers are compared, and where they appeared."""

    papers: Annotated[
        Literal["of-the-two", "of-all"],
        Control(
            "Papers",
            labels={"of-the-two": "PyTorch’s part of the two", "of-all": "Each of all papers"},
            help="Of the two: among papers that name exactly one of them. Of all: published shares.",
            is_primary=True,
        ),
    ] = "of-the-two"
    venue: Annotated[
        list[str],
        Control(
            "Conference",
            "SELECT DISTINCT population FROM framework_signal WHERE metric_id = 'papers_share' ORDER BY 1",
            is_primary=True,
            all_label="All conferences",
        ),
    ] = []


def _venue(population: str) -> str:
    return population.removesuffix(" papers")


def _head_to_head(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that hold PyTorch's part of the two; where no paper names either, there is none."""
    return frame[(frame["entity_id"] == LEFT) & frame["share_pct"].notna()]


def _part_words(row: Any) -> str:
    return (
        f"{_venue(row.population)} {when(row.period)}: {theme.percent(row.share_pct)} of the papers "
        f"that name one of the two name PyTorch<br>({theme.exact(row.value)} papers; computed)"
    )


def _share_words(row: Any) -> str:
    return f"{row.framework}: {theme.exact(row.value)}%, {row.population}, {when(row.period)}"


def _papers(frame: pd.DataFrame, filters: PapersFilters) -> go.Figure:
    figure, sketch = go.Figure(), Sketch()
    if filters.papers == "of-all":
        labels, column, shown = _draw_shares(sketch, frame), "value", frame
        title_above(figure, "Share of papers that name it, %")
    else:
        shown, column = _head_to_head(frame), "share_pct"
        figure.add_hline(y=50, line={"width": 1, "dash": "dot", "color": theme.GREY})
        labels = _draw_parts(sketch, shown)
        title_above(figure, "PyTorch’s part of the papers that name one of the two, %")
    sketch.onto(figure)
    if shown.empty:
        return figure
    top = 100.0 if column == "share_pct" else float(shown[column].max()) * 1.08 or 1.0
    figure.update_yaxes(ticksuffix="%")
    label_line_ends(figure, labels, (-2.0 if column == "share_pct" else 0.0, top + 2), HEIGHT)
    year_axis(figure, int(shown["position"].min()), float(shown["position"].max()))
    figure.update_xaxes(tickvals=list(range(int(shown["position"].min()), int(shown["position"].max()) + 2)))
    return figure


def _draw_parts(sketch: Sketch, shown: pd.DataFrame) -> list[EndLabel]:
    """One line a conference, and which name is the more common above and below equal parts."""
    for height, text in ((97, "PyTorch named more"), (3, "TensorFlow named more")):
        sketch.add_annotation(
            x=0,
            xref="paper",
            xanchor="left",
            y=height,
            text=text,
            showarrow=False,
            font={"color": theme.GREY},
        )
    labels = []
    ends = shown.sort_values("position").groupby("population").tail(1).set_index("population")["position"]
    for rank, name in enumerate(sorted(ends.index), start=1):
        line = shown[shown["population"] == name].sort_values("position")
        color = theme.hue(rank) if rank <= len(theme.PALETTE) else theme.GREY
        _draw(sketch, line, line["share_pct"], color, _part_words)
        labels.append(
            EndLabel(f"{_venue(name)} {line['year'].iloc[-1]}", float(line["share_pct"].iloc[-1]), color)
        )
    return labels


def _draw_shares(sketch: Sketch, frame: pd.DataFrame) -> list[EndLabel]:
    """One line a conference and framework in the colour of the framework; the highest ends are named."""
    labels = []
    ranks = frame.drop_duplicates("entity_id").sort_values("framework")["entity_id"]
    hues = {RIGHT: theme.hue(1), LEFT: theme.hue(2)}
    for entity in ranks:
        part = frame[frame["entity_id"] == entity]
        for _, line in part.groupby("population"):
            _draw(sketch, line.sort_values("position"), None, hues[entity], _share_words)
        newest = part.sort_values("position").iloc[-1]
        labels.append(EndLabel(str(newest["framework"]), float(newest["value"]), hues[entity]))
    return labels


def _draw(sketch: Sketch, line: pd.DataFrame, heights: pd.Series | None, color: str, said: Any) -> None:
    relayed = line["attribution"] != "primary"
    sketch.add_scatter(
        x=line["position"],
        y=line["value"] if heights is None else heights,
        mode="lines+markers",
        name=str(line["population"].iloc[0]),
        customdata=hover_data(line, said),
        hovertemplate=HOVER,
        line={"color": color, "width": 2 if heights is not None else 1.5},
        marker={
            "color": color,
            "size": 8,
            "symbol": [
                theme.SYMBOLS[how] + ("-open" if is_relayed else "")
                for how, is_relayed in zip(line["attribution"], relayed, strict=True)
            ],
        },
    )


def _papers_takeaway(frame: pd.DataFrame, filters: PapersFilters) -> str:
    if filters.papers == "of-all":
        return _shares_takeaway(frame)
    shown = _head_to_head(frame).sort_values("position")
    if shown.empty:
        return "No paper of this choice names one of the two."
    last: Any = shown.iloc[-1]
    same: Any = shown[shown["population"] == last.population].iloc[0]
    text = (
        f"At {_venue(last.population)} {last.year}, {theme.percent(last.share_pct)} of the papers that name "
        f"one of the two name PyTorch"
    )
    if same.year != last.year:
        text += f", against {theme.percent(same.share_pct)} in {same.year}"
    behind = shown[shown["share_pct"] < 50]
    if len(behind):
        final: Any = behind.iloc[-1]
        text += f"; TensorFlow was last ahead at {_venue(final.population)} {final.year}"
    return f"{text}.{not_measured(frame)}"


def _shares_takeaway(frame: pd.DataFrame) -> str:
    newest = frame[frame["position"] == frame["position"].max()].sort_values("value", ascending=False)
    told = [f"{row.framework} {theme.exact(row.value)}%" for row in records(newest)]
    said = said_by(str(newest["publisher"].iloc[0]))
    return (
        f"Newest figure, {when(newest['period'].iloc[0])}, {newest['population'].iloc[0]} ({said}): "
        f"{', '.join(told)}.{not_measured(frame)}"
    )


papers = register(
    Chart(
        id="framework-papers",
        topic="frameworks",
        title="PyTorch against TensorFlow in research papers",
        question="When did research move from one framework to the other?",
        reading="A line is one conference. “PyTorch’s part of the two” is computed from published counts of "
        "the papers that name exactly one of the two families; papers that name both or neither are out. "
        "“Each of all papers” shows the published shares, each framework in its colour; hollow marks were "
        "relayed, a square has no named firm. Populations stand side by side and are never added.",
        filters=PapersFilters,
        sql="""
SELECT framework_signal.*, metric.excludes,
    year + coalesce((TRY_CAST(nullif(substr(period, 6, 2), '') AS INTEGER) - 1) / 12.0, 0) AS position
FROM framework_signal
JOIN metric USING (metric_id)
WHERE entity_id IN ('pytorch', 'tensorflow')
    AND metric_id = CASE $papers WHEN 'of-all' THEN 'papers_share' ELSE 'paper_mentions' END
    AND (len($venue::VARCHAR[]) = 0 OR list_contains($venue::VARCHAR[], population))
ORDER BY population, period, framework
""",
        figure=_papers,
        takeaway=_papers_takeaway,
        columns={
            "population": "Papers of",
            "period": "Period",
            "framework": "Framework",
            "metric_label": "What is counted",
            "value": "Published value",
            "share_pct": "Part of the two (%, computed)",
            "note": "Note",
            "publisher": "Publisher",
            "published": "Published",
            "attribution": "Read as",
            "url": "Address",
        },
        height=HEIGHT,
    )
)
