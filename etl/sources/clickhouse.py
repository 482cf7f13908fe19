"""ClickPy: downloads from the Python Package Index by month, summed by ClickHouse's public server.

Only sums travel. A month is taken when the days after it have begun to arrive; the two newest months are read
again on every run, because the data behind them stall and are filled in later; all of it after 90 days.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from etl.sources.connector import MEGABYTE, Answer, Connector, Observation, Parsed, Request, State
from etl.sources.months import as_month, between, days_in, last_day, later, month_of
from etl.sources.verdicts import TAKE, Reply, Verdict, judge_by_status

SOURCE = "live-clickpy-downloads"
METRIC = "monthly_downloads"
FIRST = date(2018, 1, 1)
# The older of the published limits: 1,000 rows an answer, with some left over.
MOST_ROWS = 900
READ_AGAIN_MONTHS = 2
ALL_AGAIN_DAYS = 90
# Of the packages that had figures the month before, this part may have none: packages are withdrawn.
MAX_STOPPED = 0.1

_NEWEST, _NEWEST_PLAIN = "newest day", "newest day, without settings"
# A limit that is reached is an error then, not a shorter answer.
_STRICT = (
    ("result_overflow_mode", "throw"),
    ("read_overflow_mode", "throw"),
    ("wait_end_of_query", "1"),
)
_NEWEST_DAY = "SELECT max(date) AS day FROM pypi.pypi_downloads_per_day FORMAT JSON"
_DOWNLOADS = """\
SELECT project, toStartOfMonth(date) AS month, sum(count) AS downloads
FROM pypi.{table}
WHERE project IN ({{packages:Array(String)}})
  AND date >= {{from:Date}} AND date < {{to:Date}}{condition}
GROUP BY project, month
ORDER BY project, month
FORMAT JSON"""


@dataclass(frozen=True)
class _Count:
    """One way of counting downloads."""

    name: str
    population: str
    sql: str


COUNTS = (
    _Count(
        "all installers",
        "Python package downloads, all installers",
        _DOWNLOADS.format(table="pypi_downloads_per_day", condition=""),
    ),
    _Count(
        "pip/uv/poetry/pdm",
        "Python package downloads, pip/uv/poetry/pdm only",
        _DOWNLOADS.format(
            table="pypi_downloads_per_day_by_version_by_installer_by_type",
            condition="\n  AND installer IN ('pip', 'uv', 'poetry', 'pdm')",
        ),
    ),
)

_REFUSED_SETTING = {164, 452}
_QUOTA = 201
_BUSY = {159, 202, 209, 210, 241, 319}
_ERROR = re.compile(rb"Code: (\d+)\. DB::\w*Exception: (.{0,300})", re.DOTALL)
_INTERVAL_END = re.compile(r"end at (\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})")


def plan(state: State) -> Sequence[Request]:
    """The newest day that is there; then the months that are missing or may move, in each way of counting."""
    newest = _query(_NEWEST, _NEWEST_DAY, strict=True)
    if newest.key not in state.answers:
        return [newest]
    first = [newest]
    is_strict = _ERROR.search(state.answers[newest.key].body) is None
    if not is_strict:
        first.append(_query(_NEWEST_PLAIN, _NEWEST_DAY, strict=False))
        if _NEWEST_PLAIN not in state.answers:
            return first
    end = _end(state)
    return first + [
        _query(
            f"{count.name}, {start:%Y-%m} to {last_day(later(end, -1)):%Y-%m}, {', '.join(packages)}",
            count.sql,
            strict=is_strict,
            params=(
                ("param_packages", "[" + ",".join(f"'{name}'" for name in packages) + "]"),
                ("param_from", start.isoformat()),
                ("param_to", end.isoformat()),
            ),
            about=70 * len(packages) * between(start, end),
        )
        for count in COUNTS
        for start, packages in _chunks(state, count, end)
    ]


def parse(state: State) -> Parsed:
    """Downloads by package and month, as summed by the server."""
    entities = {target.target: target.entity_id for target in state.targets}
    populations = {count.name: count.population for count in COUNTS}
    observations = []
    for key, answer in state.answers.items():
        population = populations.get(key.partition(",")[0])
        if population is None:
            continue
        for row in answer.document["data"]:
            month = date.fromisoformat(row["month"])
            observations.append(
                Observation(
                    source_id=SOURCE,
                    metric_id=METRIC,
                    entity_id=str(entities[row["project"]]),
                    period=f"{month:%Y-%m}",
                    value=float(int(row["downloads"])),
                    unit_id="downloads",
                    population=population,
                    series=f"package: {row['project']}",
                    as_of=later(month, 1).isoformat(),
                    window_days=days_in(month),
                    note="Calendar month.",
                )
            )
    newest = later(_end(state), -1)
    stopped = {f"{series}: no downloads in {newest:%Y-%m}": 1 for series in _stopped(state, observations)[0]}
    return Parsed(tuple(observations), {SOURCE: last_day(newest).isoformat()}, stopped)


def check(state: State, parsed: Parsed) -> Sequence[str]:
    """The newest day has come, no answer was cut off, and few packages stopped."""
    newest = _newest_day(state)
    found = [f"the newest day is {newest}, in the future"] if newest > state.today else []
    for key, answer in state.answers.items():
        document = {} if key == _NEWEST else answer.document
        if document.get("rows", 0) != len(document.get("data", ())):
            found.append(f"'{key}' says {document['rows']} rows and holds {len(document['data'])}")
    stopped, known = _stopped(state, parsed.observations)
    if len(stopped) > MAX_STOPPED * known:
        found.append(f"{len(stopped)} of {known} counts have no figure for the newest month")
    return found


def judge(reply: Reply) -> Verdict:
    """The server's own errors, which may stand at the end of a body with status 200."""
    error = _ERROR.search(reply.body)
    if error is None:
        verdict = judge_by_status(reply)
        if verdict == TAKE and not _is_json(reply.body):
            return Verdict("retry", "the answer is cut off")
        return verdict
    code, words = int(error[1]), " ".join(error[2].decode("utf-8", "replace").split())
    if code in _REFUSED_SETTING and reply.media == "any":
        return TAKE
    if code == _QUOTA:
        return Verdict("defer", words, _until_end(words, reply.received_at))
    return Verdict("retry" if code in _BUSY else "reject", f"error {code}: {words}")


