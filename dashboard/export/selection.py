"""One chart for one choice of filters over one build: what every way out of the app starts from."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.address import chosen_words, link
from dashboard.chart import Chart, Filters
from dashboard.charts.marks import UNNAMED, records
from dashboard.theme import Mode

if TYPE_CHECKING:
    from dashboard.warehouse import Warehouse

LICENCE = (
    "Each figure is under the terms of its source, which are named beside it; the selection is published by "
    "GenAI Atlas without further conditions."
)
_LONGEST_STEM = 60  # characters of a file name that tell the filters
_KEYS = ("claim_id", "source_id")
# The claims behind a chart with all that a careful sentence on one of them needs.
_CLAIMS = """
SELECT
    claim.*,
    CASE
        WHEN claim.dataset = 'forecast' THEN 'forecast'
        WHEN figure.status <> 'actual' THEN figure.status
        WHEN figure.population ILIKE '%respondent%' OR metric.definition ILIKE '%survey%' THEN 'survey'
        ELSE 'actual'
    END AS kind,
    coalesce(path.bound, figure.bound, pay.bound) AS bound,
    coalesce(path.relayed_by, figure.relayed_by) AS relayed_by,
    coalesce(figure.basis, pay.basis) AS basis,
    pay.sample_size,
    path.base_year, path.base_value_usd_bn, path.forecast_year, path.forecast_value_usd_bn, path.cagr_pct
FROM claim
LEFT JOIN forecast_path AS path USING (claim_id)
LEFT JOIN observation_figure AS figure USING (claim_id)
LEFT JOIN metric USING (metric_id)
LEFT JOIN salary_statement AS pay USING (claim_id)
WHERE claim_id IN (SELECT unnest($ids::VARCHAR[]))
ORDER BY claim_id
"""


@dataclass(frozen=True)
class Selection:
    """What is drawn, what it is made from, and what has to be said with it.

    Attributes:
        chart: which chart.
        filters: the choice.
        frame: the rows that are drawn, as the query of the chart gives them.
        sources: one row a source of these rows, those with the most rows first; `read_on` where it is live.
        claims: the claims behind the rows, one row each.
        takeaway: the sentence on them.
        build_id: name of the build.
        built_at: when it was made (UTC).
        root: address of the dashboard, with a slash at its end.
    """

    chart: Chart[Any]
    filters: Filters
    frame: pd.DataFrame
    sources: pd.DataFrame
    claims: pd.DataFrame
    takeaway: str
    build_id: str
    built_at: datetime
    root: str

    @property
    def link(self) -> str:
        """The permanent address of this very view: it names the build."""
        return self.root + link(self.chart, self.filters, self.build_id)

    @property
    def short_link(self) -> str:
        """The address of the chart as it is without a choice of filters, for where there is little room."""
        return self.root + link(self.chart, self.chart.filters())

    @property
    def choice(self) -> str:
        """What was chosen other than by default, in the words on screen; empty where nothing was."""
        return "; ".join(f"{label}: {words}" for label, words in chosen_words(self.filters))

    @property
    def built_on(self) -> str:
        """The day of the build, for readers: 5 November 2026."""
        return f"{self.built_at:%d %B %Y}".removeprefix("0")

    @property
    def file_stem(self) -> str:
        """Name for a file, without its ending: chart, filters, build."""
        return file_stem(self.chart, self.filters, self.build_id)

    @property
    def rows(self) -> pd.DataFrame:
        """The rows to take away: claim, source, and the columns of the table twin, under their own names."""
        return self.frame[[*_KEYS, *(name for name in self.chart.columns if name not in _KEYS)]]

    @property
    def headings(self) -> dict[str, str]:
        """Column -> heading of the rows to take away."""
        return {"claim_id": "Claim", "source_id": "Source", **self.chart.columns}

    def figure(self, mode: Mode) -> go.Figure:
        """The figure as the page draws it."""
        return self.chart.draw(self.frame, self.filters, mode)

    def publishers(self) -> list[str]:
        """Publishers with the years of their publications, those that most rows come from first."""
        return publishers(self.sources)

    def dates(self) -> str:
        """When the sources were published, how many bear no date, and when live ones were read."""
        years = sorted(str(value)[:4] for value in self.sources["published"].dropna())
        undated = len(self.sources) - len(years)
        read = sorted(self.sources["read_on"].dropna())
        parts = []
        if years:
            parts.append(f"published {'–'.join(dict.fromkeys((years[0], years[-1])))}")
        if undated:
            parts.append(f"{undated} undated" if years else "undated")
        if read:
            parts.append(f"read {' to '.join(dict.fromkeys((read[0], read[-1])))}")
        return ", ".join(parts)

    def cite(self) -> str:
        """How to cite the chart as a whole."""
        return (
            f"GenAI Atlas, “{self.chart.title}”, build {self.build_id} of {self.built_on}, "
            f"from {len(self.sources)} source{'' if len(self.sources) == 1 else 's'} named there: {self.link}"
        )

    def metadata(self) -> dict[str, Any]:
        """What goes with the rows into every data format, JSON-ready."""
        return {
            "chart": {
                "id": self.chart.id,
                "title": self.chart.title,
                "question": self.chart.question,
                "takeaway": self.takeaway,
                "reading": self.chart.reading,
                "address": self.link,
            },
            "filters": self.filters.model_dump(mode="json"),
            "filters_in_words": self.choice,
            "build": {"id": self.build_id, "built_at": self.built_at.isoformat(timespec="seconds")},
            "row_count": len(self.frame),
            "columns": self.headings,
            "sources": [_as_dict(row) for row in records(self.source_cards())],
            "licence": LICENCE,
            "how_to_cite": self.cite(),
        }

    def source_cards(self) -> pd.DataFrame:
        """The sources with what their terms ask to be printed (`cite_as`)."""
        kept = ["source_id", "publisher", "title", "published", "read_on", "url", "carrier", "read", "marks"]
        cards = self.sources[[*kept, "licence", "licence_url"]]
        return cards.assign(cite_as=[cite_as(source) for source in records(self.sources)])


def select(opened: Warehouse, chart: Chart[Any], filters: Filters, root: str) -> Selection:
    """Ask the open build for a chart's rows, their sources and their claims, all from this one build."""
    frame = opened.query(*chart.query(filters))
    claims = opened.query(_CLAIMS, {"ids": sorted(set(frame["claim_id"]))})
    read = opened.query("SELECT source_id, strftime(fetched, '%Y-%m-%d') AS read_on FROM live_snapshot")
    return Selection(
        chart,
        filters,
        frame,
        opened.sources_of(frame).merge(read, on="source_id", how="left"),
        claims,
        chart.summary(frame, filters),
        opened.build_id,
        opened.built_at,
        root,
    )


