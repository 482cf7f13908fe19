"""Studies: what AI was measured to do to work, beside what people expected and felt."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import (
    AXES_HEIGHT,
    HOVER,
    Sketch,
    capitalised,
    counted,
    hover_rows,
    records,
    title_above,
    wrapped,
)
from dashboard.charts.rows import (
    Block,
    about,
    stack,
)

STUDIES_HEIGHT = 1300
_DESIGNS = {
    "rct": ("Randomised trials: measured", "Some work with AI, some without, by lot"),
    "quasi-experiment": ("Staggered roll-out: measured", "Teams got the tool at different times"),
    "survey": (
        "Asked, not measured: expected and perceived",
        "Hollow: believed; dot: measured by the same trial",
    ),
}
_OUTCOMES = {"time": theme.BLUE, "output": theme.GREEN, "quality": theme.PURPLE}
_KINDS = {"measured": "circle", "expected": "diamond-open", "perceived": "square-open"}


class StudyFilters(Filters):
    """Filters of the studies: which outcome, which design."""

    outcome: Annotated[
        Literal["all", "time", "output", "quality"],
        Control(
            "Outcome",
            labels={"all": "All", "time": "Time", "output": "Amount of work", "quality": "Quality"},
            is_primary=True,
        ),
    ] = "all"
    design: Annotated[
        Literal["all", "rct", "quasi-experiment", "survey"],
        Control(
            "Design",
            labels={
                "all": "All",
                "rct": "Randomised",
                "quasi-experiment": "Roll-out",
                "survey": "Survey",
            },
            is_primary=True,
        ),
    ] = "all"
    interval: Annotated[bool, Control("With an interval only", is_primary=True)] = False


_STUDIES_SQL = """
SELECT effect.*, figure.metric_id, figure.metric_label
FROM study_effect AS effect
JOIN observation_figure AS figure USING (claim_id)
WHERE ($outcome = 'all' OR outcome_kind = $outcome)
    AND ($design = 'all' OR design = $design)
    AND (NOT $interval OR gain_low_pct IS NOT NULL)
ORDER BY
    CASE design WHEN 'rct' THEN 1 WHEN 'quasi-experiment' THEN 2 ELSE 3 END,
    (min(gain_pct) OVER (PARTITION BY study, design)), study, kind, gain_pct, study_id
"""


def signed(value: float) -> str:
    """A change with its sign: +26.08%, −19%."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{theme.exact(abs(value))}%"


def people_studied(row: Any) -> str:
    """How many took part, as the study says."""
    if pd.isna(row.n):
        return "n\u00a0not\u00a0stated"
    return f"n\u00a0=\u00a0{'about ' if row.n_bound == 'about' else ''}{int(row.n):,}"


def study_texts(frame: pd.DataFrame) -> dict[str, str]:
    """Who found what for whom, in one or two lines, by result; with the setting where a study has several."""
    settings = frame.groupby("study")["setting"].nunique()
    texts = {}
    for row in records(frame):
        parts = [row.outcome, row.group, None if row.kind == "measured" else row.kind, people_studied(row)]
        if settings[row.study] > 1:
            parts.append(row.setting)
        named = ", ".join(str(part) for part in parts if pd.notna(part))
        texts[row.study_id] = wrapped(f"{row.authors} {str(row.published)[:4]}: {named}", 56)
    return texts


def _study_words(row: Any) -> str:
    setting = "" if pd.isna(row.setting) else f"<br>{wrapped(row.setting, 60)}"
    low, high = row.gain_low_pct, row.gain_high_pct
    span = "no interval printed" if pd.isna(low) else f"95% interval {signed(low)} to {signed(high)}"
    direction = "better" if row.gain_pct > 0 else "worse" if row.gain_pct < 0 else "no change"
    return about(
        f"{wrapped(row.study, 60)}<br>{capitalised(row.outcome)}, {row.kind}: "
        f"{signed(row.effect_pct)} as published ({direction})<br>{span}; "
        f"{people_studied(row)} {row.participants}{setting}",
        row.note,
    )


def _study_blocks(frame: pd.DataFrame, texts: dict[str, str]) -> list[Block]:
    blocks = []
    for design, (heading, note) in _DESIGNS.items():
        rows = list(records(frame[frame["design"] == design]))
        if rows:
            heights = [18 + 15 * (1 + texts[row.study_id].count("<br>")) for row in rows]
            blocks.append(Block([heading], [note], rows, heights))
    return blocks


def _studies(frame: pd.DataFrame, filters: StudyFilters) -> go.Figure:
    figure, sketch = go.Figure(), Sketch()
    texts = study_texts(frame)
    blocks = _study_blocks(frame, texts)
    measured = {row.study: row for row in records(frame[frame["kind"] == "measured"])}
    for (block, line), y in stack(figure, blocks, STUDIES_HEIGHT - AXES_HEIGHT).items():
        row = blocks[block].rows[line]
        at = y + 7.5 * (1 + texts[row.study_id].count("<br>"))
        if row.kind != "measured" and row.study in measured:
            _measured_beside(sketch, row, measured[row.study], at)
        _study_row(sketch, row, at, texts[row.study_id])
    sketch.onto(figure)
    low = min(float(frame[["gain_pct", "gain_low_pct"]].min().min()), 0.0)
    high = max(float(frame[["gain_pct", "gain_high_pct"]].max().max()), 0.0)
    figure.update_xaxes(
        range=[low - 16, high + 24], zeroline=True, ticksuffix="%", tickangle=0, showgrid=True, nticks=8
    )
    title_above(figure, "Change for the better (right) or the worse (left), percent")
    return figure


