"""The current build, swapped when CURRENT moves, earlier ones as they were, and the app's only caches."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

import dashboard.charts  # noqa: F401  # registers the charts
from dashboard.chart import REGISTRY
from dashboard.theme import Mode
from etl.build import build as run_build
from etl.diff import Difference, diff
from etl.errors import AtlasError, HomeError
from etl.freshness import Freshness, freshness
from etl.gate import HeldError
from etl.settings import Settings
from etl.sources.catalogue import LiveSource
from etl.warehouse import Build, Home, is_replayed, open_read_only, verify

# A page shows up to ten charts in two themes; a few readers with different filters fit in.
MAX_CACHED_VIEWS = 512
MAX_CACHED_ANSWERS = 512
MAX_CACHED_DIFFERENCES = 8
# Of what is read live, what is published most often comes first: its delay is the one to tell.
_SOURCES = """
WITH shown AS (
    SELECT
        unnest($claim_ids::VARCHAR[]) AS claim_id,
        unnest($source_ids::VARCHAR[]) AS source_id,
        unnest($attributions::VARCHAR[]) AS attribution
),

counted AS (
    SELECT
        source_id,
        count(DISTINCT claim_id) AS marks,
        string_agg(DISTINCT attribution, ', ' ORDER BY attribution) AS read
    FROM shown
    GROUP BY source_id
),

rhythm AS (
    SELECT source_id, live_source_id, rhythm_days, newest_edition
    FROM source_rhythm
    SEMI JOIN (SELECT source_id, metric_id FROM observation SEMI JOIN shown USING (claim_id))
        USING (source_id, metric_id)
    QUALIFY row_number() OVER (PARTITION BY source_id ORDER BY rhythm_days, metric_id) = 1
)

SELECT *
FROM counted
LEFT JOIN source_card USING (source_id)
LEFT JOIN rhythm USING (source_id)
ORDER BY marks DESC, published DESC NULLS LAST, source_id
"""
MAX_EARLIER_OPEN = 3


class UnknownBuildError(AtlasError):
    """There is no such build, or it is no longer kept."""


class EarlierBuildError(AtlasError):
    """A build was made by another version of the program, and this one cannot read it."""


class Warehouse:
    """One open build. Every query takes its own cursor, so that threads do not meet in one connection."""

    def __init__(self, settings: Settings, earlier: Build | None = None) -> None:
        """Open the build to serve, or an earlier one; make one first if there is none."""
        self._home = Home(settings.home)
        self._pointer = self._home.pointer()
        self._is_earlier = earlier is not None
        self.build, self.notice = (earlier, None) if earlier else _build_to_serve(settings)
        self.is_demo = is_replayed(self.build)
        self._connection = open_read_only(self.build.path)

    @property
    def build_id(self) -> str:
        """Name of the build: part of every cache key."""
        return self.build.build_id

    @property
    def built_at(self) -> datetime:
        """When the build was made (UTC)."""
        return self.build.built_at

    def is_current(self) -> bool:
        """Whether this is still the build to serve: CURRENT has not moved and the file is there."""
        return self._home.pointer() == self._pointer and self.build.path.is_file()

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> pd.DataFrame:
        """The answer to one SELECT as a frame.

        Raises:
            EarlierBuildError: this is an earlier build, and it does not have what is asked for.
        """
        # The replaced connection is never closed here: cursors of running queries still read from it.
        try:
            with self._connection.cursor() as cursor:
                return cursor.execute(sql, parameters or {}).df()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            if not self._is_earlier:
                raise
            raise EarlierBuildError(
                f"The build {self.build_id} was made by another version of the program and does not hold "
                "what this needs; the current one does."
            ) from error

    def sources_of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The sources of the rows that are drawn, those with the most rows first, and how they were read.

        Where they are read live again and again: how often they are published, and the newest edition.
        """
        columns = {"claim_ids": "claim_id", "source_ids": "source_id", "attributions": "attribution"}
        return self.query(_SOURCES, {name: frame[column].tolist() for name, column in columns.items()})


@dataclass(frozen=True)
class View:
    """One chart for one choice of filters: the rows, their sources, the figure, the sentence on them."""

    frame: pd.DataFrame
    sources: pd.DataFrame
    figure: go.Figure
    takeaway: str


_opened: Warehouse | None = None
_opening = threading.Lock()
_earlier: OrderedDict[str, Warehouse] = OrderedDict()  # the one that was asked last stands last
_opening_earlier = threading.Lock()  # of its own: to verify a build takes a moment
_chosen: ContextVar[Warehouse | None] = ContextVar("chosen", default=None)


def warehouse() -> Warehouse:
    """The build that all questions go to: the current one but within `reading`."""
    return _chosen.get() or current()


