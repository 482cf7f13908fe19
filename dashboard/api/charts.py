"""The charts of the API: the list, one chart with its filters, its exports, and what changed in its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from anyio import CapacityLimiter
from pydantic.fields import FieldInfo
from starlette.requests import Request
from starlette.responses import Response

from dashboard import address, export
from dashboard.address import FilterError, UnknownChartError
from dashboard.api.answers import ApiError, json_response, open_build, root
from dashboard.api.collections import PageQuery, bad_parameter, paged, read_cursor, write_cursor
from dashboard.changes import changes_of, counts
from dashboard.chart import REGISTRY, Chart, Control, Filters, is_range
from dashboard.export import PICTURES, NoBrowserError, PictureError, Selection, SizeError, select
from dashboard.warehouse import Warehouse, reading

Form = Literal["json", "csv", "xlsx", "parquet", "html", "svg", "png", "pdf"]
# Names that are no filters, of which no filter may be named; `test_api_charts` holds it.
RESERVED = (address.BUILD, "mode", "picture_size", "picture_scale")
AT_A_TIME, MOST_WAITING = 4, 60
pictures = CapacityLimiter(AT_A_TIME)

# What a page or a drawing that was opened from here may do: nothing but show itself.
_SEALED = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
_HEADERS = {
    "html": {"Content-Security-Policy": f"{_SEALED}; script-src 'unsafe-inline'"},
    "svg": {"Content-Security-Policy": _SEALED},
}
_SHOWN = ("json", "html", "svg", "png", "pdf")  # what a browser shows rather than saves


def chart_of(chart_id: str) -> Chart[Any]:
    """The chart of that id.

    Raises:
        ApiError: there is none.
    """
    try:
        return address.find_chart(chart_id)
    except UnknownChartError:
        raise ApiError(
            "unknown-chart", f"There is no chart '{chart_id[:80]}'; /api/v1/charts lists those there are."
        ) from None


def filters_of(chart: Chart[Any], request: Request, reserved: Sequence[str] = RESERVED) -> Filters:
    """The choice that the query string makes; by id or by the words on screen.

    Raises:
        ApiError: a filter is not known, or has a value that it cannot have.
    """
    asked: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in reserved:
            asked.setdefault(name, []).append(value)
    try:
        filters: Filters = address.read_filters(chart, asked)
    except FilterError as error:
        errors = [
            {"parameter": name[:80], "detail": text, **_allowed(chart, name)} for name, text in error.problems
        ]
        raise ApiError("parameter", str(error), errors=errors) from None
    return filters


def _allowed(chart: Chart[Any], name: str) -> dict[str, Any]:
    controls = {known: (field, control) for known, field, control in chart.filters.controls()}
    if name not in controls:
        return {"allowed": list(controls)}
    described = describe_filter(name, *controls[name])
    if "allowed" in described:
        return {"allowed": [each["value"] for each in described["allowed"]]}
    return {key: described[key] for key in ("minimum", "maximum") if key in described}


# --- the list and one chart -----------------------------------------------------------------------


def listed(asked: PageQuery, request: Request, opened: Warehouse) -> Response:
    """One page of the list of charts; it is the program's, not the build's."""
    after = read_cursor(asked.cursor)[1] if asked.cursor else ""
    rest = [chart_id for chart_id in sorted(REGISTRY) if chart_id > after]
    items = [_head(REGISTRY[chart_id], root(request)) for chart_id in rest[: asked.limit]]
    cursor = write_cursor(opened.build_id, items[-1]["id"]) if len(rest) > asked.limit else None
    return paged(request, opened.build_id, len(REGISTRY), items, cursor)


def described(chart: Chart[Any], request: Request, opened: Warehouse) -> Response:
    """One chart with its filters and what each of them takes in this build."""
    filters = [describe_filter(*each) for each in chart.filters.controls()]
    return json_response(
        {
            **_head(chart, root(request)),
            "build": opened.build_id,
            "reading": chart.reading,
            "columns": dict(chart.columns),
            "filters": filters,
        }
    )


def describe_filter(name: str, field: FieldInfo, control: Control) -> dict[str, Any]:
    """A filter with what it takes, from its type and from the build that is read."""
    default = field.get_default(call_default_factory=True)
    about = {"name": name, "label": control.label, "help": control.help, "default": default}
    if field.annotation is bool:
        return {**about, "takes": "one", "allowed": [{"value": "true"}, {"value": "false"}]}
    if is_range(field):
        least, most = address.extent(control)
        return {**about, "takes": "two years", "minimum": least, "maximum": most}
    if field.annotation in (int, float):
        least_number, most_number = address.limits(field)
        return {**about, "takes": "one number", "minimum": least_number, "maximum": most_number}
    known = [{"value": value, "label": label} for value, label in address.choices(field, control).items()]
    return {
        **about,
        "takes": "any number of" if isinstance(default, list) else "one" if known else "one text",
        **({"allowed": known} if known else {}),
    }


def _head(chart: Chart[Any], root_address: str) -> dict[str, Any]:
    return {
        "id": chart.id,
        "topic": chart.topic,
        "title": chart.title,
        "question": chart.question,
        "filters": list(chart.filters.model_fields),
        "address": root_address + address.link(chart, chart.filters()),
        "formats": {form: f"{root_address}api/v1/charts/{chart.id}.{form}" for form in get_args(Form)},
    }


# --- exports --------------------------------------------------------------------------------------


def selection_of(chart: Chart[Any], request: Request, opened: Warehouse) -> Selection:
    """The rows that a request asks for, with all that has to be said with them."""
    return select(opened, chart, filters_of(chart, request), root(request))


def exported(
    chart: Chart[Any], form: Form, look: Mapping[str, Any], request: Request, opened: Warehouse
) -> Response:
    """A chart in one of its formats.

    Raises:
        ApiError: a filter or a size is wrong, or no picture can be drawn.
    """
    selection = selection_of(chart, request, opened)
    try:
        made = export.render(selection, form, **look)
    except SizeError as error:
        raise bad_parameter("picture_size", str(error)) from error
    except (NoBrowserError, PictureError) as error:
        raise ApiError("no-picture", str(error)) from error
    place = "inline" if form in _SHOWN else "attachment"
    headers = {"Content-Disposition": f'{place}; filename="{made.file_name}"', **_HEADERS.get(form, {})}
    return Response(made.content, media_type=made.media_type, headers=headers)


def limiter_of(form: Form) -> CapacityLimiter | None:
    """Pictures wait for each other and not for anything else; nor does anything else for them.

    Raises:
        ApiError: too many wait already.
    """
    if form not in PICTURES:
        return None
    if pictures.statistics().tasks_waiting >= MOST_WAITING:
        raise ApiError("busy", f"{MOST_WAITING} pictures wait to be drawn already; try again in a moment.")
    return pictures


# --- what changed ---------------------------------------------------------------------------------


def changed(chart: Chart[Any], build_id: str, request: Request, new: Warehouse) -> Response:
    """What differs between an earlier build and the current one in the rows of this choice.

    Raises:
        ApiError: there is no such build, or a filter is wrong in both.
    """
    old = open_build(build_id)
    filters = filters_in_either(chart, request, new, old)
    changes = changes_of(chart, filters, old, new)
    return json_response(
        {
            "chart": chart.id,
            "filters": filters.model_dump(mode="json"),
            "old": old.build_id,
            "new": new.build_id,
            **counts(changes),
            "columns": dict(chart.columns),
            "changes": [change.as_dict() for change in changes],
        }
    )


def filters_in_either(chart: Chart[Any], request: Request, *builds: Warehouse) -> Filters:
    """The choice as the first of the builds that knows its values understands it; values come and go, too.

    Raises:
        ApiError: none of them knows them.
    """
    errors = []
    for opened in builds:
        with reading(opened):
            try:
                return filters_of(chart, request)
            except ApiError as error:
                errors.append(error)
    raise errors[0]
