"""The only code that opens a socket: asks politely, gives up in time, and keeps what was said unchanged.

One identity, TLS always verified, plain http for the loopback only; secrets go to their owner and nowhere
else, not into the ledger, not into an error; bodies have a limit once unpacked; what a source means by an
answer is told by its connector (`verdicts`), and waits are at least as long as the source asks. A large file
whose transfer broke off is gone on with where it stopped, as long as it is still the same file.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote_plus, urlsplit, urlunsplit

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
# Larger files than `TOTAL_SECONDS` allow for may take as long as a slow line needs.
SLOWEST_BYTES_A_SECOND = 50_000
ATTEMPTS = 5
CONNECT_SECONDS = 10.0
# A body of so many bytes is worth going on with after an interruption, and is asked for unpacked, since only
# then the parts fit together.
RESUMABLE_BYTES = 1_000_000
LARGE_BYTES = 20_000_000
# How often a watcher hears of a body that is arriving.
TELL_SECONDS = 0.5
_CHUNK = 1 << 16
# Headers that connectors read or that conditional requests need; others are nobody's business.
_KEPT_HEADERS = ("etag", "last-modified", "link", "content-type", "location")
_REDIRECTS = {301, 302, 303, 307, 308}
# A server on this machine is not asked through a proxy.
_NO_PROXY = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}

# What was waited for stands in the result of the source; the library would log it to the terminal as well.
stamina.instrumentation.set_on_retry_hooks([])

# Bytes of a body that arrived, and of how many; None where the source does not say.
Watch = Callable[[Request, int, int | None], None]


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
    """One request on its way: how it is asked, and what came of it so far.

    Attributes:
        secret: the user's key that is sent; None where there is none or the source refused it.
        hidden: what must be told to nobody.
        before: the stored answer that may still be right.
        resumed: bytes that an interrupted attempt left.
    """

    connector: Connector
    request: Request
    base: str
    secret: str | None
    hidden: str | None
    before: Stored | None = None
    resumed: int = 0
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

    def told(self, text: str) -> str:
        """What a source says, without the user's key: some repeat it."""
        for form in (self.hidden, quote_plus(self.hidden)) if self.hidden else ():
            text = text.replace(form, "[key]")
        return text

    def failure(self, reason: str) -> SourceError:
        """The error that ends the source for this run."""
        return SourceError(
            f"{self.connector.title} gave no usable answer to '{self.request.key}' ({self.told(reason)}); "
            "its last good figures stay."
        )


