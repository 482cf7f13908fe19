"""What the API says of itself: its OpenAPI document, with columns and examples from the open build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import Response

from dashboard.api import charts, collections
from dashboard.api.answers import KINDS, PROBLEM, ApiError, json_response, open_build, root
from dashboard.api.charts import Form
from dashboard.api.collections import COLLECTIONS, Collection
from dashboard.chart import REGISTRY
from dashboard.export import MEDIA_TYPES
from dashboard.export.tables import plain_rows
from dashboard.warehouse import Warehouse, reading
from etl import __version__
from etl.settings import Settings
from etl.warehouse import Home

FORMATS: tuple[str, ...] = get_args(Form)
FORMS = {
    MEDIA_TYPES[form].partition(";")[0]: {
        "schema": {"$ref": "#/components/schemas/ChartDocument"} if form == "json" else {"type": "string"}
    }
    for form in FORMATS
}
_EXAMPLE_CHART = "market-forecasts"
_TYPES = {"BOOLEAN": "boolean", "BIGINT": "integer", "INTEGER": "integer", "DOUBLE": "number"}
_PROBLEM_SCHEMA = {
    "type": "object",
    "description": "What is wrong, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "The kind of problem, by the address that explains it."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence on what is wrong here."},
        "errors": {
            "type": "array",
            "description": "Each parameter that is wrong, with what it takes where that can be listed.",
            "items": {"type": "object", "required": ["parameter", "detail"]},
        },
    },
}
_FILTERS_PARAMETER = {
    "name": "filters",
    "in": "query",
    "required": False,
    "style": "form",
    "explode": True,
    "description": "Any filter of the chart by its own name, as /api/v1/charts/{chart_id} describes them; a "
    "list repeats the name, a range of years gives it twice. Ids and the words on screen are understood.",
    "schema": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
}
INTRODUCTION = """Everything that the pages show, for programs. Read-only, no key, any origin, GET and HEAD.

