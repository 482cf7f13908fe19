"""The only code that opens a socket: asks politely, gives up in time, and keeps what was said unchanged.

One identity, TLS always verified, plain http for the loopback only; secrets go to their owner and nowhere
else, not into the ledger, not into an error; bodies have a limit once unpacked; what a source means by an
answer is told by its connector (`verdicts`), and waits are at least as long as the source asks.
"""

from __future__ import annotations

import ipaddress
import json
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

import httpx
import stamina

from etl import __version__
from etl.errors import AtlasError, first_line
from etl.ledger import Ledger, Stored, as_json, moment
from etl.sources.connector import Answer, Connector, Request
from etl.sources.verdicts import Reply, Verdict

MAX_REDIRECTS = 5
# Of a large body the connector sees the first part: enough to tell a file from an error.
JUDGED_BYTES = 8_000_000
# A source that asks for a longer wait is asked again in a later run.
PATIENCE_SECONDS = 120.0
TOTAL_SECONDS = 600.0
ATTEMPTS = 5
CONNECT_SECONDS = 10.0
_CHUNK = 1 << 16
# Headers that connectors read or that conditional requests need; others are nobody's business.
_KEPT_HEADERS = ("etag", "last-modified", "link", "content-type", "location")
_REDIRECTS = {301, 302, 303, 307, 308}


class SourceError(AtlasError):
    """A source gave no usable answer; what it said before stays in use."""


class DeferredError(AtlasError):
    """A source asks to come back later."""

    def __init__(self, message: str, until: datetime | None) -> None:
        """Keep when it may be asked again, if it says so."""
        super().__init__(message)
        self.until = until


class StoppedError(AtlasError):
    """The run was told to stop."""


class _AgainError(Exception):
    """This attempt failed and another may not; `wait` is what the source asks for."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass
class Host:
    """One host: asked by one thread at a time, with a pause between two requests."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    last: float = float("-inf")


class Hosts:
    """All hosts of a run."""

    def __init__(self) -> None:
        """No host was asked yet."""
        self._lock = threading.Lock()
        self._known: dict[str, Host] = {}

    @contextmanager
    def turn(self, name: str, pause: float, sleep: Callable[[float], None]) -> Iterator[None]:
        """Wait until it is this thread's turn to ask the host."""
        with self._lock:
            host = self._known.setdefault(name, Host())
        with host.lock:
            if (left := host.last + pause - time.monotonic()) > 0:
                sleep(left)
            try:
                yield
            finally:
                host.last = time.monotonic()


@dataclass
class Question:
    """One request on its way: how it is asked, and what came of it so far."""

    connector: Connector
    request: Request
    base: str
    secret: str | None
    before: Stored | None
    attempts: int = 0
    status: int | None = None

    @property
    def variant(self) -> str:
        """Under which name the answer is stored: validators may differ with and without a secret."""
        return "token" if self.secret else ""

    @property
    def kind(self) -> str:
        """Whether the live source is asked, or a test server that replays it."""
        return "replay" if is_loopback(self.base) else "live"

    @property
    def pause(self) -> float:
        """Seconds between two requests; a server on this machine needs none."""
        return 0.0 if is_loopback(self.base) else self.connector.pause

    def shown(self, url: str) -> str:
        """An address without the user's key."""
        secret = self.connector.secret
        if secret is None or secret.place != "query":
            return url
        parts = urlsplit(url)
        kept = [each for each in parts.query.split("&") if not each.startswith(f"{secret.name}=")]
        return urlunsplit(parts._replace(query="&".join(kept)))

    def failure(self, reason: str) -> SourceError:
        """The error that ends the source for this run."""
        return SourceError(
            f"{self.connector.title} gave no usable answer to '{self.request.key}' ({reason}); "
            "its last good figures stay."
        )


