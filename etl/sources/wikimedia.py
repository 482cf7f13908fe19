"""Wikimedia: how often people opened the article on a framework in the English Wikipedia, month by month.

An article that was moved has a row for each of its titles among the targets, the present one first: the
service does not follow redirects, so their views are added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from urllib.parse import quote

from etl.sources.connector import Connector, Observation, Parsed, Request, State
from etl.sources.months import as_month, last_day, later, month_of

SOURCE = "live-wikimedia-pageviews"
FIRST = date(2015, 7, 1)
# The counts of a month are there a little after its end.
LATE = timedelta(days=2)
_PATH = "/metrics/pageviews/per-article/en.wikipedia/all-access/user/{}/monthly/{:%Y%m%d}/{:%Y%m%d}"


def plan(state: State) -> Sequence[Request]:
    """The months of each article that are missing, and the one before them again; nothing if none is."""
    newest, last = _newest(state), _last_month(state)
    requests = []
    for target in state.targets:
        known = newest.get(str(target.entity_id))
        if known is not None and known >= last:
            continue
        start = known or FIRST
        requests.append(
            Request(
                f"{target.target}, {start:%Y-%m} to {last:%Y-%m}",
                _PATH.format(quote(target.target, safe=""), start, last_day(last)),
                may_be_missing=True,
                about=20_000,
            )
        )
    return requests


def parse(state: State) -> Parsed:
    """Views by entity and month; those of its titles added."""
    views: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    titles: dict[str, list[str]] = defaultdict(list)
    unseen, unanswered = {}, set()
    answers = {key.rpartition(", ")[0]: answer for key, answer in state.answers.items()}
    for target in state.targets:
        entity, answer = str(target.entity_id), answers.get(target.target)
        titles[entity].append(target.target)
        if answer is None:
            unanswered.add(entity)
        elif answer.is_missing:
            unseen[f"article: {target.target}"] = 1
        else:
            for item in answer.document["items"]:
                views[entity][as_month(f"{item['timestamp'][:4]}-{item['timestamp'][4:6]}")] += item["views"]
    observations = [
        _observation(entity, month, count, titles[entity])
        for entity, months in views.items()
        if entity not in unanswered  # a limit between two titles of one article would halve its views
        for month, count in sorted(months.items())
    ]
    if not state.answers:
        observations = list(state.previous)
    newest = max((each.period for each in observations), default=None)
    editions = {SOURCE: last_day(as_month(newest)).isoformat()} if newest else {}
    return Parsed(tuple(observations), editions, unseen)


def _observation(entity: str, month: date, count: int, titles: Sequence[str]) -> Observation:
    is_sum = len(titles) > 1
    return Observation(
        source_id=SOURCE,
        metric_id="wikipedia_views",
        entity_id=entity,
        period=f"{month:%Y-%m}",
        value=float(count),
        unit_id="views",
        population="readers of the English Wikipedia",
        series=f"article: {titles[0]}",
        basis="computed from published counts" if is_sum else None,
        note=f"Views under {' and '.join(titles)} added." if is_sum else None,
    )


def _newest(state: State) -> Mapping[str, date]:
    """The newest month of each entity that was accepted before."""
    found: dict[str, date] = {}
    for each in state.previous:
        found[each.entity_id] = max(found.get(each.entity_id, FIRST), as_month(each.period))
    return found


def _last_month(state: State) -> date:
    """The newest month that is over and counted."""
    return later(month_of(state.today - LATE), -1)


CONNECTOR = Connector(
    name="wikimedia",
    title="Wikimedia pageviews",
    bases={"": "https://wikimedia.org/api/rest_v1"},
    plan=plan,
    parse=parse,
    keeps_history=True,
    accepts_partial=True,
)
