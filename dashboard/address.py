"""What an address may ask for: the values of filters, by id or by the words on screen; links to a view.

Streamlit writes and reads the words on screen (`?market=Artificial+intelligence`); links that people and
programs keep carry ids (`?market=artificial_intelligence`), which never change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from dashboard.chart import REGISTRY, Chart, Control, F, Filters, is_range
from dashboard.pages import Page
from dashboard.warehouse import ask
from etl.errors import MisuseError
from etl.settings import Settings

MORE = "more"  # the parameter that opens what a page keeps behind "More"
CHART = "chart"  # the parameters by which a permanent link names what it shows …
BUILD = "build"  # … and as of when,
AS_OF = "as_of"  # and the one by which a reader chooses between then and now
MOST_NAMED = 8  # values that an error names as possible


class UnknownChartError(MisuseError):
    """There is no chart of that id."""


class FilterError(MisuseError):
    """A filter has a value that it cannot have, or there is no such filter; all that is wrong at once."""

    def __init__(self, chart_id: str, problems: Sequence[tuple[str, str]]) -> None:
        """Keep (name of the filter, what is wrong with it)."""
        self.problems = list(problems)
        super().__init__(
            f"The chart '{chart_id}' cannot be shown so: {' '.join(text for _, text in problems)}"
        )


def find_chart(chart_id: str) -> Chart[Any]:
    """The chart of that id.

    Raises:
        UnknownChartError: there is none.
    """
    if chart_id in REGISTRY:
        return REGISTRY[chart_id]
    raise UnknownChartError(f"There is no chart '{chart_id[:80]}'; genai-atlas charts lists those there are.")


def read_filters(chart: Chart[F], asked: Mapping[str, Sequence[str]]) -> F:
    """The choice that an address, a request or a command line asks for; by id or by the words on screen.

    Args:
        chart: whose filters.
        asked: every name with its values as text; a list has one value an item, a range of years two.

    Raises:
        FilterError: a name or a value is not known.
    """
    controls = {name: (field, control) for name, field, control in chart.filters.controls()}
    problems, values = [], {}
    for name, given in asked.items():
        if name not in controls:
            known = f"it has {', '.join(controls)}" if controls else "it has none"
            problems.append((name, f"There is no filter '{name[:80]}'; {known}."))
            continue
        field, control = controls[name]
        if wrong := refused(list(given), field, control) or _surplus(list(given), field):
            said = ", ".join(f"'{value[:80]}'" for value in wrong[:MOST_NAMED])
            problems.append((name, f"'{name}' cannot be {said}; it takes {_accepted(field, control)}."))
        elif given:
            values[name] = _value(list(given), field, control)
    if problems:
        raise FilterError(chart.id, problems)
    try:
        return chart.filters.model_validate(values)
    except ValidationError as error:
        raise FilterError(
            chart.id,
            [(str(each["loc"][0]), f"'{each['loc'][0]}': {each['msg']}.") for each in error.errors()],
        ) from None


def chosen_words(filters: Filters) -> Iterator[tuple[str, str]]:
    """(label, what was chosen) of every filter that is not at its default, in the words on screen."""
    for name, field, control in filters.controls():
        value = getattr(filters, name)
        if value == field.get_default(call_default_factory=True):
            continue
        if isinstance(value, bool):
            yield control.label, "yes" if value else "no"
        elif is_range(field):
            yield control.label, "–".join(dict.fromkeys(map(str, value)))
        else:
            words = choices(field, control)
            parts = value if isinstance(value, list) else [_text(value)]
            yield control.label, ", ".join(words.get(str(part), str(part)) for part in parts) or "none"


def _surplus(given: list[str], field: FieldInfo) -> list[str]:
    """What is given beyond the one value that the filter takes."""
    is_single = not is_range(field) and not isinstance(field.get_default(call_default_factory=True), list)
    return given[1:] if is_single else []


def _value(given: list[str], field: FieldInfo, control: Control) -> Any:
    """Accepted text as the model wants it."""
    if is_range(field):
        first, last = sorted(map(int, given))
        return first, last
    if field.annotation is bool:
        return given[0].lower() == "true"
    if field.annotation in (int, float):
        return field.annotation(given[0])
    ids = {words: value for value, words in reversed(choices(field, control).items())}
    found = [ids.get(value, value) for value in given]
    if isinstance(field.get_default(call_default_factory=True), list):
        return [] if given == [""] else found
    return found[0]


def _accepted(field: FieldInfo, control: Control) -> str:
    """What a filter takes, in words."""
    if field.annotation is bool:
        return "true or false"
    if is_range(field):
        least, greatest = extent(control)
        return f"two years from {least} to {greatest}"
    if field.annotation in (int, float):
        least_number, most = limits(field)
        return f"one number from {_text(least_number)} to {_text(most)}"
    known = list(choices(field, control))
    if not known:
        return "one text"
    more = len(known) - MOST_NAMED
    return ", ".join(repr(value) for value in known[:MOST_NAMED]) + (
        f" or one of {more} more" if more > 0 else ""
    )


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
        years = [int(value) for value in asked if value.isdecimal() and len(value) == 4]
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


def root(seen: str | None = None) -> str:
    """The address of the dashboard, a slash at its end: as configured, as a request saw it, or the usual."""
    configured = Settings().public_url
    return f"{configured or seen or 'http://localhost:8501'}".rstrip("/") + "/"


def link(chart: Chart[Any], filters: Filters, build_id: str | None = None) -> str:
    """The address of this very view, relative to the root of the app; with a build, a permanent one."""
    asked = {**filters.changed(), **({MORE: "true"} if chart.is_behind_more else {})}
    if build_id:
        asked |= {CHART: chart.id, BUILD: build_id}
    query = _query(asked)
    return f"{chart.topic}{'?' if query else ''}{query}#{chart.id}"


def filters_query(filters: Filters) -> str:
    """The choice as a query string, of ids; empty where all is as by default."""
    return _query(filters.changed())


def _query(asked: Mapping[str, Any]) -> str:
    return urlencode({name: _text(value) for name, value in asked.items()}, doseq=True)


def _text(value: Any) -> Any:
    """A value as a widget writes it: true, 55 rather than 55.0, an empty text for an empty list."""
    if value == []:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return int(value) if isinstance(value, float) and value.is_integer() else value
