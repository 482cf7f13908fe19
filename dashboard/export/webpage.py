"""A chart as one HTML file that needs nothing but itself: plot, typeface and outlines of maps are inside."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd

from dashboard.charts.marks import records
from dashboard.export.look import COLORS, font_face, maps_script
from dashboard.export.selection import LICENCE, Selection
from dashboard.theme import FONT, Mode

_MAPS = {"choropleth", "scattergeo"}
_STYLE = """
:root { color-scheme: %(mode)s }
body { font: 16px/1.5 %(font)s; max-width: 1000px; margin: 2rem auto; padding: 0 1rem;
  color: %(text)s; background: %(ground)s; overflow-wrap: break-word }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
a { color: %(link)s }
.quiet, footer { color: %(muted)s; font-size: 14px }
footer { border-top: 1px solid %(line)s; padding-top: .5rem }
footer p { margin: .25rem 0 }
li { font-size: 14px; margin: .25rem 0 }
"""


def html(selection: Selection, mode: Mode = "light") -> bytes:
    """A page of its own with title, takeaway, interactive chart, citation and sources. UTF-8."""
    figure = selection.figure(mode)
    plot = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        config={"displaylogo": False, "responsive": True, "topojsonURL": ""},
    )
    has_map = any(trace.type in _MAPS for trace in figure.data)
    title, choice = escape(selection.chart.title), selection.choice
    style = _STYLE % {"mode": mode, "font": FONT, **COLORS[mode]}
    items = "\n".join(source_item(source) for source in records(selection.sources))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="{escape(selection.takeaway)}">
<title>{title} · GenAI Atlas</title>
<style>{font_face()}{style}</style>
{f"<script>{maps_script()}</script>" if has_map else ""}
</head>
<body>
<main>
<h1>{title}</h1>
<p>{escape(selection.takeaway)}</p>
{f'<p class="quiet">Shown: {escape(choice)}</p>' if choice else ""}
{plot}
<footer>
{_source_line(selection)}
<p>GenAI Atlas, build {selection.build_id} of {selection.built_on}:
<a href="{escape(selection.link)}">{escape(selection.link)}</a></p>
</footer>
<h2>How to read it</h2>
<p>{escape(selection.chart.reading)}</p>
<h2>Sources</h2>
<ul>
{items}
</ul>
<p class="quiet">{LICENCE}</p>
<p class="quiet">How to cite: {escape(selection.cite())}</p>
</main>
</body>
</html>
""".encode()


def _source_line(selection: Selection) -> str:
    """All publishers and the dates; nothing where nothing is shown."""
    if selection.sources.empty:
        return ""
    return f"<p>Source: {escape(', '.join(selection.publishers()))}; {escape(selection.dates())}.</p>"


def source_item(source: Any) -> str:
    """One source as an element of a list."""
    title = f", <i>{escape(source.title)}</i>" if pd.notna(source.title) else ""
    when = source.published if pd.notna(source.published) else "undated"
    if pd.notna(source.read_on):
        when += f", read {source.read_on}"
    return (
        f"<li><b>{escape(source.publisher)}</b>{title} ({when}), "
        f'<a href="{escape(source.url)}">{escape(source.carrier)}</a>. {escape(source.licence)}.</li>'
    )
