"""The lists of the API: sources, metrics, entities, observations, forecasts, page by page.

A page ends with a cursor that names the build and the last id. The next page is read from that very build as
long as it is kept, so that a walk meets every row exactly once whatever is published meanwhile.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from dashboard.api.answers import ApiError, json_response, root
from dashboard.export.selection import LICENCE
from dashboard.export.tables import plain_rows
from dashboard.warehouse import Warehouse

DEFAULT_LIMIT, MOST_ROWS = 100, 1000
MOST_VALUES = 300  # of one filter
MOST_NAMED = 300  # values that an error names as possible

Text = Annotated[str, Field(max_length=200)]
Texts = Annotated[list[Text], Field(max_length=MOST_VALUES)]
Year = Annotated[int, Field(ge=1900, le=2200)]
BuildId = Annotated[
    str,
    Field(
        max_length=80,
        description="A build that is kept, by its id or content hash; the current one by default.",
    ),
]


class PageQuery(BaseModel):
    """What every list takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MOST_ROWS, description="Rows a page.")
    cursor: str | None = Field(
        None,
        max_length=400,
        description="Where the page before ended: `next_cursor` of its answer. It names the build, so that a "
        "walk stays on one.",
    )
    build: BuildId | None = None


class SourceQuery(PageQuery):
    """Filters of the sources."""

    publisher: Texts = []
    kind: Texts = []
    licence_id: Texts = []


class MetricQuery(PageQuery):
    """Filters of the metrics."""

    topic: Texts = []


class EntityQuery(PageQuery):
    """Filters of the entities."""

    kind: Texts = []
    parent_id: Texts = []


class ObservationQuery(PageQuery):
    """Filters of the observations."""

    metric_id: Texts = []
    entity_id: Texts = []
    source_id: Texts = []
    publisher: Texts = []
    topic: Texts = []
    dataset: Texts = []
    attribution: Texts = []
    is_repeat: bool | None = Field(None, description="Whether it repeats another claim.")
    year_from: Year | None = Field(None, description="First year of the period.")
    year_to: Year | None = Field(None, description="Last year of the period.")


class ForecastQuery(PageQuery):
    """Filters of the forecasts."""

    market_id: Texts = []
    entity_id: Texts = []
    source_id: Texts = []
    publisher: Texts = []
    attribution: Texts = []
    is_repeat: bool | None = Field(None, description="Whether it repeats another claim.")
    year_from: Year | None = Field(None, description="The target is not before this year.")
    year_to: Year | None = Field(None, description="The target is not after this year.")


@dataclass(frozen=True)
class Collection:
    """One list.

    Attributes:
        name: its address and the name of its rows.
        about: one sentence for the documentation.
        table: where it is read from.
        columns: what a row has, in order; the first is the unique id by which the list is sorted.
        query: what it takes.
        year: the column that year_from and year_to compare with.
    """

    name: str
    about: str
    table: str
    columns: tuple[str, ...]
    query: type[PageQuery]
    year: str = ""

    @property
    def key(self) -> str:
        """The unique id."""
        return self.columns[0]

    @property
    def filters(self) -> list[str]:
        """The names that narrow the list."""
        return [name for name in self.query.model_fields if name not in PageQuery.model_fields]

    @property
    def texts(self) -> list[str]:
        """The filters that take ids or names as the rows have them."""
        return [name for name in self.filters if name in self.columns and name != "is_repeat"]

    def condition(self) -> str:
        """The filters as SQL, made of the names above alone; every value is a parameter."""
        parts = [
            f"(len(${name}::VARCHAR[]) = 0 OR list_contains(${name}::VARCHAR[], {name}))"
            for name in self.texts
        ]
        if "is_repeat" in self.filters:
            parts.append("($is_repeat::BOOLEAN IS NULL OR is_repeat = $is_repeat::BOOLEAN)")
        if self.year:
            parts.append(f"($year_from::BIGINT IS NULL OR {self.year} >= $year_from::BIGINT)")
            parts.append(f"($year_to::BIGINT IS NULL OR {self.year} <= $year_to::BIGINT)")
        return " AND ".join(parts)


_CLAIM_END = ("published", "url", "carrier", "repeats_claim_id", "is_repeat", "note")
COLLECTIONS = (
    Collection(
        "sources",
        "Every publication as read at one address, with its terms and what it contributed.",
        "source_card",
        (
            *("source_id", "publisher", "title", "published", "url", "carrier", "kind", "opened", "claims"),
            *("repeats", "topics", "attribution", "licence_id", "licence", "licence_url", "attribution_text"),
            "note",
        ),
        SourceQuery,
    ),
    Collection(
        "metrics",
        "What is measured, in which unit, and what it does not measure.",
        "metric",
        (
            *("metric_id", "topic", "label", "unit_id", "definition", "excludes", "direction", "comparable"),
            *("plausible_min", "plausible_max"),
        ),
        MetricQuery,
    ),
    Collection(
        "entities",
        "Whom or what something is measured for: places, frameworks, tools, roles, companies.",
        "entity",
        (*("entity_id", "kind", "name", "parent_id", "iso2", "iso3", "geonames_id", "also_known_as"),),
        EntityQuery,
    ),
    Collection(
        "observations",
        "Every published figure: metric, entity, period, value, unit, source, as it was printed.",
        "observation_figure",
        (
            *(
                "claim_id",
                "source_id",
                "publisher",
                "attribution",
                "relayed_by",
                "dataset",
                "topic",
                "metric_id",
            ),
            *("metric_label", "entity_id", "place", "place_kind", "period", "year", "segment", "population"),
            *("series", "value", "bound", "unit_id", "unit_label", "harmonised_value", "harmonised_unit"),
            *("status", "basis", "vintage", *_CLAIM_END),
        ),
        ObservationQuery,
        year="year",
    ),
    Collection(
        "forecasts",
        "Every published forecast of a market: base, target, growth rate, years, source, as it was printed.",
        "forecast_path",
        (
            *("claim_id", "source_id", "publisher", "attribution", "relayed_by", "market_id", "market_label"),
            *("entity_id", "place", "segment", "base_year", "base_value_usd_bn", "forecast_year"),
            *("forecast_value_usd_bn", "cagr_pct", "cagr_start_year", "cagr_end_year", "edition", "bound"),
            *_CLAIM_END,
        ),
        ForecastQuery,
        year="forecast_year",
    ),
)


