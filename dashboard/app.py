"""The ASGI app: the Streamlit script and, in the same process, the API and the probes of an operator."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.address import in_words
from dashboard.api import api
from dashboard.api.answers import root
from dashboard.api.counters import Counting
from dashboard.export import pictures
from dashboard.pages import PAGES, Page
from dashboard.previews import Preview, preview
from dashboard.refreshing import REFRESHER, refresh_on_schedule
from dashboard.warehouse import warehouse
from etl.errors import AtlasError
from etl.settings import Settings

ASSETS = Path(__file__).with_name("assets")


async def healthz(_: Request) -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(_: Request) -> JSONResponse:
    """A build is open and answers; the body names it. 503 otherwise."""

    def probe() -> dict[str, object]:
        opened = warehouse()
        opened.query("SELECT 1")
        return {"status": "ready", "build": opened.build_id, "notice": opened.notice}

    try:
        return JSONResponse(await run_in_threadpool(probe))
    except AtlasError as error:
        return JSONResponse({"status": "not ready", "error": str(error)}, status_code=503)


def say_what_broke(error: Exception) -> bool:
    """One sentence for the reader, the traceback for the log."""
    logging.getLogger(__name__).error("A page failed", exc_info=error)
    st.error(
        "This part of the page failed to draw; the rest of the dashboard still works. Reload the page, and "
        "if it stays, report it with the address.",
        icon=":material/error:",
    )
    return True


def base_path() -> str:
    """The path under which everything stands, /atlas for example; nothing where there is none."""
    configured = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{configured}" if configured else ""


def document(shown: Preview) -> str:
    """Streamlit's own HTML with what a link to it shows, and what assets/document.* adds to it."""
    html = Path(st.__file__).with_name("static").joinpath("index.html").read_text(encoding="utf-8")
    head = (
        f"{shown.head()}<style>{(ASSETS / 'document.css').read_text(encoding='utf-8')}</style>"
        f"<script>window.atlasBase = {json.dumps(base_path())};\n"
        f"{(ASSETS / 'document.js').read_text(encoding='utf-8')}"
        f"{(ASSETS / 'camera.js').read_text(encoding='utf-8')}</script>"
    )
    return html.replace("<title>Streamlit</title>", head)


def page_route(path: str, page: Page) -> Route:
    """Serve a page's document; an address with ids is first led to the same one in words."""

    async def serve(request: Request) -> Response:
        query = await run_in_threadpool(spoken, page, request.url.query)
        if query != request.url.query:
            return RedirectResponse(f"?{query}", status_code=302)
        shown = await run_in_threadpool(preview, page, query, root(request))
        return HTMLResponse(document(shown), headers={"Cache-Control": "no-cache"})

    return Route(path, serve)


async def to_the_root(request: Request) -> Response:
    """The first page has one address, the root: Streamlit knows no other."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{base_path()}/{query}", status_code=302)


def spoken(page: Page, query: str) -> str:
    """The query in the words on screen; as it is where nothing can be looked up."""
    try:
        return in_words(page, query)
    except AtlasError:
        return query


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Tell where the dashboard is as soon as its port is open; refresh on schedule while it is."""
    host, port = st.get_option("server.address"), st.get_option("server.port")
    shown = "localhost" if host in {None, "127.0.0.1", "0.0.0.0"} else host  # noqa: S104
    where = f"http://{shown}:{port}{base_path()}"
    print(f"GenAI Atlas is at {where} (Ctrl+C ends it).", file=sys.stderr, flush=True)  # noqa: T201
    settings = Settings()
    every = settings.refresh_every
    schedule = asyncio.create_task(refresh_on_schedule(REFRESHER, settings, every)) if every else None
    try:
        yield
    finally:
        if schedule:
            schedule.cancel()
        await run_in_threadpool(REFRESHER.stop)
        await run_in_threadpool(pictures.close)


OWN_ROUTES: tuple[BaseRoute, ...] = (
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route("/metrics", api),
    Route("/api/{rest:path}", api),
    Route("/embed/{rest:path}", api),
    # The outlines of the countries, which Plotly would fetch from the network.
    Mount("/topojson", StaticFiles(directory=ASSETS / "topojson")),
    page_route("/", PAGES[0]),
    Route(f"/{PAGES[0].path}", to_the_root),
    *(page_route(f"/{page.path}", page) for page in PAGES[1:]),
)


class OwnRoutes:
    """Answers at our own addresses before Streamlit sees them, also under the base path if there is one."""

    def __init__(self, streamlit: ASGIApp) -> None:
        """Wrap Streamlit's server."""
        self._streamlit = streamlit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the first of our routes that knows its path, else to Streamlit."""
        if scope["type"] == "http":
            base = base_path()
            own = {**scope, "root_path": base} if base and scope["path"].startswith(f"{base}/") else {**scope}
            if base and scope["path"] == base:
                await RedirectResponse(f"{base}/")(scope, receive, send)
                return
            for route in OWN_ROUTES:
                match, found = route.matches(own)
                if match is not Match.NONE:
                    own.update(found)
                    # A method or a file that there is not is told, 405 or 404, and is no fault of ours.
                    await ExceptionMiddleware(route.handle)(own, receive, send)
                    return
        await self._streamlit(scope, receive, send)


app = st.App(
    Path(__file__).with_name("main.py"),
    lifespan=lifespan,
    on_script_error=say_what_broke,
    middleware=[Middleware(Counting, base=base_path), Middleware(OwnRoutes)],
)