def _study_color(row: Any) -> str:
    return theme.VERMILION if row.gain_pct < 0 else _OUTCOMES[row.outcome_kind]


def _study_row(sketch: Sketch, row: Any, at: float, text: str) -> None:
    """One result: its name above, then interval and mark, the effect beside it."""
    color = _study_color(row)
    has_interval = pd.notna(row.gain_low_pct)
    if has_interval:
        sketch.add_scatter(
            x=[row.gain_low_pct, row.gain_high_pct],
            y=[at, at],
            mode="lines",
            name="95% interval",
            hoverinfo="skip",
            line={"color": color, "width": 2},
        )
    _study_mark(sketch, row, at, size=10)
    sketch.add_annotation(
        x=row.gain_high_pct if has_interval else row.gain_pct,
        y=at,
        text=signed(row.gain_pct),
        showarrow=False,
        xanchor="left",
        xshift=9,
        font={"color": color},
    )
    sketch.add_annotation(
        x=0,
        xref="paper",
        y=at - 8,
        text=text,
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        align="left",
        opacity=0.85,
    )


def _study_mark(sketch: Sketch, row: Any, at: float, size: int) -> None:
    color = _study_color(row)
    sketch.add_scatter(
        x=[row.gain_pct],
        y=[at],
        mode="markers",
        name=row.kind,
        customdata=hover_rows([row], _study_words),
        hovertemplate=HOVER,
        marker={
            "symbol": _KINDS[row.kind],
            "size": size,
            "color": color,
            "line": {"width": 2, "color": color},
        },
    )


def _measured_beside(sketch: Sketch, row: Any, measured: Any, at: float) -> None:
    """Beside what people expected or felt, what the same study measured, and the way between the two."""
    sketch.add_scatter(
        x=[measured.gain_pct, row.gain_pct],
        y=[at, at],
        mode="lines",
        name="gap",
        hoverinfo="skip",
        line={"color": theme.GREY, "width": 1, "dash": "dot"},
    )
    _study_mark(sketch, measured, at, size=7)
    sketch.add_annotation(
        x=measured.gain_pct,
        y=at,
        text=signed(measured.gain_pct),
        showarrow=False,
        xanchor="right",
        xshift=-7,
        font={"color": _study_color(measured)},
    )


def _studies_takeaway(frame: pd.DataFrame, filters: StudyFilters) -> str:
    trials = frame[(frame["design"] != "survey") & (frame["kind"] == "measured")]
    text = ""
    if not trials.empty:
        low, high, studied = trials["gain_pct"].min(), trials["gain_pct"].max(), trials["study"].nunique()
        text = (
            f"{counted(len(trials), 'measured result')} of {studied} "
            f"{'study' if studied == 1 else 'studies'}, from {signed(low)} to {signed(high)}. "
        )
    metr = frame[frame["study_id"].str.startswith("metr-2025")]
    said = {row.study_id: row for row in records(metr)}
    real, expected = said.get("metr-2025"), said.get("metr-2025-expected-developers")
    felt = said.get("metr-2025-perceived")
    if real is not None:
        loss = theme.exact(abs(real.effect_pct))
        text += f"METR timed {int(real.n)} experienced developers: {loss}% slower with AI"
        if expected is not None and felt is not None:
            text += (
                f", though they had expected to be {theme.exact(expected.gain_pct)}% faster and felt "
                f"{theme.exact(felt.gain_pct)}% faster afterwards"
            )
        text += "."
    return text.strip() or f"{counted(len(frame), 'answer')} of surveys; none of them measured."


studies = register(
    Chart(
        id="productivity-studies",
        topic="adoption",
        title="What studies measured",
        question="How much faster, more or better do people work with AI, and do they know?",
        reading="One row a result; right of zero is better with AI, left is worse (vermilion). A filled "
        "circle was measured, a hollow diamond expected beforehand, a hollow square perceived "
        "afterwards; dots lead to what the same study measured. Lines are 95% intervals where the "
        "study or its reader printed one. Blue is time saved, green the amount of work, purple "
        "quality: the three are not the same, and each holds for its people and tasks.",
        filters=StudyFilters,
        sql=_STUDIES_SQL,
        figure=_studies,
        takeaway=_studies_takeaway,
        columns={
            "study": "Study",
            "authors": "Authors",
            "published": "Published",
            "design": "Design",
            "participants": "Participants",
            "n": "n",
            "setting": "Setting",
            "outcome": "Outcome",
            "group": "Group",
            "kind": "Measured, expected or perceived",
            "effect_pct": "Effect as published (%)",
            "gain_pct": "Gain (%)",
            "gain_low_pct": "Lower end (%)",
            "gain_high_pct": "Upper end (%)",
            "attribution": "Read as",
            "url": "Address",
            "note": "Remark",
        },
        height=STUDIES_HEIGHT,
    )
)