def page(collection: Collection, asked: PageQuery, request: Request, opened: Warehouse) -> Response:
    """One page of a list.

    Raises:
        ApiError: a filter has a value that does not occur.
    """
    values = asked.model_dump(include=set(collection.filters))
    _refuse_unknown(collection, values, opened)
    after = read_cursor(asked.cursor)[1] if asked.cursor else ""
    condition = collection.condition()
    # Names of tables and columns are those declared above.
    rows = opened.query(
        f"SELECT {', '.join(collection.columns)} FROM {collection.table} WHERE {condition} "  # noqa: S608
        f"AND {collection.key} > $after ORDER BY {collection.key} LIMIT $limit",
        {**values, "after": after, "limit": asked.limit + 1},
    )
    counted = opened.query(f"SELECT count(*) AS total FROM {collection.table} WHERE {condition}", values)  # noqa: S608
    items = plain_rows(rows.head(asked.limit))
    cursor = write_cursor(opened.build_id, items[-1][collection.key]) if len(rows) > asked.limit else None
    return paged(request, opened.build_id, int(counted["total"].iloc[0]), items, cursor)


def paged(
    request: Request, build_id: str, total: int, items: list[dict[str, Any]], cursor: str | None
) -> Response:
    """A page as it leaves: how many there are in all, the rows, and where the next ones are."""
    following = None
    if cursor:
        kept = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
        query = urlencode([*kept, ("cursor", cursor)])
        path = request.url.path.removeprefix(request.scope.get("root_path", "")).lstrip("/")
        following = f"{root(request)}{path}?{query}"
    response = json_response(
        {
            "build": build_id,
            "total": total,
            "items": items,
            "next_cursor": cursor,
            "next": following,
            "licence": LICENCE,
        }
    )
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def build_of(asked: PageQuery) -> str | None:
    """The build that a page is read from: that of the cursor, else the one that is named.

    Raises:
        ApiError: the cursor is none of ours, or speaks of another build than the request.
    """
    if not asked.cursor:
        return asked.build
    build_id, _ = read_cursor(asked.cursor)
    if asked.build and asked.build not in (build_id, build_id.rpartition("-")[2]):
        raise bad_parameter(
            "cursor", f"The cursor is of the build {build_id}, not of the one that is asked for."
        )
    return build_id


def write_cursor(build_id: str, last: str) -> str:
    """Where a page ended."""
    return base64.urlsafe_b64encode(json.dumps([build_id, last]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[str, str]:
    """(build, id of the last row) of a cursor.

    Raises:
        ApiError: it is none of ours.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        build_id, last = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if isinstance(last, str) and re.fullmatch(r"[0-9TZa-f-]{1,80}", build_id):
            return build_id, last
    except (ValueError, TypeError, binascii.Error):
        pass
    raise bad_parameter("cursor", "This is no cursor of this list: take next_cursor of an answer as it is.")


def bad_parameter(name: str, detail: str, **more: Any) -> ApiError:
    """One parameter is wrong."""
    return ApiError("parameter", detail, errors=[{"parameter": name, "detail": detail, **more}])


def _refuse_unknown(collection: Collection, values: Mapping[str, Any], opened: Warehouse) -> None:
    errors = []
    for name in collection.texts:
        asked = values[name]
        if not asked:
            continue
        sql = f"SELECT DISTINCT {name} AS known FROM {collection.table} WHERE {name} IS NOT NULL ORDER BY ALL"  # noqa: S608
        known = opened.query(sql)["known"].tolist()
        if unknown := [value for value in asked if value not in set(known)]:
            said = ", ".join(f"'{value[:80]}'" for value in unknown[:8])
            some = ", ".join(f"'{value}'" for value in known[:8])
            more = f" or one of {len(known) - 8:,} more" if len(known) > 8 else ""
            allowed = {"allowed": known} if len(known) <= MOST_NAMED else {}
            detail = f"'{name}' cannot be {said}; it takes {some}{more}."
            errors.append({"parameter": name, "detail": detail, **allowed})
    if errors:
        raise ApiError("parameter", " ".join(str(error["detail"]) for error in errors), errors=errors)
