"""Hacker News: the part of the posts in the monthly "Who is hiring?" threads that name a term, counted by us.

The expression that is searched for is the target, and stands in the note of each figure. A thread is final
about a month after it began: it is read once more then, and never again.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from etl.sources.connector import MEGABYTE, Answer, Connector, Observation, Parsed, Request, State, Target
from etl.sources.months import between, last_day, later, month_of

FIRST = date(2021, 1, 1)
FINAL_AFTER = timedelta(days=35)
# Threads have some hundred posts; one with less is not whole, or has just begun.
LEAST_POSTS = 50
HITS_A_PAGE, MOST_PAGES = 100, 10
POPULATION = "posts in “Who is hiring?” threads of Hacker News"
_TITLE = re.compile(r"Ask HN: Who is hiring\? \((\w+) (\d{4})\)")
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class _Thread:
    id: str
    month: date
    is_final: bool

    @property
    def request(self) -> Request:
        """One call gives all posts; what a thread that goes on holds is stored apart from its final state."""
        return Request(
            f"thread {self.id}" + ("" if self.is_final else ", not final"),
            f"/items/{self.id}",
            is_final=self.is_final,
            about=2 * MEGABYTE,
        )


def plan(state: State) -> Sequence[Request]:
    """The list of threads as far back as months are missing, then the threads without final figures."""
    return [*_lists(state), *(thread.request for thread in _uncounted(state))]


def parse(state: State) -> Parsed:
    """Posts that match, by month and term; closed months that were counted before stay as they are."""
    observations: list[Observation] = []
    patterns = {target.target: re.compile(target.target, re.IGNORECASE) for target in state.targets}
    for thread in _uncounted(state):
        answer = state.answers.get(thread.request.key)
        posts = _posts(answer) if answer is not None else []
        if len(posts) < LEAST_POSTS:
            continue
        for target in state.targets:
            matches = sum(patterns[target.target].search(post) is not None for post in posts)
            observations.append(_observation(target, thread, matches, len(posts)))
    sources = {str(target.source_id) for target in state.targets}
    if not observations:
        observations = list(state.previous)
    newest = max((each.vintage or "" for each in (*observations, *state.previous)), default="")
    return Parsed(tuple(observations), dict.fromkeys(sources, newest) if newest else {})


def check(state: State, _: Parsed) -> Sequence[str]:
    """A thread that is final has as many posts as threads have."""
    found = []
    for thread in _uncounted(state):
        answer = state.answers.get(thread.request.key)
        if answer is not None and thread.is_final and len(posts := _posts(answer)) < LEAST_POSTS:
            found.append(f"the thread of {thread.month:%Y-%m} has {len(posts)} posts only")
    return found


def _lists(state: State) -> Iterator[Request]:
    """Pages of the list of threads, the newest first."""
    for number in range(MOST_PAGES):
        key = f"list of threads, page {number}"
        yield Request(
            key,
            "/search_by_date",
            params=(
                ("tags", "story,author_whoishiring"),
                ("hitsPerPage", str(HITS_A_PAGE)),
                ("page", str(number)),
            ),
            about=100_000,
        )
        answer = state.answers.get(key)
        if answer is None or number + 1 >= int(answer.document["nbPages"]):
            return
        oldest = min((_began(hit) for hit in answer.document["hits"]), default=FIRST)
        if oldest < FIRST or not _months_missing(state):
            return


def _months_missing(state: State) -> bool:
    """Whether a month has neither a thread in the lists nor final figures."""
    listed = {thread.month for thread in _threads(state)}
    months = (later(FIRST, index) for index in range(between(FIRST, month_of(state.today))))
    return any(month not in listed and not _is_counted(state, month) for month in months)


def _threads(state: State) -> list[_Thread]:
    """The hiring threads in the lists; the account posts other threads as well."""
    found: dict[date, _Thread] = {}
    for key, answer in state.answers.items():
        for hit in answer.document["hits"] if key.startswith("list") else ():
            title = _TITLE.match(hit.get("title") or "")
            if title is None:
                continue
            month = datetime.strptime(" ".join(title.groups()), "%B %Y").date()  # noqa: DTZ007  # a month
            if month >= FIRST:
                is_final = state.today - _began(hit) >= FINAL_AFTER
                found.setdefault(month, _Thread(str(hit["objectID"]), month, is_final))
    return [found[month] for month in sorted(found)]


def _uncounted(state: State) -> list[_Thread]:
    return [each for each in _threads(state) if not (each.is_final and _is_counted(state, each.month))]


def _is_counted(state: State, month: date) -> bool:
    """Whether every term has a final figure for the month, counted by the expression of today."""
    period = f"{month:%Y-%m}"
    known = {
        (each.source_id, each.entity_id, each.segment, (each.note or "").partition(" match ")[2])
        for each in state.previous
        if each.period == period and each.status == "actual"
    }
    return all(
        (target.source_id, target.entity_id, target.segment, target.target) in known
        for target in state.targets
    )


def _posts(answer: Answer) -> list[str]:
    """The texts of the posts of a thread: what answers the thread itself and was not deleted."""
    # A copy, so that the text of many threads is not kept in memory.
    thread: dict[str, Any] = json.loads(replace(answer).text)
    return [html.unescape(_TAG.sub(" ", child["text"])) for child in thread["children"] if child.get("text")]


def _observation(target: Target, thread: _Thread, matches: int, posts: int) -> Observation:
    return Observation(
        source_id=str(target.source_id),
        metric_id=str(target.metric_id),
        entity_id=str(target.entity_id),
        period=f"{thread.month:%Y-%m}",
        value=round(100 * matches / posts, 2),
        unit_id="percent",
        segment=target.segment,
        population=POPULATION,
        series="Who is hiring?",
        status="actual" if thread.is_final else "partial",
        basis="computed from published microdata",
        vintage=last_day(thread.month).isoformat() if thread.is_final else thread.month.isoformat(),
        note=f"{matches} of {posts} posts match {target.target}",
    )


def _began(hit: dict[str, Any]) -> date:
    return date.fromisoformat(hit["created_at"][:10])


CONNECTOR = Connector(
    name="hackernews",
    title="Hacker News, Who is hiring?",
    bases={"": "https://hn.algolia.com/api/v1"},
    plan=plan,
    parse=parse,
    check=check,
    keeps_history=True,
)