class Fetcher:
    """Asks the questions of one source in one run and keeps the answers in its ledger; to be closed."""

    def __init__(
        self,
        ledger: Ledger,
        run_id: int,
        *,
        hosts: Hosts | None = None,
        environment: Mapping[str, str] = os.environ,
        stop: threading.Event | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        watch: Watch = lambda *_: None,
    ) -> None:
        """Share `hosts` between the fetchers of a run."""
        self._ledger, self._run_id, self._hosts = ledger, run_id, hosts or Hosts()
        self._environment, self._stop, self._clock = environment, stop or threading.Event(), clock
        self._watch = watch
        self._client = httpx.Client(verify=_trusted(), mounts=_NO_PROXY)
        self._refused: set[str] = set()
        self.waits: list[float] = []
        self.warnings: list[str] = []

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def ask(self, connector: Connector, request: Request) -> Answer:
        """The answer to a request: new, or the stored one where the source says that nothing changed.

        Raises:
            SourceError: no usable answer came.
            DeferredError: the source asks to come back later.
            StoppedError: the run was told to stop.
            HomeError: the home cannot be written.
        """
        question = self._question(connector, request)
        started = self._clock()
        try:
            kept, outcome = self._answer(question)
        except AtlasError as error:
            outcome = "deferred" if isinstance(error, DeferredError) else "failed"
            self._write(question, outcome, started, reason=str(error))
            raise
        # In this order: a run that is gone on with trusts what its requests say is stored.
        self._ledger.remember(connector.name, request.key, question.variant, kept)
        self._write(question, outcome, started, kept=kept)
        return answer_of(request, kept, self._ledger)

    def _question(self, connector: Connector, request: Request) -> Question:
        base = base_address(connector, request.base, self._environment)
        hidden = self._secret(connector, base)
        secret = None if connector.name in self._refused else hidden
        question = Question(connector, request, base, secret, hidden)
        before = self._ledger.stored(connector.name, question.variant).get(request.key)
        if before and before.base_kind == question.kind:
            question.before = before
        return question

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
            if question.attempts < ATTEMPTS:
                self.waits.append(seconds)
            return seconds

        return wait

    def _deferral(self, question: Question, reason: str, seconds: float | None) -> DeferredError:
        until = None if seconds is None else self._clock() + timedelta(seconds=seconds)
        when = f"after {until:%Y-%m-%d %H:%M} UTC" if until else "later"
        words = f"{question.connector.title} has to be asked again {when} ({question.told(reason)})"
        return DeferredError(f"{words}; its last good figures stay.", until)

    def _once(self, question: Question) -> tuple[Stored, str]:
        """One attempt."""
        if self._stop.is_set():
            raise StoppedError("The run was stopped.")
        name, key = question.connector.name, question.request.key
        with self._ledger.part(name, key) as part:
            validator = self._ledger.validator_of_part(name, key, question.kind)
            question.resumed = part.stat().st_size if validator and part.is_file() else 0
            try:
                reply, url, body = self._exchange(question, part, validator)
            except httpx.TimeoutException:
                raise _AgainError("no answer in time") from None
            except httpx.TransportError as error:
                raise _AgainError(first_line(error) if str(error) else type(error).__name__) from None
            question.status, url = reply.status, question.told(question.shown(url))
            if reply.status == 401 and question.secret:
                return self._without_secret(question)
            if reply.status == 304 and question.before:
                return replace(question.before, url=url, fetched=self._clock()), "unchanged"
            verdict = question.connector.judge(reply)
            if verdict.kind == "missing":
                return Stored(url, question.kind, None, {}, self._clock()), "missing"
            if verdict.kind != "take":
                self._refuse(question, verdict)
            self._ledger.end_part(name, key)
            if question.secret and question.secret.encode() in reply.body:
                raise question.failure("it repeats your key, which must not be stored")
            sha256 = self._ledger.keep(body)
        headers = {
            name: question.told(reply.headers[name]) for name in _KEPT_HEADERS if name in reply.headers
        }
        same = question.before is not None and question.before.sha256 == sha256
        return Stored(url, question.kind, sha256, headers, self._clock()), "unchanged" if same else "new"

    def _without_secret(self, question: Question) -> tuple[Stored, str]:
        """Ask once more as anybody may: a key that expired should cost speed, not figures."""
        variable = question.connector.secret.variable if question.connector.secret else ""
        self.warnings.append(f"{question.connector.title} does not accept {variable}; it was asked without.")
        self._refused.add(question.connector.name)
        question.secret, question.before = None, None
        return self._once(question)

    def _refuse(self, question: Question, verdict: Verdict) -> NoReturn:
        """Turn a verdict into what happens next."""
        if verdict.kind == "retry":
            raise _AgainError(verdict.reason, verdict.wait)
        if verdict.kind == "defer":
            raise self._deferral(question, verdict.reason, verdict.wait)
        raise question.failure(verdict.reason)

    def _exchange(self, question: Question, part: Path, validator: str | None) -> tuple[Reply, str, Path]:
        """One request and its redirects; returns the last answer, where it was read, and its body."""
        request = question.request
        asked = self._built(question, validator)
        owner = asked.url.netloc
        for _ in range(MAX_REDIRECTS + 1):
            with (
                self._hosts.turn(asked.url.host, question.pause, self._sleep),
                closing(self._client.send(asked, stream=True)) as response,
            ):
                if response.status_code in _REDIRECTS:
                    asked = _followed(response, question, owner)
                    continue
                body = self._save(response, question, part)
            # A part that completes what was there makes a whole answer.
            status = 200 if response.status_code == 206 else response.status_code
            headers = {name.lower(): value for name, value in response.headers.items()}
            with body.open("rb") as handle:
                head = handle.read(JUDGED_BYTES)
            now = self._clock()
            reply = Reply(status, headers, head, request.media, request.may_be_missing, now)
            return reply, str(response.url), body
        raise question.failure("it redirects in a circle")

    def _save(self, response: httpx.Response, question: Question, part: Path) -> Path:
        """Write the unpacked body to a file, behind what an interrupted attempt left there; returns the file.

        Raises:
            SourceError: it is larger than allowed, which also ends a bomb, or packed as nobody asked for.
            _AgainError: it takes too long, or does not go on where the last attempt stopped.
            StoppedError: the run was told to stop.
        """
        request, encoding = question.request, response.headers.get("content-encoding", "").lower()
        size = self._start_of(response, question)
        # An error says nothing of the file whose part is there.
        path = part if response.is_success else part.with_suffix(".said")
        length = response.headers.get("content-length", "")
        total = size + int(length) if length.isdigit() and not encoding else None
        deadline = time.monotonic() + max(TOTAL_SECONDS, request.about / SLOWEST_BYTES_A_SECOND)
        next_told = time.monotonic() + TELL_SECONDS
        with path.open("ab" if size else "wb") as handle:
            for chunk in _unpacked(response.iter_raw(_CHUNK), encoding, question):
                size += len(chunk)
                if size > request.largest:
                    self._ledger.end_part(question.connector.name, request.key)
                    raise question.failure(f"it sends more than {request.largest:,} bytes")
                handle.write(chunk)
                if self._stop.is_set():
                    raise StoppedError("The run was stopped.")
                if (now := time.monotonic()) > deadline:
                    raise _AgainError("the answer takes too long")
                if now > next_told:
                    next_told = now + TELL_SECONDS
                    self._watch(request, size, total)
        return path

    def _start_of(self, response: httpx.Response, question: Question) -> int:
        """Where in the body this answer begins; notes a body that may be gone on with later."""
        name, key = question.connector.name, question.request.key
        if response.status_code == 206:
            told = re.match(r"bytes (\d+)-(\d+)/(\d+)$", response.headers.get("content-range", ""))
            if told and 0 < question.resumed == int(told[1]) and int(told[2]) + 1 == int(told[3]):
                return question.resumed
        if response.status_code in {206, 416} and question.resumed:
            self._ledger.end_part(name, key)
            raise _AgainError("it does not go on where it stopped")
        if response.status_code == 206:
            raise question.failure("it sends a part of the file only")
        if response.is_success:
            self._ledger.end_part(name, key)
            if validator := _resumable_by(response):
                self._ledger.begin_part(name, key, question.kind, validator, self._clock())
        return 0

    def _built(self, question: Question, validator_of_part: str | None) -> httpx.Request:
        """The request with identity, validators and the user's key."""
        request, secret = question.request, question.connector.secret
        packed = "gzip" if request.about < LARGE_BYTES else "identity"
        headers = {"User-Agent": self._identity(), "Accept-Encoding": packed, **dict(request.headers)}
        params: list[tuple[str, str | int | float | bool | None]] = list(request.params)
        body = request.body
        if question.before and question.before.sha256:
            for ours, theirs in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
                if validator := question.before.headers.get(theirs):
                    headers[ours] = validator
        if question.resumed and validator_of_part:
            headers |= {"Range": f"bytes={question.resumed}-", "If-Range": validator_of_part}
            headers["Accept-Encoding"] = "identity"
        if question.secret and secret:
            sent = secret.template.format(question.secret)
            if secret.place == "header":
                headers[secret.name] = sent
            elif secret.place == "query":
                params.append((secret.name, sent))
            else:
                body = json.dumps({**json.loads(body), secret.name: sent})
        return self._client.build_request(
            request.method,
            question.base.rstrip("/") + request.path,
            # An empty list would take away a query that stands in the path.
            params=params or None,
            headers=headers,
            content=body.encode() if body else None,
            timeout=httpx.Timeout(question.connector.seconds, connect=CONNECT_SECONDS),
        )

    def _identity(self) -> str:
        """Who asks. Services want an address to write to; whoever runs the program may give one."""
        contact = self._environment.get("GENAI_ATLAS_CONTACT", "").strip()
        if not (contact.isascii() and contact.isprintable()):
            raise AtlasError(
                f"GENAI_ATLAS_CONTACT is '{contact}'; a header takes letters without accents only."
            )
        return f"genai-atlas/{__version__}" + (f" ({contact})" if contact else "")

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
    if "@" in parts.netloc:
        raise AtlasError(f"{variable} holds a user or password; addresses are stored, so it must not.")
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


