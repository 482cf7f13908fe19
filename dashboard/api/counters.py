"""What an operator watches: how many requests, how long they took, which build is served, how old it is."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.export import MEDIA_TYPES
from dashboard.pages import PAGES
from dashboard.warehouse import current
from etl.errors import AtlasError

TEXT = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds


class Counters:
    """Requests by what answered them, method and status; durations by what answered. Safe in threads."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._within: Counter[tuple[str, float]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def count(self, handler: str, method: str, status: int, seconds: float) -> None:
        """Note one request."""
        with self._lock:
            self._requests[handler, method, status] += 1
            self._seconds[handler] += seconds
            for bucket in (*(each for each in BUCKETS if seconds <= each), float("inf")):
                self._within[handler, bucket] += 1

    def text(self) -> str:
        """All of it in Prometheus' text format."""
        with self._lock:
            return "\n".join([*self._about_requests(), *self._about_durations(), *_about_build()]) + "\n"

    def _about_requests(self) -> Iterator[str]:
        yield "# HELP genai_atlas_http_requests_total Requests by what answered them, method and status."
        yield "# TYPE genai_atlas_http_requests_total counter"
        for (handler, method, status), count in sorted(self._requests.items()):
            labels = f'handler="{handler}",method="{method}",status="{status}"'
            yield f"genai_atlas_http_requests_total{{{labels}}} {count}"

    def _about_durations(self) -> Iterator[str]:
        name = "genai_atlas_http_request_duration_seconds"
        yield f"# HELP {name} Seconds until the answer was sent."
        yield f"# TYPE {name} histogram"
        for handler, seconds in sorted(self._seconds.items()):
            for bucket in (*BUCKETS, float("inf")):
                shown = "+Inf" if bucket == float("inf") else f"{bucket:g}"
                yield f'{name}_bucket{{handler="{handler}",le="{shown}"}} {self._within[handler, bucket]}'
            yield f'{name}_sum{{handler="{handler}"}} {seconds:.6f}'
            yield f'{name}_count{{handler="{handler}"}} {self._within[handler, float("inf")]}'


def _about_build() -> Iterator[str]:
    yield "# HELP genai_atlas_ready Whether a build is open."
    yield "# TYPE genai_atlas_ready gauge"
    try:
        opened = current()
    except AtlasError:
        yield "genai_atlas_ready 0"
        return
    yield "genai_atlas_ready 1"
    yield "# HELP genai_atlas_build_info The build that is served."
    yield "# TYPE genai_atlas_build_info gauge"
    yield f'genai_atlas_build_info{{build="{opened.build_id}"}} 1'
    yield "# HELP genai_atlas_build_age_seconds Seconds since it was made."
    yield "# TYPE genai_atlas_build_age_seconds gauge"
    yield f"genai_atlas_build_age_seconds {(datetime.now(UTC) - opened.built_at).total_seconds():.0f}"


counters = Counters()
_METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
_NAMED = {"healthz", "readyz", "metrics", "embed"}


def name_of(path: str) -> str:
    """What answers at a path: one of a few names, whatever is asked for."""
    first, *rest = path.strip("/").split("/")
    if first == "api":
        form = path.rpartition(".")[2]
        return f"chart {form}" if rest[:2] == ["v1", "charts"] and form in MEDIA_TYPES else "api"
    if first in _NAMED:
        return first
    return "page" if first in {"", *(page.path for page in PAGES)} else "streamlit"


class Counting:
    """Counts every request that ends."""

    def __init__(self, app: ASGIApp, base: Callable[[], str]) -> None:
        """Wrap the whole app, which may stand under a base path."""
        self._app, self._base = app, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on and note how it ended; what raised ends as 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 500, time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            name = name_of(scope["path"].removeprefix(self._base()))
            counters.count(name, method, status, time.perf_counter() - started)
