"""Our World in Data: figures of others; each chart is a source of its own, under the terms of its origin.

The description of a chart is read on every run and is small; its table only when the description has a new
date. Column names change between editions, so the one column of a chart is taken by its place.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from etl.sources.connector import Connector, Observation, Parsed, Request, State, Target
from etl.sources.verdicts import Reply, Verdict, judge_by_status

RELAY = "Our World in Data"
_OPTIONS = (("v", "1"), ("csvType", "full"), ("useColumnShortNames", "true"))
_OWN_COLUMNS = {"entity", "code", "year", "day"}
# Where a chart shows more than one column, ours is the one of these names.
_ALIASES = (
    "private_investment",
    "generative_ai",
    "corporate_investment",
    "ai_job_postings_share",
    "pct_of_respondents",
    "companies",
)
# What the unit of a chart has to say for its figures to be in ours.
_UNITS = {"usd": "$", "percent": "%", "papers": ""}
_UNIT_OF = {
    "ai_private_investment_real": "usd",
    "genai_private_investment_real": "usd",
    "ai_corporate_investment_real": "usd",
    "ai_job_posting_share": "percent",
    "organisations_using_ai": "percent",
    "ai_publications": "papers",
}
# Who passed the figures on to Our World in Data, and the series that they go on with.
_LIGHTCAST = "live-owid-ai-job-postings"
_RELAYED_TWICE = {_LIGHTCAST, "live-owid-companies-using-ai"}
_SERIES = {_LIGHTCAST: "Lightcast"}
# The sum of all kinds stands beside them.
_TOTAL = "total"


def plan(state: State) -> Sequence[Request]:
    """The description of each chart, then the tables of those that were not read in this edition."""
    found = []
    for target in state.targets:
        description = Request(
            f"{target.target}.metadata.json",
            f"/grapher/{target.target}.metadata.json",
            _OPTIONS,
            may_be_missing=True,
            about=6_000,
        )
        found.append(description)
        answer = state.answers.get(description.key)
        if answer and not answer.is_missing:
            found.append(_table(target.target, _edition(answer.document)))
    return found


def parse(state: State) -> Parsed:
    """Figures of all charts; those of a chart that is gone stay, and its name is told."""
    rows: list[Observation] = []
    editions: dict[str, str] = {}
    unmapped: Counter[str] = Counter()
    for target in state.targets:
        description = state.answers[f"{target.target}.metadata.json"]
        if description.is_missing:
            unmapped[f"chart {target.target}"] += 1
            kept = [each for each in state.previous if each.source_id == target.source_id]
            rows += kept
            editions |= {each.source_id: each.vintage for each in kept if each.vintage}
            continue
        edition = _edition(description.document)
        editions[str(target.source_id)] = edition
        table = state.answers[_table(target.target, edition).key]
        rows += _figures(target, description.document, table.text, state, unmapped)
    return Parsed(tuple(rows), editions, dict(unmapped))


def judge(reply: Reply) -> Verdict:
    """As the codes say, and a chart that may not be passed on is not there for us: 403 as JSON."""
    is_told = reply.status == 403 and reply.body.lstrip()[:1] == b"{"
    return Verdict("missing") if is_told and reply.may_be_missing else judge_by_status(reply)


def _table(slug: str, edition: str) -> Request:
    """The table of one edition, which does not change: a changed one has another date."""
    return Request(
        f"{slug}.csv of {edition}",
        f"/grapher/{slug}.csv",
        _OPTIONS,
        media="csv",
        is_final=True,
        about=50_000,
    )


def _edition(description: Any) -> str:
    """Date on which any column of a chart was updated last."""
    return max(str(column["lastUpdated"])[:10] for column in description["columns"].values())


def _figures(
    target: Target, description: Any, text: str, state: State, unmapped: Counter[str]
) -> Iterator[Observation]:
    lines = csv.DictReader(io.StringIO(text, newline=""))
    columns = {each.casefold(): each for each in lines.fieldnames or ()}
    lines.fieldnames = list(columns)
    name = _value_column(target.target, [each for each in columns if each not in _OWN_COLUMNS])
    column = description["columns"].get(columns[name]) or next(iter(description["columns"].values()))
    unit_id, metric_id, source_id = _unit(target, column), str(target.metric_id), str(target.source_id)
    relay = f"Stanford AI Index; {RELAY}" if source_id in _RELAYED_TWICE else RELAY
    for row in lines:
        entity, segment = _subject(target, row, state)
        if entity is None:
            unmapped[row["entity"]] += 1
        elif row[name]:
            yield Observation(
                source_id=source_id,
                metric_id=metric_id,
                entity_id=entity,
                period=row.get("year") or row["day"],
                segment=segment,
                series=_SERIES.get(source_id) or (column["unit"] if unit_id == "usd" else None),
                value=float(row[name]),
                unit_id=unit_id,
                relayed_by=relay,
                vintage=_edition(description),
                note=column.get("citationLong") or column.get("citationShort"),
            )


def _value_column(slug: str, names: list[str]) -> str:
    """The column with the figures.

    Raises:
        ValueError: there are several, and none has a name that is known.
    """
    if len(names) == 1:
        return names[0]
    found = [name for name in names if name in _ALIASES]
    if len(found) != 1:
        raise ValueError(f"the table of '{slug}' has the columns {', '.join(names) or 'of no figures'}")
    return found[0]


def _unit(target: Target, column: Any) -> str:
    """Our unit for the figures of a chart.

    Raises:
        ValueError: the chart says another one.
    """
    unit_id = _UNIT_OF[str(target.metric_id)]
    told = " ".join(str(column.get(name) or "") for name in ("unit", "shortUnit"))
    is_count = not _UNITS[unit_id] and not {"$", "%"} & set(told)
    if not is_count and (not _UNITS[unit_id] or _UNITS[unit_id] not in told):
        raise ValueError(f"the chart '{target.target}' is in '{told.strip()}', not in {unit_id}")
    return unit_id


def _subject(target: Target, row: dict[str, str], state: State) -> tuple[str | None, str | None]:
    """Entity and segment of a row: of a chart about one place the rows are kinds."""
    if target.entity_id:
        kind = row["entity"].casefold()
        return target.entity_id, None if kind == _TOTAL else kind
    code = row["code"].casefold()
    is_own_code = not code or code.startswith("owid_")
    name = row["entity"] if is_own_code else code
    return state.entities.get(name.casefold()), target.segment


CONNECTOR = Connector(
    name="owid",
    title="Our World in Data",
    bases={"": "https://ourworldindata.org"},
    plan=plan,
    parse=parse,
    judge=judge,
)
