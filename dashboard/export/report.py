"""Many charts as one document that needs nothing but itself: cover, contents, charts, tables, sources."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from dashboard import theme
from dashboard.charts.marks import counted, records
from dashboard.export import pictures
from dashboard.export.look import COLORS, font_face
from dashboard.export.selection import LICENCE, Selection
from dashboard.export.webpage import source_item
from dashboard.pages import PAGES
from dashboard.theme import FONT, Mode

WIDTH = 860  # pixels of a chart
ROWS = 20  # of a table, unless asked otherwise
LONG = 40  # characters of a text that asks for a wider column

_STYLE = """
:root { color-scheme: %(mode)s }
@page { size: A4; margin: 16mm 14mm;
  @bottom-left { content: "GenAI Atlas, build %(build)s"; font: 9px %(font)s; color: #56616e }
  @bottom-right { content: counter(page); font: 9px %(font)s; color: #56616e } }
@page :first { @bottom-right { content: "" } }
html { background: %(ground)s }
body { font: 15px/1.5 %(font)s; max-width: 900px; margin: 0 auto; padding: 0 20px; color: %(text)s;
  -webkit-print-color-adjust: exact; print-color-adjust: exact; overflow-wrap: break-word }
h1 { font-size: 2.4rem; line-height: 1.15; margin: 0 0 .5rem }
h2 { font-size: 1.5rem; margin: 3rem 0 .5rem; border-top: 1px solid %(line)s; padding-top: 1rem }
h3 { font-size: 1.25rem; line-height: 1.25; margin: 2.2rem 0 .15rem }
p { margin: .3rem 0 }
a { color: %(link)s }
figure { margin: .8rem 0; break-inside: avoid }
figure svg { max-width: 100%%; height: auto; max-height: 250mm; display: block }
.quiet { color: %(muted)s; font-size: 13px }
.cover { min-height: 70vh; display: flex; flex-direction: column; justify-content: center; break-after: page }
.cover .lead { font-size: 1.2rem }
nav { break-after: page }
nav .topics { columns: 2 320px; column-gap: 2.5rem }
nav .topics > div { break-inside: avoid; padding-bottom: 1rem }
nav ol { padding-left: 1.4rem; margin: .2rem 0 0 }
section.chart { break-before: page }
table { border-collapse: collapse; font-size: 10.5px; line-height: 1.35; width: 100%%; margin: .8rem 0 }
.caption { break-after: avoid }
thead, tbody tr:first-child { break-after: avoid }
th { text-align: left; vertical-align: bottom; border-bottom: 1px solid %(muted)s; padding: 3px 8px 3px 0 }
td { vertical-align: top; border-bottom: 1px solid %(line)s; padding: 3px 8px 3px 0; max-width: 220px }
td.long { width: 18%% }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
tr { break-inside: avoid }
ol.sources li { font-size: 12.5px; margin: .25rem 0 }
@media screen {
  body { padding-bottom: 4rem }
  .tables { overflow-x: auto }
  section.chart { margin-top: 4rem }
}
.listed { display: grid; gap: 1.5rem 2rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%%, 400px), 1fr)) }
.listed h3 { font-size: 1rem; margin-top: .5rem }
.listed img { width: 100%%; border: 1px solid %(line)s }
"""


def html(
    selections: Sequence[Selection],
    *,
    mode: Mode = "light",
    rows: int = ROWS,
    done: Callable[[Selection], None] = lambda _: None,
) -> bytes:
    """The document. UTF-8.

    Args:
        selections: the charts, in the order of their topics; all of one build.
        mode: light or dark.
        rows: how many rows of each table; 0 leaves the tables out.
        done: called after each chart.

    Raises:
        NoBrowserError: no browser was found to draw the charts.
        PictureError: the browser failed.
    """
    numbers = _numbered(selections)
    parts = []
    for selection in selections:
        parts.append(_chart(selection, numbers, mode, rows))
        done(selection)
    first = selections[0]
    style = _STYLE % {"mode": mode, "font": FONT, "build": first.build_id, **COLORS[mode]}
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(_title(selections))}</title>
<style>{font_face()}{style}</style>
</head>
<body>
{_cover(selections, len(numbers))}
{_contents(selections)}
<main>
{"".join(parts)}
{_sources(selections, numbers)}
</main>
</body>
</html>
""".encode()