def _query(
    key: str, sql: str, *, strict: bool, params: tuple[tuple[str, str], ...] = (), about: int = 300
) -> Request:
    """One statement; of the first, which carries the settings, the answer may be that these are refused."""
    settings = _STRICT if strict else ()
    return Request(
        key,
        "/",
        params=(("user", "demo"), ("default_format", "JSON"), *settings, *params),
        method="POST",
        body=sql,
        media="any" if key == _NEWEST else "json",
        about=about,
        largest=5 * MEGABYTE,
    )


def _newest_day(state: State) -> date:
    answer: Answer = state.answers.get(_NEWEST_PLAIN) or state.answers[_NEWEST]
    return date.fromisoformat(answer.document["data"][0]["day"])


def _end(state: State) -> date:
    """The first month that is not taken yet: the one before it ended two days before the newest day."""
    return month_of(_newest_day(state) - timedelta(days=1))


def _chunks(state: State, count: _Count, end: date) -> Iterator[tuple[date, list[str]]]:
    """From which month on which packages are asked for, each chunk within the limit of rows."""
    newest: dict[str, date] = {}
    for each in state.previous:
        if each.population == count.population and each.series:
            package = each.series.removeprefix("package: ")
            newest[package] = max(newest.get(package, FIRST), as_month(each.period))
    since: dict[date, list[str]] = defaultdict(list)
    for target in state.targets:
        known = newest.get(target.target)
        start = FIRST
        if known and not _is_old(state, count, target.target):
            start = max(FIRST, min(known, later(end, -READ_AGAIN_MONTHS)))
        since[start].append(target.target)
    for start, packages in sorted(since.items()):
        size = max(1, MOST_ROWS // max(1, between(start, end)))
        for position in range(0, len(packages), size):
            yield start, packages[position : position + size]


def _is_old(state: State, count: _Count, package: str) -> bool:
    """Whether all months of a package were read too long ago, or not at all."""
    whole = f"{count.name}, {FIRST:%Y-%m} to "
    read = [
        answer.fetched_at.date()
        for key, answer in state.stored.items()
        if key.startswith(whole) and package in key.split(", ")[2:]
    ]
    return not read or (state.today - max(read)).days >= ALL_AGAIN_DAYS


def _stopped(state: State, observations: Sequence[Observation]) -> tuple[list[str], int]:
    """Packages that were counted in the month before the newest and not in it, and how many were asked."""
    newest = later(_end(state), -1)
    asked = {
        (count.population, f"package: {package}")
        for key, answer in state.answers.items()
        for count in COUNTS
        if key.partition(",")[0] == count.name
        for package in _packages(answer.request)
    }
    now = _counted(observations, newest) & asked
    before = _counted((*state.previous, *observations), later(newest, -1)) & asked
    return sorted({series for _, series in before - now}), len(before)


def _counted(observations: Sequence[Observation], month: date) -> set[tuple[str, str]]:
    period = f"{month:%Y-%m}"
    return {(each.population or "", each.series or "") for each in observations if each.period == period}


def _packages(request: Request) -> list[str]:
    return [name.strip("'") for name in dict(request.params)["param_packages"].strip("[]").split(",")]


def _is_json(body: Any) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _until_end(words: str, now: datetime) -> float | None:
    """Seconds until the hour of the quota ends, where the server names the end."""
    named = _INTERVAL_END.search(words)
    if named is None:
        return None
    return max(0.0, (datetime.fromisoformat(named[1]).replace(tzinfo=UTC) - now).total_seconds())


CONNECTOR = Connector(
    name="clickhouse",
    title="ClickPy",
    bases={"": "https://sql-clickhouse.clickhouse.com"},
    plan=plan,
    parse=parse,
    check=check,
    judge=judge,
    keeps_history=True,
    accepts_partial=True,
    pause=2.0,
    seconds=90.0,
)
