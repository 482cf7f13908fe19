"""What every answer of the API has in common: errors as problem+json, conditional requests, limits.

An answer depends on the build, the request and the version of the program; a hash of these is its ETag, so
that a client that has it already is told so before anything is asked of the build.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import address
from dashboard.export.tables import to_json
from dashboard.warehouse import EarlierBuildError, UnknownBuildError, Warehouse, kept, reading, warehouse
from etl import __version__
from etl.errors import AtlasError, DamagedBuildError

T = TypeVar("T")

PROBLEM = "application/problem+json"
LONGEST_QUERY = 16_384  # characters
BUILD_HEADER = "X-Atlas-Build"
RETRY_SECONDS = 30
# An answer over the current build holds until that moves; one over a named build holds for good, but for what
# a new version of the program draws better.
CURRENT_CACHE, NAMED_CACHE = "public, max-age=0, must-revalidate", "public, max-age=86400"


@dataclass(frozen=True)
class Kind:
    """One kind of problem: its status, its title, and what a client does about it."""

    status: int
    title: str
    advice: str


KINDS = {
    "unknown-address": Kind(404, "Unknown address", "The addresses that exist are on this page."),
    "unknown-chart": Kind(404, "Unknown chart", "/api/v1/charts lists the charts."),
    "unknown-format": Kind(404, "Unknown format", "The problem names the formats."),
    "unknown-build": Kind(
        404,
        "Unknown build",
        "/api/v1/build lists the builds that are kept; without build the current one answers.",
    ),
    "unreadable-build": Kind(
        410,
        "Build cannot be read",
        "It is damaged or of another version of the program: ask for another one.",
    ),
    "method": Kind(405, "Method not allowed", "Everything here is read with GET or HEAD."),
    "parameter": Kind(422, "Bad parameter", "errors names each parameter, what is wrong, and what it takes."),
    "too-long": Kind(
        414,
        "Request too long",
        f"A query string has at most {LONGEST_QUERY:,} characters: choose fewer values.",
    ),
    "busy": Kind(503, "Busy", "Many pictures are being drawn: try again after Retry-After seconds."),
    "no-build": Kind(503, "No build", "There is nothing to read yet: try again after Retry-After seconds."),
    "no-picture": Kind(
        503,
        "No picture",
        "The server has no browser to draw with, or it failed. The other formats need none.",
    ),
    "error": Kind(500, "Error", "Something is broken here, and the log of the server tells what."),
}


class ApiError(Exception):
    """A request that cannot be answered as asked."""

    def __init__(self, kind: str, detail: str, **more: Any) -> None:
        """Name the kind of problem, what is wrong in one sentence, and what else a program wants to know."""
        super().__init__(detail)
        self.kind, self.detail, self.more = kind, detail, more


def problem(request: Request, error: ApiError) -> Response:
    """The problem as RFC 9457 has it."""
    kind = KINDS[error.kind]
    headers = {"Cache-Control": "no-store"}
    if kind.status == 503:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if kind.status == 405:
        headers["Allow"] = "GET, HEAD"
    content = {
        "type": f"{root(request)}api/docs#{error.kind}",
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
        **error.more,
    }
    return Response(to_json(content), kind.status, headers, PROBLEM)


def problem_of(error: AtlasError) -> ApiError:
    """What a client is told of an error of the warehouse."""
    if isinstance(error, UnknownBuildError):
        return ApiError("unknown-build", str(error))
    if isinstance(error, EarlierBuildError | DamagedBuildError):
        return ApiError("unreadable-build", str(error))
    logging.getLogger(__name__).error("No build can be served: %s", error)
    return ApiError("no-build", "No build can be served at the moment; /readyz tells more.")


def root(request: Request) -> str:
    """The address of the dashboard, a slash at its end, for links in an answer."""
    return address.root(f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}")


def open_build(build_id: str | None) -> Warehouse:
    """The build that a request names, else the current one.

    Raises:
        ApiError: there is no such build, or none at all.
    """
    try:
        return warehouse() if build_id is None else kept(build_id)
    except AtlasError as error:
        raise problem_of(error) from error


async def answered(
    request: Request,
    make: Callable[[Warehouse], Response],
    build_id: str | None = None,
    limiter: CapacityLimiter | None = None,
) -> Response:
    """The answer over the build that is asked for, or 304 where the client has it already.

    Args:
        request: what was asked.
        make: makes the answer, in a thread, where all questions go to that one build.
        build_id: the build that the request names, if it does.
        limiter: how many such answers are made at a time; Starlette's own limit for all by default.

    Raises:
        ApiError: it cannot be answered so.
    """
    opened = await to_thread.run_sync(open_build, build_id)
    headers = {
        "ETag": _etag(request, opened),
        "Cache-Control": CURRENT_CACHE if build_id is None else NAMED_CACHE,
        BUILD_HEADER: opened.build_id,
    }
    if _has(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)

    def run() -> Response:
        with reading(opened):
            try:
                return make(opened)
            except (EarlierBuildError, DamagedBuildError) as error:
                raise problem_of(error) from error

    response = await to_thread.run_sync(run, limiter=limiter)
    response.headers.update({**headers, "X-Content-Type-Options": "nosniff"})
    return response


def json_response(document: Mapping[str, Any]) -> Response:
    """A document as an answer."""
    return Response(to_json(document), media_type="application/json")


def _etag(request: Request, opened: Warehouse) -> str:
    """Weak, since it names the content and not the bytes: a picture is never drawn twice to the same byte."""
    named = "\n".join((opened.build_id, __version__, root(request), request.url.path, request.url.query))
    return f'W/"{hashlib.sha256(named.encode()).hexdigest()[:32]}"'


def _has(if_none_match: str, etag: str) -> bool:
    known = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return "*" in known or etag.removeprefix("W/") in known


class Reading:
    """Everything is read: HEAD is GET without its body, and a query string has a limit."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the API, with CORS for everybody and compressed answers."""
        cors = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD"],
            allow_headers=["If-None-Match"],
            expose_headers=["ETag", "Link", BUILD_HEADER],
            max_age=86400,
        )
        self._app = GZipMiddleware(cors, minimum_size=1000, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, changed where need be."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if len(scope["query_string"]) > LONGEST_QUERY:
            length = len(scope["query_string"])
            detail = f"The query string has {length:,} characters; at most {LONGEST_QUERY:,} are read."
            await problem(Request(scope), ApiError("too-long", detail))(scope, receive, send)
            return
        if scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, without_body)
