"""GitHub: stars, forks and open issues of repositories now, and the stars that they gained by month.

Counters are kept month by month, the newest reading of a month standing for it. The history counts the stars
that are still held, by the day they were given: its newest page is read on every run, others after 90 days.
Without a token no more requests are begun than the hourly allowance has left; the rest follows in later runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from etl.sources.connector import Answer, Connector, Observation, Parsed, Request, Secret, State
from etl.sources.months import days_in, month_of
from etl.sources.verdicts import TAKE, Reply, Verdict, judge_by_status, retry_after

COUNTERS, HISTORY = "live-github-counters", "live-github-star-history"
# The version that the star history came with.
API_VERSION = "2026-03-10"
WEEKS_A_PAGE, MOST_PAGES = 30, 100
# Less than a page of weeks, so that the newest page always reaches the older ones.
ALL_AGAIN_DAYS = 90
# What GitHub asks for where it names no wait.
SECONDARY_WAIT = 60.0
TOKEN = "GITHUB_TOKEN"  # noqa: S105  # the name of the variable

_HEADERS = (("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", API_VERSION))
_ALLOWANCE = "allowance"
_COUNTED = (
    ("stargazers_count", "github_stars", "stars"),
    ("forks_count", "github_forks", "forks"),
    ("open_issues_count", "github_open_issues", "issues"),
)


def plan(state: State) -> Sequence[Request]:
    """All counters, then the newest weeks of all, those read longest ago first, then older weeks."""
    wanted = [each for each in _wanted(state) if each.key not in state.answers]
    if TOKEN in state.tokens or not wanted:
        return wanted
    begun = wanted[: _left(state)]
    return begun or [
        Request(f"{_ALLOWANCE} {_allowances(state) + 1}", "/rate_limit", headers=_HEADERS, cost=0)
    ]


def parse(state: State) -> Parsed:
    """Counters of today, and for whole months the sum of the days."""
    observations: list[Observation] = []
    gone = {}
    for target in state.targets:
        answer = state.answers.get(target.target)
        if answer is not None and answer.is_missing:
            gone[f"repository: {target.target}"] = 1
        elif answer is not None:
            observations += _counters(target.target, str(target.entity_id), answer)
        days = _days(state, target.target)
        observations += _gained(target.target, str(target.entity_id), days, state.today)
    editions = {COUNTERS: state.today.isoformat()}
    months = [each.period for each in observations if each.source_id == HISTORY]
    if months:
        editions[HISTORY] = max(months)
    return Parsed(tuple(observations), editions, gone)


def check(state: State, _: Parsed) -> Sequence[str]:
    """The weeks of the history follow each other and add up."""
    found = []
    for key, answer in state.answers.items():
        if ", page " not in key or answer.is_missing:
            continue
        weeks = answer.document
        starts = [_day(week["week"]) for week in weeks]
        if any(len(week["days"]) != 7 or sum(week["days"]) != week["total"] for week in weeks):
            found.append(f"the days of a week do not add up in '{key}'")
        if any((later - earlier).days != 7 for later, earlier in pairwise(starts)):
            found.append(f"weeks are missing or out of order in '{key}'")
    return found


def judge(reply: Reply) -> Verdict:
    """Limits come with 403 or 429 and say in three ways how long to wait; what is left can be asked for."""
    if reply.status in {403, 429}:
        return _refusal(reply)
    if reply.status == 422 and reply.may_be_missing:
        return Verdict("missing")
    verdict = judge_by_status(reply)
    if verdict == TAKE and reply.body[:200].lstrip().startswith(b'{"resources"'):
        core = json.loads(reply.body)["resources"]["core"]
        if core["remaining"] == 0:
            return Verdict("defer", "the allowance of this hour is used up", _until(core["reset"], reply))
    return verdict


def _refusal(reply: Reply) -> Verdict:
    headers = reply.headers
    wait = retry_after(reply)
    if wait is not None:
        return Verdict("retry", "it asks for a pause", wait)
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        reset = int(headers["x-ratelimit-reset"])
        return Verdict("retry", "the allowance of this hour is used up", _until(reset, reply))
    if reply.status == 429 or b"rate limit" in reply.body.lower():
        return Verdict("retry", "it asks for a pause", SECONDARY_WAIT)
    return judge_by_status(reply)


def _until(reset: int, reply: Reply) -> float:
    """Seconds until a moment that is given in seconds since 1970."""
    return max(0.0, reset - reply.received_at.timestamp())


def _request(key: str, path: str, **params: int) -> Request:
    return Request(
        key,
        path,
        params=tuple((name, str(value)) for name, value in params.items()),
        headers=_HEADERS,
        may_be_missing=True,
        about=6_000,
        largest=2_000_000,
    )


def _page(repository: str, number: int) -> Request:
    path = f"/repos/{repository}/stargazers/history"
    return _request(_page_key(repository, number), path, per_page=WEEKS_A_PAGE, page=number)


def _page_key(repository: str, number: int) -> str:
    return f"{repository}, stars by week, page {number}"


def _wanted(state: State) -> Iterator[Request]:
    """What is needed if there were no limit, the most important first."""
    repositories = [target.target for target in state.targets]
    for name in repositories:
        yield _request(name, f"/repos/{name}")
    never = datetime.min.replace(tzinfo=UTC)

    def read_last(name: str) -> datetime:
        before = state.stored.get(_page_key(name, 1))
        return before.fetched_at if before else never

    by_age = sorted(repositories, key=read_last)
    for name in by_age:
        yield _page(name, 1)
    for name in by_age:
        for number in range(1, MOST_PAGES):
            read = state.answers.get(_page_key(name, number)) or _recent(state, name, number)
            if read is None or read.is_missing or not read.document:
                break
            if _recent(state, name, number + 1) is None:
                yield _page(name, number + 1)


def _recent(state: State, repository: str, number: int) -> Answer | None:
    """An older page as an earlier run read it, unless that was too long ago; never the newest page."""
    stored = state.stored.get(_page_key(repository, number))
    if stored is None or number == 1:
        return None
    return stored if (state.today - stored.fetched_at.date()).days < ALL_AGAIN_DAYS else None


def _allowances(state: State) -> int:
    return sum(key.startswith(_ALLOWANCE) for key in state.answers)


def _left(state: State) -> int:
    """Requests that may be begun: what was left when it was asked last, without those made since."""
    keys = list(state.answers)
    asked = [position for position, key in enumerate(keys) if key.startswith(_ALLOWANCE)]
    if not asked:
        return 0
    remaining = state.answers[keys[asked[-1]]].document["resources"]["core"]["remaining"]
    return max(0, int(remaining) - (len(keys) - 1 - asked[-1]))


def _counters(repository: str, entity: str, answer: Answer) -> Iterator[Observation]:
    document, day = answer.document, answer.fetched_at.date()
    name = str(document["full_name"])
    for field, metric, unit in _COUNTED:
        yield Observation(
            source_id=COUNTERS,
            metric_id=metric,
            entity_id=entity,
            period=f"{day:%Y-%m}",
            value=float(document[field]),
            unit_id=unit,
            population="GitHub users",
            series=f"repository: {repository}",
            as_of=day.isoformat(),
            note=f"The repository is called {name} now." if name.casefold() != repository else None,
        )


def _days(state: State, repository: str) -> dict[date, int]:
    """Stars by day as far as pages are there; what was read last holds."""
    found: dict[date, int] = {}
    prefix = _page_key(repository, 0)[:-1]
    pages = [each for key, each in {**state.stored, **state.answers}.items() if key.startswith(prefix)]
    for answer in sorted(pages, key=lambda each: each.fetched_at):
        for week in [] if answer.is_missing else answer.document:
            start = _day(week["week"])
            found.update({start + timedelta(days=index): stars for index, stars in enumerate(week["days"])})
    return found


def _gained(repository: str, entity: str, days: dict[date, int], today: date) -> Iterator[Observation]:
    """Sums over the months of which every day is there and over."""
    months: dict[date, list[int]] = {}
    for day, stars in sorted(days.items()):
        if day < month_of(today):
            months.setdefault(month_of(day), []).append(stars)
    for month, stars_by_day in months.items():
        if len(stars_by_day) == days_in(month):
            yield Observation(
                source_id=HISTORY,
                metric_id="github_stars_gained",
                entity_id=entity,
                period=f"{month:%Y-%m}",
                value=float(sum(stars_by_day)),
                unit_id="stars",
                population="GitHub users",
                series=f"repository: {repository}",
                basis="computed from published counts",
                window_days=days_in(month),
                note="Calendar month; sum of the days.",
            )


def _day(seconds: Any) -> date:
    return datetime.fromtimestamp(int(seconds), UTC).date()


CONNECTOR = Connector(
    name="github",
    title="GitHub",
    bases={"": "https://api.github.com"},
    plan=plan,
    parse=parse,
    check=check,
    judge=judge,
    secret=Secret(
        TOKEN, "header", "Authorization", "5,000 requests an hour instead of 60", template="Bearer {}"
    ),
    keeps_history=True,
    accepts_partial=True,
)
