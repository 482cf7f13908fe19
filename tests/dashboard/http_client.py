"""A client that asks an ASGI app in this process, from any thread, without a port."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
from starlette.types import ASGIApp

PATIENCE = 120  # seconds


def _running_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="asked", daemon=True).start()
    return loop


class Client:
    """Asks as programs do; nothing is followed, what breaks in the app is an answer like any other."""

    _loop = _running_loop()

    def __init__(self, app: ASGIApp, base_url: str = "http://testserver") -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url=base_url, timeout=PATIENCE)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        asked = self._client.request(method, path, **more)
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(PATIENCE)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def head(self, path: str, **more: Any) -> httpx.Response:
        return self.request("HEAD", path, **more)

    def options(self, path: str, **more: Any) -> httpx.Response:
        return self.request("OPTIONS", path, **more)