def pdf(document: bytes) -> bytes:
    """The document as PDF on A4, with bookmarks.

    Raises:
        NoBrowserError: no browser was found.
        PictureError: the browser failed.
    """
    with tempfile.TemporaryDirectory(prefix="genai-atlas-") as folder:
        page = Path(folder, "report.html")
        page.write_bytes(document)
        return pictures.print_page(page.as_uri())


def _title(selections: Sequence[Selection]) -> str:
    topics = {selection.chart.topic for selection in selections}
    named = [page.title for page in PAGES if page.path in topics]
    return "GenAI Atlas" + (f": {', '.join(named)}" if len(named) <= 3 else "")


def _cover(selections: Sequence[Selection], sources: int) -> str:
    first, claims = selections[0], {id_ for each in selections for id_ in each.frame["claim_id"]}
    return f"""<header class="cover">
<h1>{escape(_title(selections))}</h1>
<p class="lead">{counted(len(selections), "chart")}, {counted(len(claims), "published claim")},
{counted(sources, "source")}</p>
<p>Build {first.build_id} of {first.built_on}:
<a href="{escape(first.root)}">{escape(first.root)}</a></p>
<p class="quiet">Every mark is a claim that somebody published; its source is named with a number under each
chart and listed at the end. Where sources disagree, the disagreement is what is shown.</p>
<p class="quiet">{LICENCE}</p>
<p class="quiet">How to cite: {escape(_title(selections))}, build {first.build_id} of {first.built_on},
{escape(first.root)}</p>
</header>"""


def _contents(selections: Sequence[Selection]) -> str:
    titles = {page.path: page.title for page in PAGES}
    groups = []
    for topic, members in groupby(selections, lambda each: each.chart.topic):
        items = "".join(
            f'<li><a href="#{each.chart.id}">{escape(each.chart.title)}</a></li>' for each in members
        )
        groups.append(f"<div><p><b>{escape(titles[topic])}</b></p><ol>{items}</ol></div>")
    groups.append('<div><p><a href="#sources"><b>Sources</b></a></p></div>')
    return f'<nav aria-label="Contents"><h2>Contents</h2><div class="topics">{"".join(groups)}</div></nav>'


def _chart(selection: Selection, numbers: dict[str, int], mode: Mode, rows: int) -> str:
    chart, choice = selection.chart, selection.choice
    options = {"format": "svg", "width": WIDTH, "height": chart.height}
    drawing = pictures.draw(selection.figure(mode), options).decode()
    label = escape(f"{chart.title}. {selection.takeaway}")
    cited = sorted(numbers[source] for source in selection.sources["source_id"])
    return f"""<section class="chart">
<h3 id="{chart.id}">{escape(chart.title)}</h3>
<p>{escape(selection.takeaway)}</p>
{f'<p class="quiet">Shown: {escape(choice)}</p>' if choice else ""}
<figure role="img" aria-label="{label}">{drawing}</figure>
<p class="quiet">Source: {escape(", ".join(selection.publishers()))}; {escape(selection.dates())}.
Number{"" if len(cited) == 1 else "s"} {_ranges(cited)} in the list of sources.
<a href="{escape(selection.link)}">{escape(selection.link)}</a></p>
<p class="quiet">{escape(chart.reading)}</p>
{_table(selection, rows)}
</section>
"""


