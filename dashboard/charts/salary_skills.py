"""What skills go with what pay in one role: those that name a skill against those that do not."""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
import plotly.graph_objects as go

from dashboard import theme
from dashboard.chart import Chart, Control, Filters, register
from dashboard.charts.marks import HOVER, hover_data, records, title_above
from dashboard.charts.salaries import ROW, dollars

MOST = 24


class SkillFilters(Filters):
    """One role in one source, since pay differs more between these than between skills."""

    skill_source: Annotated[
        str,
        Control(
            "Source",
            "SELECT source, any_value(name) AS label FROM skill_pay JOIN pay_source USING (source) "
            "GROUP BY source ORDER BY source",
            help="Postings state what is offered, answers what people say they are paid.",
            is_primary=True,
        ),
    ] = "data_jobs"
    skill_role: Annotated[
        str,
        Control(
            "Role",
            "SELECT role_id, any_value(name) AS label FROM skill_pay JOIN salary_role USING (role_id) "
            "GROUP BY role_id, position ORDER BY position",
            is_primary=True,
        ),
    ] = "role-data-scientist"
    senior: Annotated[
        bool, Control("Senior titles", help="Only postings tell; answers are of all levels.", is_primary=True)
    ] = False


def _noun(row: Any) -> str:
    return "postings" if row.source == "data_jobs" else "persons"


def _words(row: Any) -> str:
    return (
        f"{row.skill}: median {dollars(row.median_with_usd)}, 95% interval {dollars(row.lower_with_usd)}–"
        f"{dollars(row.upper_with_usd)}<br>middle half {dollars(row.p25_with_usd)}–"
        f"{dollars(row.p75_with_usd)}, {row.n_with:,} {_noun(row)}<br>without it: "
        f"{dollars(row.median_without_usd)}, {row.n_without:,} {_noun(row)}"
    )


def _skills(frame: pd.DataFrame, filters: SkillFilters) -> go.Figure:
    """One row a skill: a dot with its interval for those that name it, a ring for those that do not."""
    shown = frame.head(MOST).sort_values("median_with_usd", ascending=False, kind="stable")
    places = list(range(len(shown)))
    figure = go.Figure()
    customdata = hover_data(shown, _words)
    for column, name, symbol, color in (
        ("without", "Median without the skill", "circle-open", theme.GREY),
        ("with", "Median with the skill", "circle", theme.BLUE),
    ):
        middle = shown[f"median_{column}_usd"]
        figure.add_scatter(
            x=middle,
            y=places,
            mode="markers",
            name=name,
            marker={"symbol": symbol, "size": 10, "color": color, "line": {"width": 2, "color": color}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": shown[f"upper_{column}_usd"] - middle,
                "arrayminus": middle - shown[f"lower_{column}_usd"],
                "color": color,
                "thickness": 1.5,
                "width": 3,
            },
            customdata=customdata,
            hovertemplate=HOVER,
        )
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 0, "yref": "container", "yanchor": "bottom"},
        margin_b=60,
    )
    figure.update_yaxes(
        tickvals=places,
        ticktext=[
            f"{row.skill} <span style='font-size:10px'>n={row.n_with:,}</span>" for row in records(shown)
        ],
        range=[max(len(shown), 4) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(tickprefix="$", tickformat="~s", nticks=6, tickangle=0, showgrid=True)
    title_above(figure, "Median yearly pay, US$")
    return figure


def _takeaway(frame: pd.DataFrame, filters: SkillFilters) -> str:
    rows = list(records(frame.head(MOST)))  # those that are drawn
    first = rows[0]
    about = f"{first.role} in the US, {first.n_with + first.n_without:,} {_noun(first)} ({first.year})"
    tail = "An association: who names a skill differs in more than the skill"
    apart = [
        row
        for row in rows
        if row.lower_with_usd > row.upper_without_usd or row.upper_with_usd < row.lower_without_usd
    ]
    if not apart:
        return f"{about}: with none of the {len(rows)} skills pay is clearly another than without it. {tail}."
    row = max(apart, key=lambda each: abs(each.median_with_usd - each.median_without_usd))
    gap = row.median_with_usd - row.median_without_usd
    return (
        f"{about}: the widest clear gap is at {row.skill}, whose median of {dollars(row.median_with_usd)} is "
        f"{dollars(abs(gap))} {'more' if gap > 0 else 'less'} than without it. {tail}."
    )


skills = register(
    Chart(
        id="salary-by-skill",
        topic="salaries",
        title="Skills and pay",
        question="Which skills go with higher pay in the same role?",
        reading=f"The {MOST} skills named most, by median. Dot: the median of those that name the skill; "
        "ring: of those that name only others; lines: their 95% intervals, of brackets their ends. Shown "
        "from 30 on either side, for one role, level and country. It is an association and no effect: "
        "whoever names a skill differs in employer, place, years and more.",
        filters=SkillFilters,
        sql="""
SELECT
    skill_pay.*, role.name AS role,
    skill_pay.source || ':' || skill_pay.role_id || ':' || skill_pay.seniority || ':' || skill AS claim_id,
    coalesce(publisher.name, 'Firm not named') AS publisher, source.published, 'relayed' AS attribution,
    source.url
FROM skill_pay
JOIN salary_role AS role USING (role_id)
JOIN source USING (source_id)
LEFT JOIN publisher USING (publisher_id)
WHERE skill_pay.source = $skill_source AND skill_pay.role_id = $skill_role
    AND skill_pay.seniority IN ('all', CASE WHEN $senior THEN 'senior' ELSE 'not senior' END)
ORDER BY n_with DESC, skill
""",
        figure=_skills,
        takeaway=_takeaway,
        columns={
            "skill": "Skill",
            "n_with": "n with it",
            "median_with_usd": "Median with it (US$)",
            "lower_with_usd": "95% from (US$)",
            "upper_with_usd": "95% to (US$)",
            "p25_with_usd": "25th percentile with it (US$)",
            "p75_with_usd": "75th percentile with it (US$)",
            "n_without": "n without it",
            "median_without_usd": "Median without it (US$)",
            "seniority": "Level",
            "publisher": "Publisher",
            "published": "Published",
            "attribution": "How it was read",
            "url": "Address",
        },
        height=MOST * ROW + 90,
        is_behind_more=True,
    )
)
