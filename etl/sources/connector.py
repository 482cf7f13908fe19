"""What a live source declares: which questions to ask, how to read the answers, what must hold of them.

A connector never performs anything. `plan` names the requests that are needed given the answers so far, and
is asked again until nothing is missing; `parse` turns the answers into observations; `check` tells what is
wrong. All three are pure functions of a `State`: a dry run, a resumed run and a test run the same code.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from etl.sources.verdicts import Judge, Media, judge_by_status

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Request:
    """One question to a source.

    Attributes:
        key: what it asks, unique within the source and the same on every run: what is stored hangs on it.
        path: below the base address.
        base: name of the base address, where the source has more than one.
        media: what the body has to look like.
        is_final: whether the answer can never change (a closed period): once stored it is not asked again.
        may_be_missing: whether "not found" is an answer.
        largest: bytes that the body may have, unpacked.
        about: bytes that are expected, for a dry run.
        cost: what it takes of the allowance of the source, in its own unit.
    """

    key: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    method: Literal["GET", "POST"] = "GET"
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    base: str = ""
    media: Media = "json"
    is_final: bool = False
    may_be_missing: bool = False
    largest: int = 50 * MEGABYTE
    about: int = 0
    cost: float = 1


@dataclass(frozen=True)
class Answer:
    """What a source said to a request, kept unchanged.

    Attributes:
        content: the body, or the packed file of the ledger that holds it.
        sha256: hash of the body, "" where there is none.
        url: where it was read in the end, without secrets.
        headers: names in small letters.
        is_missing: the source has nothing there.
    """

    request: Request
    content: bytes | Path
    sha256: str
    url: str
    fetched_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    is_missing: bool = False

    @cached_property
    def body(self) -> bytes:
        """All bytes, unpacked."""
        if isinstance(self.content, bytes):
            return self.content
        with gzip.open(self.content, "rb") as handle:
            return handle.read()

    @property
    def text(self) -> str:
        """The body as text; a byte-order mark is no part of it."""
        return self.body.decode("utf-8-sig")

    @cached_property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Target:
    """One thing that is asked for: a package, a repository, an indicator; a row of the table live_target."""

    connector: str
    target: str
    source_id: str | None = None
    metric_id: str | None = None
    entity_id: str | None = None
    segment: str | None = None


@dataclass(frozen=True)
class Observation:
    """One figure as the source published it; the fields are those of the table observation.

    The coordinates are spelled as in the shipped tables, so that a figure read again is recognised. A source
    that passes on what others published names itself in `relayed_by`; the source is then theirs.
    """

    source_id: str
    metric_id: str
    entity_id: str
    period: str
    value: float
    unit_id: str
    segment: str | None = None
    population: str | None = None
    series: str | None = None
    place_id: str | None = None
    bound: str | None = None
    status: str = "actual"
    basis: str | None = None
    vintage: str | None = None
    as_of: str | None = None
    window_days: int | None = None
    area_basis: str | None = None
    relayed_by: str | None = None
    note: str | None = None

    @property
    def coordinates(self) -> tuple[str, ...]:
        """What the figure says something about; a source says one thing about it."""
        named = (
            self.source_id,
            self.metric_id,
            self.entity_id,
            self.period,
            self.segment,
            self.population,
            self.series,
            self.place_id,
        )
        return tuple(each or "" for each in named)

    def claim_id(self, connector: str) -> str:
        """Its id for ever: the same coordinates have the same id on every refresh."""
        digest = hashlib.sha256("\x1f".join(self.coordinates).encode()).hexdigest()
        return f"live-{connector}-{digest[:12]}"


@dataclass(frozen=True)
class Parsed:
    """What the answers say.

    Attributes:
        editions: source id -> date of the edition (year, month or day).
        unmapped: names of the source that no table knows, with how often they were met.
    """

    observations: tuple[Observation, ...]
    editions: Mapping[str, str]
    unmapped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """All that a connector may look at.

    Attributes:
        answers: those of this run, by key of the request.
        stored: the newest stored answers of earlier runs, by key.
        previous: the observations accepted last.
        tokens: the secrets that are there, by name of their variable; never their values.
        entities: names of an entity (name, other names, ISO codes, "geonames" and its number) -> entity id.
    """

    today: date
    targets: tuple[Target, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    stored: Mapping[str, Answer] = field(default_factory=dict)
    previous: tuple[Observation, ...] = ()
    tokens: frozenset[str] = frozenset()
    entities: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Secret:
    """A key that a user may have: where it is found and how it is sent, to its owner only.

    Attributes:
        variable: name in the environment.
        place: where in the request it goes.
        name: name of the header, parameter or field of the JSON body.
        template: what is sent; `{}` stands for the secret.
        effect: what is different with it, for people.
    """

    variable: str
    place: Literal["header", "query", "json"]
    name: str
    effect: str
    template: str = "{}"


def no_problems(_: State, __: Parsed) -> Sequence[str]:
    """Nothing beyond what is checked of every source."""
    return ()


@dataclass(frozen=True)
class Connector:
    """One live source.

    Attributes:
        name: small letters and underscores: part of commands, settings and file names.
        title: what people call it.
        bases: name -> address; the one called "" is the main one. Each may be overridden by a setting.
        plan: requests that are needed, given the answers so far.
        parse: observations, given all answers.
        check: sentences on what is wrong with them.
        judge: what the source means by an answer: take it, wait, come back later, give up.
        keeps_history: whether figures that are no longer answered stay (a counter), or go (a revised file).
        accepts_partial: whether what was answered before a limit was reached is good by itself.
        pause: seconds between two requests to one host.
        seconds: that an answer may let wait.
        reader: the reader of microdata (genai-atlas import) that the answers are files of, if they are.
        is_optional: whether it is asked only when it is named, being large.
        request_of: the request that a file of this name is the answer to, for those who fetched it by hand.
    """

    name: str
    title: str
    bases: Mapping[str, str]
    plan: Callable[[State], Sequence[Request]]
    parse: Callable[[State], Parsed]
    check: Callable[[State, Parsed], Sequence[str]] = no_problems
    judge: Judge = judge_by_status
    secret: Secret | None = None
    keeps_history: bool = False
    accepts_partial: bool = False
    pause: float = 1.0
    seconds: float = 30.0
    reader: str | None = None
    is_optional: bool = False
    request_of: Callable[[str], Request | None] | None = None
