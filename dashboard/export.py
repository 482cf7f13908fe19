"""What a reader can take away: the rows of a chart as CSV, the chart as one HTML file that needs no network."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd

from dashboard.chart import Chart, Filters


def csv(chart: Chart[Any], frame: pd.DataFrame, sources: pd.DataFrame) -> bytes:
    """The rows that are drawn, each with its claim, its source and the source's terms. UTF-8."""
    terms = sources[["source_id", "licence", "attribution_text"]]
    columns = ["claim_id", "source_id", *chart.columns]
    rows = frame[columns].merge(terms, on="source_id", how="left")
    return rows.to_csv(index=False).encode()


def html(chart: Chart[Any], filters: Filters, frame: pd.DataFrame, sources: pd.DataFrame) -> bytes:
    """A page of its own with title, takeaway, interactive chart and sources; everything inside. UTF-8."""
    figure = chart.draw(frame, filters, "light")
    plot = figure.to_html(
        full_html=False, include_plotlyjs=True, config={"displaylogo": False, "responsive": True}
    )
    items = "\n".join(
        f"<li><b>{escape(str(row.publisher))}</b>{', <i>' + escape(str(row.title)) + '</i>' if pd.notna(row.title) else ''}"
        f" ({escape(str(row.published)) if pd.notna(row.published) else 'undated'}), "
        f'<a href="{escape(str(row.url))}">{escape(str(row.carrier))}</a>. {escape(str(row.licence))}.</li>'
        for row in sources.itertuples()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(chart.title)} · GenAI Atlas</title>
<style>body{{font:16px/1.5 sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;color:#1c2530}}li{{font-size:14px}}</style></head>
<body><h1>{escape(chart.title)}</h1><p>{escape(chart.summary(frame, filters))}</p>
{plot}
<p>{escape(chart.reading)}</p><h2>Sources</h2><ul>
{items}
</ul><p>GenAI Atlas</p></body></html>
""".encode()