def _resumable_by(response: httpx.Response) -> str | None:
    """By what a source tells that a large body is still the same; None where it cannot be gone on with."""
    length, etag = response.headers.get("content-length", ""), response.headers.get("etag", "")
    if (
        response.status_code != 200
        or not length.isdigit()
        or int(length) < RESUMABLE_BYTES
        or response.headers.get("content-encoding")
        or response.headers.get("accept-ranges", "").lower() == "none"
    ):
        return None
    # A weak validator does not promise the same bytes.
    return etag if etag.startswith('"') else response.headers.get("last-modified") or None


def _unpacked(chunks: Iterable[bytes], encoding: str, question: Question) -> Iterator[bytes]:
    """The body in pieces of limited size, whatever it unpacks to."""
    if encoding in {"", "identity"}:
        yield from chunks
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise question.failure(f"it sends a body packed as {encoding}")
    gzip = zlib.MAX_WBITS | 16
    decoder, is_empty = zlib.decompressobj(gzip), True
    try:
        for chunk in chunks:
            rest, is_empty = chunk, False
            while rest:
                if decoder.eof:
                    decoder = zlib.decompressobj(gzip)
                yield decoder.decompress(rest, _CHUNK)
                rest = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
        yield decoder.flush()
    except zlib.error as error:
        raise _AgainError(f"the packed body is damaged ({error})") from None
    # "Not modified" has the headers of a body and no body.
    if not decoder.eof and not is_empty:
        raise _AgainError("the packed body ends too early")
