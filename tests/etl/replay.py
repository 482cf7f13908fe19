"""A server on the loopback that speaks for live sources: their shapes, invented values, bad manners."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Received:
    """What a client asked; names of headers in small letters."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Reply:
    """What the server says.

    Attributes:
        etag: answers 304 without a body to who has it.
        modified: the same for `Last-Modified`.
        gzipped: packs the body, asked or not.
        stall: seconds of silence before the first byte.
        cut: bytes after which the connection ends although more was announced.
    """

    body: bytes | str | Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    modified: str | None = None
    gzipped: bool = False
    stall: float = 0
    cut: int | None = None

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


Responder = Reply | Callable[[Received], Reply]


@dataclass
class Replay:
    """The server's side: what it answers on each path, and what it was asked."""

    address: str
    routes: dict[str, list[Responder]] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)

    def on(self, path: str, *replies: Responder) -> None:
        """Answer these one after the other; the last one again and again."""
        self.routes[path] = list(replies)

    def asked(self, path: str | None = None) -> list[Received]:
        """What was asked on a path, or at all."""
        return [each for each in self.received if path in {None, each.path}]

    def reply(self, request: Received) -> Reply:
        self.received.append(request)
        replies: Sequence[Responder] | None = self.routes.get(request.path)
        if not replies:
            return Reply("not found", 404)
        count = len(self.asked(request.path))
        responder = replies[min(count, len(replies)) - 1]
        return responder(request) if callable(responder) else responder


def with_etag(body: Any) -> Reply:
    """A body with the validator that its bytes have."""
    reply = Reply(body)
    return Reply(body, etag=f'"{hashlib.sha256(reply.content).hexdigest()[:16]}"')


@contextmanager
def replay() -> Iterator[Replay]:
    """A server on a free port of the loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.replay = Replay(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.replay  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        request = Received(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length).decode(),
        )
        reply = self.server.replay.reply(request)  # type: ignore[attr-defined]
        try:
            self._say(request, reply)
        except OSError:
            self.close_connection = True

    do_POST = do_GET  # noqa: N815  # the name that the library calls

    def _say(self, request: Received, reply: Reply) -> None:
        time.sleep(reply.stall)
        known = (reply.etag and request.headers.get("if-none-match") == reply.etag) or (
            reply.modified and request.headers.get("if-modified-since") == reply.modified
        )
        content = b"" if known else reply.content
        headers = dict(reply.headers)
        if reply.etag:
            headers["ETag"] = reply.etag
        if reply.modified:
            headers["Last-Modified"] = reply.modified
        if reply.gzipped and not known:
            content, headers["Content-Encoding"] = gzip.compress(content), "gzip"
        self.send_response(304 if known else reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if not known and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if reply.cut is None else content[: reply.cut])
        if reply.cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Say nothing."""