def _table(selection: Selection, rows: int) -> str:
    """The first rows of the table twin; addresses stand in the list of sources.

    A page has room for few columns: one without a value is left out, one with the same value everywhere is
    told once.
    """
    table = selection.chart.table(selection.frame).drop(columns="Address", errors="ignore")
    if not rows or table.empty:
        return ""
    shown = table.head(rows)
    cells = {str(name): [_text(str(name), value) for value in shown[name]] for name in shown}
    told = {name: texts[0] for name, texts in cells.items() if len(texts) > 1 and len(set(texts)) == 1}
    kept = [name for name in cells if name not in told]
    heads = "".join(f"<th>{escape(name)}</th>" for name in kept)
    columns = [[_cell(text, _kind(shown[name], cells[name])) for text in cells[name]] for name in kept]
    lines = "".join(f"<tr>{''.join(line)}</tr>" for line in zip(*columns, strict=True))
    more = len(table) - rows
    caption = f"The first {rows} of {len(table):,} rows; all are at the address" if more > 0 else "The rows"
    same = "; ".join(f"{name}: {text}" for name, text in told.items() if text)
    caption += f". The same in each: {same}" if same else ""
    return (
        f'<p class="quiet caption">{escape(caption)}.</p><div class="tables"><table><thead><tr>{heads}</tr>'
        f"</thead><tbody>{lines}</tbody></table></div>"
    )


def _kind(column: pd.Series, texts: Sequence[str]) -> str:
    """How a column is set: numbers to the right, long texts with room."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return "number"
    return "long" if max(map(len, texts)) > LONG else ""


def _cell(text: str, kind: str) -> str:
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def _text(heading: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    number = float(value)
    if heading.lower().endswith("year"):
        return f"{number:.0f}"
    # Nobody publishes more than six decimals: what has more was computed.
    shown = number if round(number, 6) == number else round(number, 2)
    return theme.exact(shown)


def _numbered(selections: Sequence[Selection]) -> dict[str, int]:
    """A number for every source, in the order in which the charts name them."""
    named = dict.fromkeys(source for each in selections for source in each.sources["source_id"])
    return {source: number for number, source in enumerate(named, start=1)}


def _sources(selections: Sequence[Selection], numbers: dict[str, int]) -> str:
    cards = pd.concat([each.sources for each in selections]).drop_duplicates("source_id")
    cards = cards.sort_values("source_id", key=lambda ids: ids.map(numbers))
    items = "".join(source_item(source) for source in records(cards))
    return f'<section class="chart"><h2 id="sources">Sources</h2><ol class="sources">{items}</ol></section>'


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers with runs drawn together: 1–4, 9, 12–13."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def index(selections: Sequence[Selection], forms: Sequence[str]) -> bytes:
    """A page that lists exported charts with the files beside it. UTF-8."""
    first, titles = selections[0], {page.path: page.title for page in PAGES}
    groups = []
    for topic, members in groupby(selections, lambda each: each.chart.topic):
        items = "".join(_listed(each, forms) for each in members)
        groups.append(f'<h2>{escape(titles[topic])}</h2><div class="listed">{items}</div>')
    style = _STYLE % {"mode": "light", "font": FONT, "build": first.build_id, **COLORS["light"]}
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GenAI Atlas: all charts</title>
<style>{font_face()}{style}</style>
</head>
<body>
<main>
<h1 style="margin-top: 2rem">GenAI Atlas</h1>
<p>{counted(len(selections), "chart")} of build {first.build_id} of {first.built_on}:
<a href="{escape(first.root)}">{escape(first.root)}</a></p>
<p class="quiet">{LICENCE}</p>
{"".join(groups)}
</main>
</body>
</html>
""".encode()


def _listed(selection: Selection, forms: Sequence[str]) -> str:
    shown = next((form for form in ("svg", "png") if form in forms), None)
    takeaway = escape(selection.takeaway)
    said = f"<p>{takeaway}</p>"
    if shown:
        file = f"{selection.file_stem}.{shown}"
        said = f'<a href="{file}"><img src="{file}" alt="{takeaway}" loading="lazy"></a>'
    links = " · ".join(f'<a href="{selection.file_stem}.{form}">{form.upper()}</a>' for form in forms)
    return f"<article><h3>{escape(selection.chart.title)}</h3><p>{links}</p>{said}</article>"