def file_stem(chart: Chart[Any], filters: Filters, build_id: str) -> str:
    """Name for a file, without its ending: chart, filters, build. Letters, digits and hyphens only."""
    asked = "-".join(f"{name}-{_slug(value)}" for name, value in filters.changed().items())
    if len(asked) > _LONGEST_STEM:
        digest = hashlib.sha256(asked.encode()).hexdigest()[:8]
        asked = f"{asked[:_LONGEST_STEM].rstrip('-')}-{digest}"
    return "-".join(part for part in ("genai-atlas", chart.id, asked.replace("_", "-"), build_id) if part)


def publishers(sources: pd.DataFrame) -> list[str]:
    """Publishers with the years of their publications, those that most rows come from first, unnamed last."""
    weight = sources.groupby("publisher")["marks"].transform("sum")
    ordered = sources.assign(weight=weight, is_unnamed=sources["publisher"] == UNNAMED)
    ordered = ordered.sort_values(["is_unnamed", "weight", "publisher"], ascending=[True, False, True])
    years: dict[str, set[str]] = {}
    for row in records(ordered):
        years.setdefault(row.publisher, set()).update(
            [str(row.published)[:4]] if pd.notna(row.published) else []
        )
    return [
        f"{name} ({'–'.join(dict.fromkeys((min(seen), max(seen)))) if seen else 'undated'})"
        for name, seen in years.items()
    ]


def cite_as(source: Any) -> str:
    """What the terms of a source ask to be printed with its figures."""
    names = {"{publisher}": source.publisher, "{title}": source.title, "{url}": source.url}
    text = source.attribution_text if pd.notna(source.attribution_text) else "{publisher}: {url}"
    for placeholder, value in names.items():
        text = text.replace(placeholder, value if pd.notna(value) else "untitled")
    return str(text)


def _as_dict(row: Any) -> dict[str, Any]:
    return {name: None if pd.isna(value) else value for name, value in row._asdict().items()}


def _slug(value: Any) -> str:
    parts = value if isinstance(value, list) else [value]
    return re.sub(r"[^a-z0-9]+", "-", " ".join(map(str, parts)).lower()).strip("-") or "none"