class Fetcher:
    """Asks the questions of one run and keeps the answers in its ledger."""

    def __init__(
        self,
        ledger: Ledger,
        run_id: int,
        *,
        hosts: Hosts | None = None,
        environment: Mapping[str, str] = os.environ,
        stop: threading.Event | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Share `hosts` between the fetchers of a run."""
        self._ledger, self._run_id, self._hosts = ledger, run_id, hosts or Hosts()
        self._environment, self._stop, self._clock = environment, stop or threading.Event(), clock
        contact = environment.get("GENAI_ATLAS_CONTACT", "").strip()
        # Services ask for an address to write to; whoever runs the program may give one.
        self._identity = f"genai-atlas/{__version__}" + (f" ({contact})" if contact else "")
        self.waits: list[float] = []
        self.warnings: list[str] = []

    def ask(self, connector: Connector, request: Request) -> Answer:
        """The answer to a request: new, or the stored one where the source says that nothing changed.

        Raises:
            SourceError: no usable answer came.
            DeferredError: the source asks to come back later.
            StoppedError: the run was told to stop.
        """
        base = base_address(connector, request.base, self._environment)
        question = Question(connector, request, base, self._secret(connector, base), None)
        before = self._ledger.stored(connector.name, question.variant).get(request.key)
        if before and before.base_kind == question.kind:
            question.before = before
        started = self._clock()
        try:
            kept, outcome = self._answer(question)
        except AtlasError as error:
            outcome = "deferred" if isinstance(error, DeferredError) else "failed"
            self._write(question, outcome, started, reason=str(error))
            raise
        self._write(question, outcome, started, kept=kept)
        self._ledger.remember(connector.name, request.key, question.variant, kept)
        return answer_of(request, kept, self._ledger)

    def _write(
        self,
        question: Question,
        outcome: str,
        started: datetime,
        *,
        kept: Stored | None = None,
        reason: str | None = None,
    ) -> None:
        """One line of the ledger."""
        asked = str(httpx.URL(question.base.rstrip("/") + question.request.path))
        self._ledger.write(
            "INSERT OR REPLACE INTO request VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._run_id,
            question.connector.name,
            question.request.key,
            kept.url if kept else asked,
            question.kind,
            question.status,
            outcome,
            reason,
            kept.sha256 if kept else None,
            self._ledger.body(kept.sha256).stat().st_size if kept and kept.sha256 else None,
            as_json(kept.headers if kept else {}),
            moment(started),
            (self._clock() - started).total_seconds(),
            question.attempts,
        )

    def _answer(self, question: Question) -> tuple[Stored, str]:
        """Ask until an answer is taken; returns it and whether it is new, unchanged or missing."""
        retries = stamina.retry_context(
            on=self._backoff(question),
            attempts=ATTEMPTS,
            timeout=TOTAL_SECONDS,
            wait_max=PATIENCE_SECONDS,
        )
        try:
            for attempt in retries:
                question.attempts = attempt.num
                with attempt:
                    return self._once(question)
        except _AgainError as error:
            raise question.failure(f"{error}, {question.attempts} times") from None
        raise AssertionError("retry_context ends by return or by error")

    def _backoff(self, question: Question) -> Callable[[Exception], bool | float]:
        """How long to wait after a failed attempt: what the source asks for, and at least what is usual."""

        def wait(error: Exception) -> bool | float:
            if not isinstance(error, _AgainError):
                return False
            seconds = max(error.wait or 0.0, min(60.0, 2.0 ** (question.attempts - 1)))
            if seconds > PATIENCE_SECONDS:
                raise self._deferral(question, str(error), seconds)
            self.waits.append(seconds)
            return seconds

        return wait

    def _deferral(self, question: Question, reason: str, seconds: float | None) -> DeferredError:
        until = None if seconds is None else self._clock() + timedelta(seconds=seconds)
        when = f"after {until:%Y-%m-%d %H:%M} UTC" if until else "later"
        words = f"{question.connector.title} has to be asked again {when} ({reason})"
        return DeferredError(f"{words}; its last good figures stay.", until)

    def _once(self, question: Question) -> tuple[Stored, str]:
        """One attempt."""
        if self._stop.is_set():
            raise StoppedError("The run was stopped.")
        timeout = httpx.Timeout(question.connector.seconds, connect=CONNECT_SECONDS)
        with (
            httpx.Client(timeout=timeout, follow_redirects=False, verify=_trusted()) as client,
            NamedTemporaryFile(dir=self._ledger.folder, prefix="unfinished-", suffix=".part") as handle,
        ):
            part = Path(handle.name)
            try:
                reply, url = self._exchange(client, question, part)
            except httpx.TimeoutException:
                raise _AgainError("no answer in time") from None
            except (httpx.TransportError, httpx.DecodingError) as error:
                raise _AgainError(first_line(error) if str(error) else type(error).__name__) from None
            question.status, url = reply.status, question.shown(url)
            if reply.status == 401 and question.secret:
                return self._without_secret(question)
            if reply.status == 304 and question.before:
                return replace(question.before, url=url, fetched=self._clock()), "unchanged"
            verdict = question.connector.judge(reply)
            if verdict.kind == "missing":
                return Stored(url, question.kind, None, {}, self._clock()), "missing"
            if verdict.kind != "take":
                self._refuse(question, verdict)
            sha256 = self._ledger.keep(part)
        headers = {name: reply.headers[name] for name in _KEPT_HEADERS if name in reply.headers}
        same = question.before is not None and question.before.sha256 == sha256
        return Stored(url, question.kind, sha256, headers, self._clock()), "unchanged" if same else "new"

    def _without_secret(self, question: Question) -> tuple[Stored, str]:
        """Ask once more as anybody may: a key that expired should cost speed, not figures."""
        variable = question.connector.secret.variable if question.connector.secret else ""
        self.warnings.append(f"{question.connector.title} does not accept {variable}; it was asked without.")
        question.secret, question.before = None, None
        return self._once(question)

    def _refuse(self, question: Question, verdict: Verdict) -> NoReturn:
        """Turn a verdict into what happens next."""
        if verdict.kind == "retry":
            raise _AgainError(verdict.reason, verdict.wait)
        if verdict.kind == "defer":
            raise self._deferral(question, verdict.reason, verdict.wait)
        raise question.failure(verdict.reason)

    def _exchange(self, client: httpx.Client, question: Question, part: Path) -> tuple[Reply, str]:
        """One request and its redirects; the body of the last answer goes to `part`."""
        request, deadline = question.request, time.monotonic() + TOTAL_SECONDS
        asked = self._built(client, question)
        owner = asked.url.netloc
        for _ in range(MAX_REDIRECTS + 1):
            with self._hosts.turn(asked.url.host, question.pause, self._sleep):
                response = client.send(asked, stream=True)
                try:
                    if response.status_code in _REDIRECTS:
                        asked = _followed(response, question, owner)
                        continue
                    size = _save(response, part, request.largest, deadline)
                finally:
                    response.close()
            with part.open("rb") as handle:
                head = handle.read(min(size, JUDGED_BYTES))
            headers = {name.lower(): value for name, value in response.headers.items()}
            now = self._clock()
            reply = Reply(response.status_code, headers, head, request.media, request.may_be_missing, now)
            return reply, str(response.url)
        raise question.failure("it redirects in a circle")

    def _built(self, client: httpx.Client, question: Question) -> httpx.Request:
        """The request with identity, validators and the user's key."""
        request, secret = question.request, question.connector.secret
        headers = {"User-Agent": self._identity, **dict(request.headers)}
        params: list[tuple[str, str | int | float | bool | None]] = list(request.params)
        body = request.body
        if question.before and question.before.sha256:
            for ours, theirs in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
                if validator := question.before.headers.get(theirs):
                    headers[ours] = validator
        if question.secret and secret:
            sent = secret.template.format(question.secret)
            if secret.place == "header":
                headers[secret.name] = sent
            elif secret.place == "query":
                params.append((secret.name, sent))
            else:
                body = json.dumps({**json.loads(body), secret.name: sent})
        return client.build_request(
            request.method,
            question.base.rstrip("/") + request.path,
            # An empty list would take away a query that stands in the path.
            params=params or None,
            headers=headers,
            content=body.encode() if body else None,
        )

    def _secret(self, connector: Connector, base: str) -> str | None:
        """The user's key; for the owner's own address, or a test server on this machine."""
        if connector.secret is None or not (base == connector.bases[""] or is_loopback(base)):
            return None
        return self._environment.get(connector.secret.variable, "").strip() or None

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise StoppedError("The run was stopped.")


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates to verify with; reading them takes longer than a small answer."""
    return httpx.create_ssl_context()


def answer_of(request: Request, kept: Stored, ledger: Ledger) -> Answer:
    """A stored answer as connectors read it."""
    if kept.sha256 is None:
        return Answer(request, b"", "", kept.url, kept.fetched, kept.headers, is_missing=True)
    return Answer(request, ledger.body(kept.sha256), kept.sha256, kept.url, kept.fetched, kept.headers)


def base_address(connector: Connector, name: str, environment: Mapping[str, str]) -> str:
    """The base address of a source, or what the settings put in its place.

    Raises:
        AtlasError: the setting is no https address (http is taken for the loopback only).
    """
    variable = "_".join(part.upper() for part in ("GENAI_ATLAS_BASE", connector.name, name) if part)
    address = environment.get(variable, "").strip() or connector.bases[name]
    parts = urlsplit(address)
    if (parts.scheme == "https" and parts.netloc) or (parts.scheme == "http" and is_loopback(address)):
        return address
    raise AtlasError(
        f"{variable} is '{address}': it has to be an https address (http is for this machine only)."
    )


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine."""
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _followed(response: httpx.Response, question: Question, owner: bytes) -> httpx.Request:
    """The request that a redirect leads to: no secret leaves its owner, a safe address leads to safe ones."""
    following, secret = response.next_request, question.connector.secret
    if following is None:
        raise question.failure("it redirects to nowhere")
    both_here = is_loopback(str(following.url)) and is_loopback(str(response.url))
    if following.url.scheme != "https" and not both_here:
        raise question.failure("it redirects to an address that is not safe")
    if following.url.netloc == owner or secret is None:
        return following
    if secret.place == "json":
        raise question.failure("it redirects to another host")
    following.headers.pop(secret.name, None)
    if secret.place == "query":
        following.url = following.url.copy_remove_param(secret.name)
    return following


def _save(response: httpx.Response, part: Path, largest: int, deadline: float) -> int:
    """Write the unpacked body to a file; returns its size.

    Raises:
        SourceError: it is larger than allowed, which also ends a bomb.
        _AgainError: it takes too long.
    """
    size = 0
    with part.open("wb") as handle:
        for chunk in response.iter_bytes(_CHUNK):
            size += len(chunk)
            if size > largest:
                raise SourceError(
                    f"{response.url.host} sends more than {largest:,} bytes; its last good figures stay."
                )
            if time.monotonic() > deadline:
                raise _AgainError("the answer takes too long")
            handle.write(chunk)
    return size
