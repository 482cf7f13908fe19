"""What a reader can take away: a chart's rows as CSV, the chart as one HTML file that needs no network."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd

from dashboard.chart import Chart, Filters
from dashboard.charts.marks import records

STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; color: #1c2530 }
li { font-size: 14px }
"""


def csv(chart: Chart[Any], frame: pd.DataFrame, sources: pd.DataFrame) -> bytes:
    """The rows that are drawn, each with its claim, its source and the source's terms. UTF-8."""
    terms = sources[["source_id", "licence"]].assign(cite_as=[cite_as(source) for source in records(sources)])
    columns = [
        "claim_id",
        "source_id",
        *(name for name in chart.columns if name not in {"claim_id", "source_id"}),
    ]
    return frame[columns].merge(terms, on="source_id", how="left").to_csv(index=False).encode()


def html(chart: Chart[Any], filters: Filters, frame: pd.DataFrame, sources: pd.DataFrame) -> bytes:
    """A page of its own with title, takeaway, interactive chart and sources; everything inside. UTF-8."""
    figure = chart.draw(frame, filters, "light")
    plot = figure.to_html(
        full_html=False, include_plotlyjs=True, config={"displaylogo": False, "responsive": True}
    )
    title, items = escape(chart.title), "\n".join(_item(source) for source in records(sources))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · GenAI Atlas</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<p>{escape(chart.summary(frame, filters))}</p>
{plot}
<p>{escape(chart.reading)}</p>
<h2>Sources</h2>
<ul>
{items}
</ul>
<p>GenAI Atlas</p>
</body>
</html>
""".encode()


def cite_as(source: Any) -> str:
    """What the terms of a source ask to be printed with its figures."""
    names = {"{publisher}": source.publisher, "{title}": source.title, "{url}": source.url}
    text = source.attribution_text if pd.notna(source.attribution_text) else "{publisher}: {url}"
    for placeholder, value in names.items():
        text = text.replace(placeholder, value if pd.notna(value) else "untitled")
    return str(text)


def _item(source: Any) -> str:
    """One source as an element of a list."""
    title = f", <i>{escape(source.title)}</i>" if pd.notna(source.title) else ""
    when = source.published if pd.notna(source.published) else "undated"
    return (
        f"<li><b>{escape(source.publisher)}</b>{title} ({when}), "
        f'<a href="{escape(source.url)}">{escape(source.carrier)}</a>. {escape(source.licence)}.</li>'
    )