Every answer names its build; with `build` an earlier one answers, as long as it is kept. An answer has an
`ETag`: send it back as `If-None-Match`, and 304 says that nothing has changed. Lists come page by page:
follow `next`. Errors are `application/problem+json`. Figures are under the terms of their sources: every
claim names its `source_id`, and the sources name the terms."""


def responses(*statuses: int, content: Mapping[str, Any] | None = None) -> dict[int | str, dict[str, Any]]:
    """The answers of an operation, for the document."""
    declared: dict[int | str, dict[str, Any]] = {
        200: {
            "description": "The answer.",
            "content": content or {"application/json": {"schema": {"type": "object"}}},
        },
        304: {"description": "Nothing has changed since the answer whose ETag was sent."},
    }
    for status in sorted({*statuses, 405, 414}):
        titles = sorted({kind.title for kind in KINDS.values() if kind.status == status})
        declared[status] = {
            "description": "; ".join(titles),
            "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return declared


def about_build(opened: Warehouse) -> Response:
    """The build, its tables, inputs and checks, and the builds that are kept."""
    made = plain_rows(opened.query("SELECT * FROM meta.build"))[0]
    kept = Home(Settings().home).builds()
    return json_response(
        {
            "build": opened.build_id,
            "built_at": opened.built_at.isoformat(timespec="seconds"),
            "content_hash": made["content_hash"],
            "versions": {
                name.removesuffix("_version"): made[name] for name in made if name.endswith("_version")
            },
            "notice": opened.notice,
            "tables": plain_rows(
                opened.query("SELECT name, kind, title, rows FROM meta.table_info ORDER BY name")
            ),
            "checks": plain_rows(
                opened.query(
                    "SELECT name, severity, description, offending_rows FROM meta.check_result ORDER BY name"
                )
            ),
            "inputs": plain_rows(opened.query("SELECT name, sha256 FROM meta.input ORDER BY name")),
            "kept": [build.build_id for build in kept],
        }
    )


def openapi(api: FastAPI, request: Request) -> dict[str, Any]:
    """The OpenAPI document; where a build is open, with its columns and with examples from it."""
    document = get_openapi(
        title="GenAI Atlas",
        version=__version__,
        description=INTRODUCTION,
        routes=api.routes,
        servers=[{"url": root(request).rstrip("/")}],
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM_SCHEMA
    schemas["ChartDocument"] = _chart_document()
    for path in (
        "/api/v1/charts/{chart_id}.{form}",
        "/api/v1/charts/{chart_id}/changes",
        "/embed/{chart_id}",
    ):
        document["paths"][path]["get"]["parameters"].append(_FILTERS_PARAMETER)
    try:
        opened = open_build(None)
    except ApiError:
        return document
    with reading(opened):
        for collection in COLLECTIONS:
            _describe_collection(document, collection, opened, request)
        _give_examples(document, opened, request)
    return document


def _chart_document() -> dict[str, Any]:
    rows = {"type": "array", "items": {"type": "object"}}
    return {
        "type": "object",
        "description": "What it is, the rows that are drawn, the claims behind them, their sources.",
        "required": ["chart", "filters", "build", "sources", "rows", "claims", "licence", "how_to_cite"],
        "properties": {
            "chart": {"type": "object"},
            "filters": {"type": "object"},
            "build": {"type": "object"},
            "sources": rows,
            "rows": rows,
            "claims": rows,
            "licence": {"type": "string"},
            "how_to_cite": {"type": "string"},
        },
    }


def _describe_collection(
    document: dict[str, Any], collection: Collection, opened: Warehouse, request: Request
) -> None:
    """The columns of a list with their types and meanings, and its first rows as an example."""
    operation = document["paths"][f"/api/v1/{collection.name}"]["get"]
    said = opened.query(
        "SELECT name, title, description FROM meta.field_info WHERE table_name = $table",
        {"table": collection.table},
    )
    meaning = {row["name"]: row["description"] or row["title"] for row in plain_rows(said)}
    types = opened.query(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $table",
        {"table": collection.table},
    )
    kinds = dict(zip(types["column_name"], types["data_type"], strict=True))
    properties = {
        name: {
            "type": [_TYPES.get(kinds[name], "string"), "null"],
            **({"description": meaning[name]} if meaning.get(name) else {}),
        }
        for name in collection.columns
    }
    answer = operation["responses"]["200"]["content"]["application/json"]
    answer["schema"] = _page_schema({"type": "object", "properties": properties})
    example = _example(
        request,
        f"/api/v1/{collection.name}",
        {"limit": "1"},
        lambda asked: collections.page(collection, collection.query(limit=1), asked, opened),
    )
    answer["example"] = example
    if example["items"]:
        for parameter in operation["parameters"]:
            value = example["items"][0].get(parameter["name"])
            if parameter["name"] in collection.texts and value is not None:
                parameter["example"] = [value]


def _page_schema(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["build", "total", "items", "next_cursor", "next"],
        "properties": {
            "build": {"type": "string"},
            "total": {"type": "integer", "description": "Rows that match, on all pages."},
            "items": {"type": "array", "items": item},
            "next_cursor": {"type": ["string", "null"]},
            "next": {"type": ["string", "null"], "description": "Address of the next page."},
            "licence": {"type": "string"},
        },
    }


def _give_examples(document: dict[str, Any], opened: Warehouse, request: Request) -> None:
    """Examples of what is no list of records: answers of this build, lists cut after their first entry."""
    chart = REGISTRY[_EXAMPLE_CHART]
    publisher = str(
        opened.query(
            "SELECT publisher FROM forecast_path GROUP BY ALL ORDER BY count(*) DESC, publisher LIMIT 1"
        ).iloc[0, 0]
    )
    made: dict[str, tuple[str, dict[str, str], Any]] = {
        "/api/v1/build": ("/api/v1/build", {}, lambda _: about_build(opened)),
        "/api/v1/charts": (
            "/api/v1/charts",
            {"limit": "1"},
            lambda asked: charts.listed(collections.PageQuery(limit=1), asked, opened),
        ),
        "/api/v1/charts/{chart_id}": (
            f"/api/v1/charts/{chart.id}",
            {},
            lambda asked: charts.described(chart, asked, opened),
        ),
        "/api/v1/charts/{chart_id}/changes": (
            f"/api/v1/charts/{chart.id}/changes",
            {"build": opened.build_id},
            lambda asked: charts.changed(chart, opened.build_id, asked, opened),
        ),
        "/api/v1/charts/{chart_id}.{form}": (
            f"/api/v1/charts/{chart.id}.json",
            {"publisher": publisher},
            lambda asked: charts.exported(chart, "json", {}, asked, opened),
        ),
    }
    for path, (address, query, make) in made.items():
        operation = document["paths"][path]["get"]
        content = operation["responses"]["200"]["content"]["application/json"]
        content["example"] = _cut(_example(request, address, query, make))
    filters = {**_FILTERS_PARAMETER, "example": {"publisher": [publisher]}}
    for path in (
        "/api/v1/charts/{chart_id}.{form}",
        "/embed/{chart_id}",
        "/api/v1/charts/{chart_id}/changes",
    ):
        for parameter in document["paths"][path]["get"]["parameters"]:
            parameter.update(
                {"chart_id": {"example": chart.id}, "filters": filters}.get(parameter["name"], {})
            )
            if parameter["name"] == "build":
                parameter["example"] = opened.build_id


def _example(request: Request, path: str, query: Mapping[str, str], make: Any) -> Any:
    """What the API answers to another request over the same build."""
    base = request.scope.get("root_path", "")
    asked = Request({**request.scope, "path": base + path, "query_string": urlencode(query).encode()})
    return json.loads(make(asked).body)


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        return [_cut(each) for each in value[:1]]
    return {name: _cut(each) for name, each in value.items()} if isinstance(value, dict) else value
