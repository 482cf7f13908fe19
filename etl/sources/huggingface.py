"""Hugging Face Hub: downloads and likes of the most downloaded models, by the library they are made for.

The hub names no totals, so each figure says how many models it sums. Counters of today, kept month by month.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from etl.sources.connector import Connector, Observation, Parsed, Request, Secret, State
from etl.sources.verdicts import Reply, Verdict, judge_by_status

SOURCE = "live-hugging-face-models"
# Models of the whole hub whose libraries are counted, and models of each library.
MOST_OF_ALL, MOST_OF_LIBRARY = 1_000, 100
PAGE = 500
MOST_PAGES = 20
WINDOW_DAYS = 30
_ALL = "all libraries"
_NEXT = re.compile(r"<([^>]+)>\s*;\s*rel=\"?next\"?")
_SECONDS = re.compile(r"\bt=(\d+)")


def plan(state: State) -> Sequence[Request]:
    """The first page of each list, and further ones until it is long enough or ends."""
    return list(_pages(state, _ALL, None, MOST_OF_ALL)) + [
        request
        for target in state.targets
        for request in _pages(state, target.target, target.target, MOST_OF_LIBRARY)
    ]


def parse(state: State) -> Parsed:
    """Sums over the top of each library, and the part that it has in the top of the hub."""
    observations: list[Observation] = []
    empty, top = {}, _models(state, _ALL, MOST_OF_ALL)
    libraries = Counter(model.get("library_name") for model in top)
    for target in state.targets:
        models = _models(state, target.target, MOST_OF_LIBRARY)
        if f"{target.target}, page 1" in state.answers and not models:
            empty[f"library: {target.target}"] = 1
        figures = [*_sums(models), *_share(libraries[target.target], len(top))]
        for metric, value, unit, population, note, window in figures:
            observations.append(
                Observation(
                    source_id=SOURCE,
                    metric_id=metric,
                    entity_id=str(target.entity_id),
                    period=f"{_day(state):%Y-%m}",
                    value=value,
                    unit_id=unit,
                    population=population,
                    series=f"library: {target.target}",
                    basis="computed from published counts",
                    as_of=_day(state).isoformat(),
                    window_days=window,
                    note=note,
                )
            )
    return Parsed(tuple(observations), {SOURCE: _day(state).isoformat()}, empty)


def check(state: State, _: Parsed) -> Sequence[str]:
    """Each page is in the order that was asked for, or it is not the top."""
    return [
        f"the models of '{key}' are not in the order of their downloads"
        for key, answer in state.answers.items()
        if any(after["downloads"] > before["downloads"] for before, after in pairwise(answer.document))
    ]


def judge(reply: Reply) -> Verdict:
    """A limit names its wait in a header of its own."""
    if reply.status == 429 and (seconds := _SECONDS.search(reply.headers.get("ratelimit", ""))):
        return Verdict("retry", "it asks for a pause", float(seconds[1]))
    return judge_by_status(reply)


def _pages(state: State, name: str, library: str | None, most: int) -> Iterator[Request]:
    """The pages of one list, as far as they are known to be needed."""
    asked: tuple[tuple[str, str], ...] = (("filter", library),) if library else ()
    size = min(most, PAGE)
    fields = ("downloads", "likes", "library_name")
    params = (
        *asked,
        ("sort", "downloads"),
        ("limit", str(size)),
        *(("expand", field) for field in fields),
    )
    path, found = "/models", set[str]()
    for number in range(1, MOST_PAGES + 1):
        key = f"{name}, page {number}"
        yield Request(key, path, params=params, about=200 * size)
        answer = state.answers.get(key)
        if answer is None:
            return
        found |= {model["id"] for model in answer.document}
        following = _NEXT.search(answer.headers.get("link", ""))
        if len(found) >= most or following is None or not answer.document:
            return
        # The link is absolute and carries all parameters; it is asked at our own address all the same.
        path, params = f"/models?{urlsplit(following[1]).query}", ()


def _models(state: State, name: str, most: int) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for number in range(1, MOST_PAGES + 1):
        answer = state.answers.get(f"{name}, page {number}")
        for model in answer.document if answer else ():
            # A model that moved between two pages is there twice.
            found.setdefault(model["id"], model)
    return list(found.values())[:most]


_Figure = tuple[str, float, str, str, str, int | None]


def _sums(models: Sequence[dict[str, Any]]) -> Iterator[_Figure]:
    if not models:
        return
    for metric, field, unit, window in (
        ("hub_model_downloads", "downloads", "downloads", WINDOW_DAYS),
        ("hub_model_likes", "likes", "likes", None),
    ):
        values = [int(model[field]) for model in models]
        note = f"Sum over {len(values)} models; the one in the middle has {median(values):,.0f}."
        population = f"the {MOST_OF_LIBRARY} most downloaded models of the library"
        yield metric, float(sum(values)), unit, population, note, window


def _share(count: int, models: int) -> Iterator[_Figure]:
    """Where no model names the library first, nothing is said: its models may name one that builds on it."""
    if count:
        yield (
            "hub_top_model_share",
            round(100 * count / models, 2),
            "percent",
            f"the {MOST_OF_ALL:,} most downloaded models of the hub",
            f"{count:,} of {models:,} models.",
            None,
        )


def _day(state: State) -> date:
    """The day on which the counters were read."""
    return max(answer.fetched_at for answer in state.answers.values()).date()


CONNECTOR = Connector(
    name="huggingface",
    title="Hugging Face Hub",
    bases={"": "https://huggingface.co/api"},
    plan=plan,
    parse=parse,
    check=check,
    judge=judge,
    secret=Secret(
        "HF_TOKEN",
        "header",
        "Authorization",
        "1,000 requests in five minutes instead of 500",
        template="Bearer {}",
    ),
    keeps_history=True,
)
