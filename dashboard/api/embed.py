"""A chart to stand in somebody else's page: title, takeaway, chart, sources, and nothing from elsewhere."""

from __future__ import annotations

import base64
import json
from functools import cache
from html import escape
from typing import Any, Literal

import plotly
from plotly.offline import get_plotlyjs
from starlette.requests import Request
from starlette.responses import Response

from dashboard.api.answers import root
from dashboard.api.charts import selection_of
from dashboard.chart import Chart
from dashboard.export import Selection
from dashboard.export.look import ASSETS, COLORS, font_address
from dashboard.theme import FONT, Mode
from dashboard.warehouse import Warehouse

EmbedMode = Literal["auto", "light", "dark"]
MOST_PUBLISHERS = 3
FONT_FILE = "source-sans.woff2"
PARTS = {"embed.js": "text/javascript", "frame.js": "text/javascript", "embed.css": "text/css"}
_MODES: dict[EmbedMode, tuple[Mode, ...]] = {
    "auto": ("light", "dark"),
    "light": ("light",),
    "dark": ("dark",),
}
# It runs its own scripts and speaks to its own server; any page may frame it.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data: blob:; "
    "font-src 'self'; connect-src 'self'; frame-ancestors *; base-uri 'none'; form-action 'none'"
)


def embedded(chart: Chart[Any], mode: EmbedMode, request: Request, opened: Warehouse) -> Response:
    """The page that stands in a frame.

    Raises:
        ApiError: a filter is wrong.
    """
    selection = selection_of(chart, request, opened)
    html = _page(selection, mode, root(request))
    return Response(html, media_type="text/html", headers={"Content-Security-Policy": _POLICY})


def plotly_script() -> str:
    """The name under which the drawing library is served: it changes with the library."""
    return f"plotly-{plotly.__version__}.js"


@cache
def part(name: str) -> tuple[bytes, str] | None:
    """A file that the page needs, with its type; None where there is none of that name."""
    if name == plotly_script():
        return get_plotlyjs().encode(), "text/javascript"
    if name == FONT_FILE and (font := font_address()):
        return base64.b64decode(font.partition(",")[2]), "font/woff2"
    if name in PARTS:
        return (ASSETS / name).read_bytes(), PARTS[name]
    return None


def _page(selection: Selection, mode: EmbedMode, root_address: str) -> str:
    parts = f"{root_address}embed/_/"
    figures = ",".join(f'"{each}":{selection.figure(each).to_json()}' for each in _MODES[mode])
    settings = {
        "chart": selection.chart.id,
        "mode": mode,
        "topojson": f"{root_address}topojson/",
        "colors": COLORS,
    }
    first: Mode = "dark" if mode == "dark" else "light"
    start = ";".join(f"--{name}:{value}" for name, value in {**COLORS[first], "family": FONT}.items())
    named = selection.publishers()
    more = len(named) - MOST_PUBLISHERS
    sources = ", ".join(named[:MOST_PUBLISHERS]) + (f" and {more} more" if more > 0 else "")
    title, link = escape(selection.chart.title), escape(selection.link)
    choice = f'<p class="quiet">Shown: {escape(selection.choice)}</p>' if selection.choice else ""
    return f"""<!doctype html>
<html lang="en" style="{escape(start)};color-scheme:{first}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="{escape(selection.takeaway)}">
<meta name="robots" content="noindex">
<title>{title} · GenAI Atlas</title>
<link rel="stylesheet" href="{parts}embed.css">
</head>
<body>
<h1><a href="{link}" target="_blank" rel="noopener">{title}</a></h1>
<p>{escape(selection.takeaway)}</p>
{choice}
<div id="plot" role="img" aria-label="{title}. {escape(selection.takeaway)}"
 style="height:{selection.chart.height}px"></div>
<footer>
<p>Source: {escape(sources)}; {escape(selection.dates())}.</p>
<p><a href="{link}" target="_blank" rel="noopener">GenAI Atlas</a>, build {selection.build_id}
 of {selection.built_on}</p>
</footer>
<script type="application/json" id="settings">{_in_script(json.dumps(settings))}</script>
<script type="application/json" id="figures">{_in_script("{" + figures + "}")}</script>
<script src="{parts}{plotly_script()}"></script>
<script src="{parts}embed.js"></script>
</body>
</html>
"""


def _in_script(text: str) -> str:
    """JSON that cannot end the element that it stands in."""
    return text.replace("<", "\\u003c")
