"""The API: everything that the pages show, for programs; read-only, beside the app in the same process.

`/api/v1/…`, its description under `/api/openapi.json` and `/api/docs`, `/embed/…` and `/metrics`.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dashboard.api import charts, collections, description, embed, reference
from dashboard.api.answers import ApiError, Reading, answered, json_response, problem
from dashboard.api.charts import Form, chart_of
from dashboard.api.collections import COLLECTIONS, BuildId, Collection, PageQuery, build_of
from dashboard.api.counters import TEXT, counters
from dashboard.api.description import responses
from dashboard.api.embed import EmbedMode
from dashboard.chart import REGISTRY
from dashboard.theme import Mode

__all__ = ["api"]

Build = Annotated[BuildId | None, Query()]
ChartId = Annotated[
    str,
    Path(description="The chart, as /api/v1/charts lists it.", json_schema_extra={"enum": sorted(REGISTRY)}),
]


def make_api() -> FastAPI:
    """The API as an ASGI app that knows its whole paths."""
    made = FastAPI(
        title="GenAI Atlas", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    made.add_middleware(Reading)
    made.exception_handler(ApiError)(_on_api_error)
    made.exception_handler(RequestValidationError)(_on_bad_request)
    made.exception_handler(HTTPException)(_on_http_error)
    made.exception_handler(Exception)(_on_bug)
    _add_build(made)
    for collection in COLLECTIONS:
        _add_collection(made, collection)
    _add_charts(made)
    _add_embed(made)
    _add_description(made)
    return made


# --- routes ---------------------------------------------------------------------------------------


def _add_build(made: FastAPI) -> None:
    @made.get("/api/v1/build", tags=["Builds"], responses=responses(404, 410, 422, 503))
    async def build(request: Request, build: Build = None) -> Response:
        """The build that answers: when and from what it was made, its tables, its checks, other builds."""
        return await answered(request, description.about_build, build)


def _add_collection(made: FastAPI, collection: Collection) -> None:
    async def page(request: Request, asked: Any) -> Response:
        return await answered(request, partial(collections.page, collection, asked, request), build_of(asked))

    page.__name__ = collection.name
    page.__doc__ = collection.about
    page.__annotations__["asked"] = Annotated[collection.query, Query()]
    made.get(f"/api/v1/{collection.name}", tags=["Records"], responses=responses(404, 410, 422, 503))(page)


def _add_charts(made: FastAPI) -> None:
    @made.get("/api/v1/charts", tags=["Charts"], responses=responses(404, 410, 422, 503))
    async def charts_list(request: Request, asked: Annotated[PageQuery, Query()]) -> Response:
        """Every chart with its question and the names of its filters."""
        return await answered(request, partial(charts.listed, asked, request), build_of(asked))

    @made.get("/api/v1/charts/{chart_id}/changes", tags=["Charts"], responses=responses(404, 410, 422, 503))
    async def chart_changes(
        request: Request,
        chart_id: ChartId,
        build: Annotated[BuildId, Query(description="The earlier build, by its id or content hash.")],
    ) -> Response:
        """What was added, withdrawn and changed since an earlier build in the rows of this very choice."""
        return await answered(request, partial(charts.changed, chart_of(chart_id), build, request))

    @made.get(
        "/api/v1/charts/{chart_id}.{form}",
        tags=["Charts"],
        responses=responses(404, 410, 422, 503, content=description.FORMS),
    )
    async def chart_export(
        request: Request,
        chart_id: ChartId,
        form: Annotated[Form, Path(description="The format.")],
        build: Build = None,
        mode: Annotated[Mode, Query(description="Colours of pictures and of the page.")] = "light",
        picture_size: Annotated[
            str,
            Query(max_length=40, description="article, slide, square, story, or WIDTHxHEIGHT in pixels."),
        ] = "article",
        picture_scale: Annotated[
            float, Query(ge=0.5, le=4, description="Pixels of the picture a pixel.")
        ] = 1,
    ) -> Response:
        """A chart for a choice of filters: its rows with claims and sources, a page, or a picture."""
        look = {"size": picture_size, "mode": mode, "scale": picture_scale}
        make = partial(charts.exported, chart_of(chart_id), form, look, request)
        return await answered(request, make, build, charts.limiter_of(form))

    @made.get("/api/v1/charts/{chart_id}", tags=["Charts"], responses=responses(404, 410, 422, 503))
    async def chart(request: Request, chart_id: ChartId, build: Build = None) -> Response:
        """One chart: how to read it, its columns, its filters and what each of them takes."""
        return await answered(request, partial(charts.described, chart_of(chart_id), request), build)


def _add_embed(made: FastAPI) -> None:
    @made.get("/embed/_/{name}", include_in_schema=False)
    async def embed_part(name: str) -> Response:
        found = await run_in_threadpool(embed.part, name)
        if found is None:
            raise HTTPException(404)
        keeps = "immutable, max-age=31536000" if name == embed.plotly_script() else "max-age=3600"
        return Response(found[0], media_type=found[1], headers={"Cache-Control": f"public, {keeps}"})

    @made.get(
        "/embed/{chart_id}",
        tags=["Charts"],
        responses=responses(404, 410, 422, 503, content={"text/html": {"schema": {"type": "string"}}}),
    )
    async def embed_chart(
        request: Request,
        chart_id: ChartId,
        build: Build = None,
        mode: Annotated[EmbedMode, Query(description="Colours; auto follows the reader's system.")] = "auto",
    ) -> Response:
        """A chart as a page for an iframe; it tells its height by postMessage."""
        return await answered(request, partial(embed.embedded, chart_of(chart_id), mode, request), build)


def _add_description(made: FastAPI) -> None:
    @made.get("/api/openapi.json", include_in_schema=False)
    async def openapi(request: Request) -> Response:
        return json_response(await run_in_threadpool(description.openapi, made, request))

    @made.get("/api/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return HTMLResponse(await run_in_threadpool(reference.page, made, request))

    @made.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(await run_in_threadpool(counters.text), media_type=TEXT)


# --- errors ---------------------------------------------------------------------------------------


async def _on_api_error(request: Request, error: ApiError) -> Response:
    return problem(request, error)


async def _on_bad_request(request: Request, error: RequestValidationError) -> Response:
    wrong: list[dict[str, Any]] = []
    for each in error.errors():
        name = str(each["loc"][1])[:80] if len(each["loc"]) > 1 else "request"
        if each["loc"][0] == "path":
            asked = str(each.get("input", ""))[:80]
            formats = ", ".join(description.FORMATS)
            return problem(
                request, ApiError("unknown-format", f"There is no format '{asked}'; there are {formats}.")
            )
        allowed = re.findall(r"'([^']*)'", each.get("ctx", {}).get("expected", ""))
        wrong.append(
            {
                "parameter": name,
                "detail": f"'{name}': {each['msg']}.",
                **({"allowed": allowed} if allowed else {}),
            }
        )
    return problem(request, ApiError("parameter", " ".join(each["detail"] for each in wrong), errors=wrong))


async def _on_http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == 405:
        return problem(request, ApiError("method", "Everything here is read with GET or HEAD."))
    path = request.url.path[:200]
    return problem(
        request, ApiError("unknown-address", f"There is nothing at {path}; /api/docs lists what there is.")
    )


async def _on_bug(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the server logs it
    return problem(request, ApiError("error", "This answer failed; the log of the server tells more."))


api = make_api()
