"""What an address may ask for: the values of filters, by id or by the words on screen; links to a view.

Streamlit writes and reads the words on screen (`?market=Artificial+intelligence`); links that people and
programs keep carry ids (`?market=artificial_intelligence`), which never change.
"""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin
from urllib.parse import parse_qsl, urlencode

from pydantic.fields import FieldInfo

from dashboard.chart import Chart, Control, Filters, is_range
from dashboard.pages import Page
from dashboard.warehouse import ask

MORE = "more"  # the parameter that opens what a page keeps behind "More"


def choices(field: FieldInfo, control: Control) -> dict[str, str]:
    """Value -> words of a choice, from the build or from the type; nothing where any text will do."""
    if control.options_sql:
        return {str(row[0]): str(row[-1]) for row in ask(control.options_sql).itertuples(index=False)}
    inner = next(iter(get_args(field.annotation)), None)
    literal = field.annotation if get_origin(field.annotation) is Literal else inner
    labels = control.labels or {}
    return {value: labels.get(value, value) for value in get_args(literal)}


def extent(control: Control) -> tuple[int, int]:
    """First and last year of a range, from the build."""
    least, greatest = ask(control.options_sql or "").iloc[0]
    return int(least), int(greatest)


def limits(field: FieldInfo) -> tuple[float, float]:
    """The smallest and the largest number that a field admits, as its type declares them."""
    bounds = {
        kind: getattr(note, kind) for note in field.metadata for kind in ("ge", "le") if hasattr(note, kind)
    }
    return bounds["ge"], bounds["le"]


def refused(asked: list[str], field: FieldInfo, control: Control) -> list[str]:
    """What of this the filter does not know."""
    if field.annotation is bool:
        return [value for value in asked if value.lower() not in {"true", "false"}]
    if is_range(field):
        least, greatest = extent(control)
        years = [int(value) for value in asked if value.isdecimal()]
        is_known = len(asked) == len(years) == 2 and least <= min(years) and max(years) <= greatest
        return [] if is_known else asked
    if field.annotation in (int, float):
        return [value for value in asked if not _is_within(value, field)]
    known = choices(field, control)
    if isinstance(field.get_default(call_default_factory=True), list) and asked == [""]:
        return []  # nothing is chosen, where the default is something
    return [value for value in asked if known and value not in known and value not in known.values()]


def _is_within(value: str, field: FieldInfo) -> bool:
    least, most = limits(field)
    try:
        return least <= (int(value) if field.annotation is int else float(value)) <= most
    except ValueError:
        return False


def in_words(page: Page, query: str) -> str:
    """The same query with the words on screen instead of ids, as Streamlit understands it."""
    controls: dict[str, tuple[FieldInfo, Control]] = {}
    for name, field, control in page.controls():
        controls.setdefault(name, (field, control))
    pairs = parse_qsl(query, keep_blank_values=True)
    spoken = []
    for name, value in pairs:
        words = choices(*controls[name]) if name in controls and not is_range(controls[name][0]) else {}
        is_id = value in words and value not in words.values()
        spoken.append((name, words[value] if is_id else value))
    return query if spoken == pairs else urlencode(spoken)


def link(chart: Chart[Any], filters: Filters) -> str:
    """The address of this very view, relative to the root of the app."""
    asked = {**filters.changed(), **({MORE: "true"} if chart.is_behind_more else {})}
    query = urlencode({name: _text(value) for name, value in asked.items()}, doseq=True)
    return f"{chart.topic}{'?' if query else ''}{query}#{chart.id}"


def _text(value: Any) -> Any:
    """A value as a widget writes it: true, 55 rather than 55.0, an empty text for an empty list."""
    if value == []:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return int(value) if isinstance(value, float) and value.is_integer() else value
