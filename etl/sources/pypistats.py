"""PyPI Stats: downloads without mirrors, day by day for half a year, summed to whole months.

A cross-check of the counts that take in mirrors. The site asks for one call a package and day: what was read
today is not asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from etl.sources.connector import Answer, Connector, Observation, Parsed, Request, State, Target
from etl.sources.months import days_in, last_day, month_of
from etl.sources.verdicts import Reply, Verdict, judge_by_status

SOURCE = "live-pypi-stats-downloads"
CATEGORY = "without_mirrors"
# The limit is by minute, and the answer names no wait.
WAIT = 60.0


def plan(state: State) -> Sequence[Request]:
    """One request a package, unless it was answered today."""
    return [
        Request(
            target.target,
            f"/packages/{target.target}/overall",
            params=(("mirrors", "false"),),
            may_be_missing=True,
            about=20_000,
        )
        for target in state.targets
        if target.target in state.answers or not _is_of_today(state, target)
    ]


def parse(state: State) -> Parsed:
    """Sums over the months of which every day is there and the next day too."""
    observations: list[Observation] = []
    missing, newest = {}, date.min
    for target in state.targets:
        answer = _answer(state, target)
        if answer is None:
            continue
        days = {} if answer.is_missing else _days(answer)
        if not days:
            missing[f"package: {target.target}"] = 1
            continue
        newest = max(newest, *days)
        observations += _months(target, days)
    return Parsed(tuple(observations), {SOURCE: newest.isoformat()}, missing)


def check(state: State, parsed: Parsed) -> Sequence[str]:
    """No day lies in the future."""
    newest = parsed.editions[SOURCE]
    return [f"the newest day is {newest}, in the future"] if newest > state.today.isoformat() else []


def judge(reply: Reply) -> Verdict:
    """Too many requests come as a web page without a word on how long to wait."""
    if reply.status == 429:
        return Verdict("retry", "it asks for a pause", WAIT)
    return judge_by_status(reply)


def _is_of_today(state: State, target: Target) -> bool:
    stored = state.stored.get(target.target)
    return stored is not None and stored.fetched_at.date() == state.today


def _answer(state: State, target: Target) -> Answer | None:
    if target.target in state.answers:
        return state.answers[target.target]
    return state.stored[target.target] if _is_of_today(state, target) else None


def _days(answer: Answer) -> dict[date, int]:
    return {
        date.fromisoformat(row["date"]): int(row["downloads"])
        for row in answer.document["data"]
        if row["category"] == CATEGORY
    }


def _months(target: Target, days: dict[date, int]) -> Iterator[Observation]:
    months: dict[date, list[int]] = {}
    for day, count in days.items():
        months.setdefault(month_of(day), []).append(count)
    for month, counts in sorted(months.items()):
        if len(counts) == days_in(month) and max(days) > last_day(month):
            yield Observation(
                source_id=SOURCE,
                metric_id="monthly_downloads",
                entity_id=str(target.entity_id),
                period=f"{month:%Y-%m}",
                value=float(sum(counts)),
                unit_id="downloads",
                population="Python package downloads, without mirrors",
                series=f"package: {target.target}",
                basis="computed from published counts",
                window_days=days_in(month),
                note="Calendar month; sum of the days.",
            )


CONNECTOR = Connector(
    name="pypistats",
    title="PyPI Stats",
    bases={"": "https://pypistats.org/api"},
    plan=plan,
    parse=parse,
    check=check,
    judge=judge,
    keeps_history=True,
    accepts_partial=True,
    pause=2.5,
)