def current() -> Warehouse:
    """The build to serve now; a new one once CURRENT moves, while running queries end on the old one.

    Shared by all sessions and by the probes and the API, which run outside of any session.
    """
    global _opened  # noqa: PLW0603 - one process, one open build
    with _opening:
        if _opened is None or not _opened.is_current():
            _opened = Warehouse(Settings())
        return _opened


def kept(build_id: str) -> Warehouse:
    """The build of that id or content hash, whether it is the current one or an earlier one that is kept.

    Raises:
        UnknownBuildError: there is none.
        DamagedBuildError: it is there but cannot be read.
    """
    served = current()
    if build_id in (served.build_id, served.build.content_hash):
        return served
    settings = Settings()
    builds = Home(settings.home).builds()
    found = next((build for build in builds if build_id in (build.build_id, build.content_hash)), None)
    if found is None:
        raise UnknownBuildError(
            f"The build '{build_id[:80]}' is not kept here; there are "
            f"{', '.join(build.build_id for build in builds) or served.build_id}."
        )
    with _opening_earlier:
        opened = _earlier.pop(found.build_id, None)
        if opened is None:
            verify(found)
            opened = Warehouse(settings, found)
        _earlier[found.build_id] = opened
        while len(_earlier) > MAX_EARLIER_OPEN:
            _earlier.popitem(last=False)
        return opened


@contextmanager
def reading(opened: Warehouse) -> Iterator[None]:
    """Ask all within of this one build, even if CURRENT moves meanwhile."""
    token = _chosen.set(opened)
    try:
        yield
    finally:
        _chosen.reset(token)


def ask(sql: str, **parameters: Any) -> pd.DataFrame:
    """The answer of the current build to one SELECT."""
    return _ask(warehouse().build_id, sql, parameters)


def view(chart_id: str, filters_json: str, mode: Mode) -> View:
    """A chart of the current build, drawn."""
    return _view(warehouse().build_id, chart_id, filters_json, mode)


def live_sources(now: datetime) -> list[Freshness]:
    """The state of each publication that live sources read, as the ledger of the home has it."""
    known = ask(
        "SELECT source_id, connector, dataset, live_source.title, live_source.url, licence_id, rhythm_days, "
        "restates, publisher.name AS publisher, licence.name AS licence FROM live_source "
        "JOIN publisher USING (publisher_id) JOIN licence USING (licence_id) ORDER BY source_id"
    )
    rows = known.to_dict("records")
    sources = [LiveSource(**{str(name): value for name, value in row.items()}) for row in rows]
    return freshness(Settings(), now, publications=sources)


def changes(old: Build, new: Build) -> Difference:
    """What differs between two builds."""
    return _changes(old.build_id, new.build_id, old, new)


# The build is part of all keys: what was cached of an earlier one is never shown for this one.
@st.cache_data(max_entries=MAX_CACHED_ANSWERS, show_spinner=False)
def _ask(build_id: str, sql: str, parameters: dict[str, Any]) -> pd.DataFrame:  # noqa: ARG001
    return warehouse().query(sql, parameters)


@st.cache_resource(max_entries=MAX_CACHED_DIFFERENCES, show_spinner=False)
def _changes(old_id: str, new_id: str, _old: Build, _new: Build) -> Difference:  # noqa: ARG001
    return diff(_old, _new)


@st.cache_data(max_entries=MAX_CACHED_VIEWS, show_spinner=False)
def _view(build_id: str, chart_id: str, filters_json: str, mode: Mode) -> View:  # noqa: ARG001
    opened, chart = warehouse(), REGISTRY[chart_id]
    filters = chart.filters.model_validate_json(filters_json)
    frame = opened.query(*chart.query(filters))
    figure = chart.draw(frame, filters, mode)
    return View(frame, opened.sources_of(frame), figure, chart.summary(frame, filters))


def _build_to_serve(settings: Settings) -> tuple[Build, str | None]:
    """The best build there is, else a new one; in a throw-away folder if the home cannot be written."""
    home, objection = Home(settings.home), _no_objection if settings.demo else _of_replayed
    with suppress(HomeError):
        return home.best(objection)
    try:
        built = run_build(settings).build
        reason = objection(built)
        if reason is None:
            return built, None
        reason += "."
    except (HomeError, HeldError) as error:
        reason = str(error)
    except AtlasError as error:
        # Another process may have published while this one tried.
        with suppress(HomeError):
            return home.best(objection)
        raise error
    elsewhere = Path(tempfile.mkdtemp(prefix="genai-atlas-"))
    built = run_build(settings.model_copy(update={"home": elsewhere})).build
    return built, f"{reason} This build lives in a temporary folder."


def _no_objection(_: Build) -> str | None:
    return None


def _of_replayed(build: Build) -> str | None:
    """Why a build with figures of a test server is not served."""
    if is_replayed(build):
        return f"{build.path.name} holds figures of a test server, which GENAI_ATLAS_DEMO=1 alone shows"
    return None
