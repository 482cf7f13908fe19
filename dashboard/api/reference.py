"""The OpenAPI document as a page to read: plain HTML, so that it works where nothing else is reached."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from starlette.requests import Request

from dashboard.api.answers import KINDS
from dashboard.api.description import FORMATS, INTRODUCTION, openapi
from dashboard.api.embed import FONT_FILE
from dashboard.export.look import COLORS, FAMILY
from dashboard.theme import FONT

_STYLE = """
@font-face { font-family: '%(family)s'; font-weight: 200 900; src: url(../embed/_/%(file)s) format('woff2') }
:root { color-scheme: light; %(light)s }
@media (prefers-color-scheme: dark) { :root { color-scheme: dark; %(dark)s } }
body { font: 16px/1.5 %(font)s; max-width: 900px; margin: 2rem auto; padding: 0 1rem;
  overflow-wrap: break-word; color: var(--text); background: var(--ground) }
a { color: var(--link) }
h1 { font-size: 1.8rem; line-height: 1.2 }
h2 { font-size: 1.15rem; margin: 3rem 0 .25rem; padding-top: 1rem; border-top: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 1rem 0 .25rem }
code, pre { font: .9em/1.45 ui-monospace, monospace }
pre { padding: .75rem; overflow: auto; max-height: 24rem; border: 1px solid var(--line); border-radius: 4px }
table { border-collapse: collapse; width: 100%% }
td, th { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0;
  border-bottom: 1px solid var(--line) }
nav ul { columns: 2; padding: 0; list-style: none }
nav code { white-space: nowrap }
.quiet { color: var(--muted) }
@media (max-width: 600px) { nav ul { columns: 1 } }
"""


def _style() -> str:
    values = {"family": FAMILY, "file": FONT_FILE, "font": FONT}
    for mode, colors in COLORS.items():
        values[mode] = ";".join(f"--{name}:{value}" for name, value in colors.items())
    return _STYLE % values


def page(api: FastAPI, request: Request) -> str:
    """The document as a page to read."""
    document = openapi(api, request)
    start = document["servers"][0]["url"]
    body = "\n".join(
        _operation(path, operations["get"], start) for path, operations in document["paths"].items()
    )
    contents = "\n".join(
        f'<li><a href="#{escape(_anchor(path))}"><code>{escape(path)}</code></a></li>'
        for path in document["paths"]
    )
    kinds = "\n".join(
        f'<tr id="{name}">{_cells(str(kind.status), escape(kind.title), escape(kind.advice))}</tr>'
        for name, kind in KINDS.items()
    )
    introduction = "".join(f"<p>{_text(part)}</p>" for part in INTRODUCTION.split("\n\n"))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · GenAI Atlas</title>
<style>{_style()}</style>
</head>
<body>
<main>
<h1>The API of GenAI Atlas</h1>
{introduction}
<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI {escape(document["openapi"])}).</p>
<nav aria-label="Addresses"><ul>
{contents}
</ul></nav>
{body}
<h2 id="problems">Problems</h2>
<table><tr><th>Status</th><th>Problem</th><th>What to do</th></tr>
{kinds}
</table>
</main>
</body>
</html>
"""


def _operation(path: str, operation: Mapping[str, Any], start: str) -> str:
    rows = "\n".join(_parameter_row(each) for each in operation.get("parameters", []))
    table = (
        f"<table><tr><th>Parameter</th><th>Takes</th><th>Meaning</th></tr>\n{rows}\n</table>" if rows else ""
    )
    example = operation["responses"]["200"]["content"].get("application/json", {}).get("example")
    shown = json.dumps(example, indent=2, ensure_ascii=False) if example else ""
    answer = f'<h3>Example</h3><pre tabindex="0">{escape(shown)}</pre>' if shown else ""
    return f"""<h2 id="{escape(_anchor(path))}"><code>{escape(path)}</code></h2>
<p>{_text(operation.get("description", ""))}</p>
{table}
<p class="quiet"><code>GET {escape(start + path)}</code></p>{answer}"""


def _anchor(path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path).strip("-")


def _parameter_row(parameter: Mapping[str, Any]) -> str:
    schema = parameter["schema"]
    # What may be left out stands as "this or null": what can be said is said of this.
    taken = next((each for each in schema.get("anyOf", []) if each.get("type") != "null"), schema)
    about = parameter.get("description") or taken.get("description") or ""
    if "example" in parameter:
        about += f" Example: `{_as_asked(parameter['name'], parameter['example'])}`"
    name = f"<code>{escape(parameter['name'])}</code>" + (" (needed)" if parameter.get("required") else "")
    return f"<tr>{_cells(name, escape(_takes(taken, schema.get('default'))), _text(about.strip()))}</tr>"


def _as_asked(name: str, example: Any) -> str:
    """An example as it stands in an address."""
    if isinstance(example, dict):
        return urlencode(example, doseq=True)
    return urlencode({name: example}, doseq=True) if isinstance(example, list) else str(example)


def _cells(*cells: str) -> str:
    return "".join(f"<td>{cell}</td>" for cell in cells)


_WORDS = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}


def _takes(schema: Mapping[str, Any], default: Any) -> str:
    """What a parameter takes, in words."""
    if 1 < len(schema.get("enum", [])) <= len(FORMATS):
        words = " or ".join(map(str, schema["enum"]))
    elif schema.get("type") == "array":
        words = "any number of texts"
    elif schema.get("type") == "object":
        words = "names with their values"
    else:
        words = _WORDS[schema.get("type", "string")]
    if "minimum" in schema and "maximum" in schema:
        words += f" from {schema['minimum']} to {schema['maximum']}"
    return words if default in (None, []) else f"{words}; {default} by default"


def _text(text: str) -> str:
    """Text with `code` in it, as HTML."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
