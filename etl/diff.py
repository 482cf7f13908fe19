"""What changed between two builds, claim by claim: added, withdrawn, changed from what to what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import duckdb

from etl.errors import DamagedBuildError, first_line
from etl.warehouse import Build, connect, quoted

Kind = Literal["added", "withdrawn", "changed"]

# A claim is what it says, of what, where, when, and who says so; labels and notes may be reworded.
_COMPARED = {
    "value": "value",
    "unit_label": "unit",
    "period": "period",
    "place": "place",
    "source_id": "source",
    "attribution": "attribution",
    "is_repeat": "repeat",
}
_ROWS = """
WITH differing AS (
SELECT
    claim_id,
    coalesce(new.dataset, old.dataset) AS dataset,
    coalesce(new.subject, old.subject) AS subject,
    coalesce(new.place, old.place) AS place,
    coalesce(new.period, old.period) AS period,
    coalesce(new.source_id, old.source_id) AS source_id,
    old.value AS old_value,
    new.value AS new_value,
    coalesce(new.unit_label, old.unit_label) AS unit,
    CASE
        WHEN old.claim_id IS NULL THEN 'added'
        WHEN new.claim_id IS NULL THEN 'withdrawn'
        ELSE 'changed'
    END AS kind,
    CASE WHEN old.claim_id IS NULL OR new.claim_id IS NULL THEN []
        ELSE list_filter([{fields}], lambda name: name IS NOT NULL) END AS fields
FROM old.claim AS old
FULL JOIN new.claim AS new USING (claim_id)
WHERE old.claim_id IS NULL OR new.claim_id IS NULL OR {differs}
)
SELECT
    differing.*,
    coalesce(new_figure.metric_label, old_figure.metric_label, table_info.title) AS metric,
    coalesce(new_card.publisher, old_card.publisher)
        || coalesce(': ' || coalesce(new_card.title, old_card.title), '') AS source
FROM differing
LEFT JOIN new.observation_figure AS new_figure USING (claim_id)
LEFT JOIN old.observation_figure AS old_figure USING (claim_id)
LEFT JOIN new.meta.table_info AS table_info ON table_info.name = differing.dataset
LEFT JOIN new.source_card AS new_card ON new_card.source_id = differing.source_id
LEFT JOIN old.source_card AS old_card ON old_card.source_id = differing.source_id
ORDER BY kind, claim_id
"""


@dataclass(frozen=True)
class Change:
    """One claim that differs between two builds.

    Attributes:
        source: publisher and title of the publication.
        metric: what is measured; the title of the table for what is no observation.
        fields: which of value, unit, period, place, source, attribution, repeat changed.
        old_value, new_value: the figure before and after, in `unit`.
    """

    claim_id: str
    kind: Kind
    dataset: str
    subject: str
    place: str
    period: str
    source_id: str
    source: str
    metric: str
    unit: str
    old_value: float | None
    new_value: float | None
    fields: tuple[str, ...]

    @property
    def relative(self) -> float | None:
        """By how much the value moved, as a fraction of the old one; None where that says nothing."""
        if self.old_value is None or self.new_value is None or self.old_value == 0:
            return None
        return self.new_value / self.old_value - 1

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {**vars(self), "fields": list(self.fields), "relative": self.relative}


@dataclass(frozen=True)
class Difference:
    """Everything that differs between two builds."""

    old: Build
    new: Build
    changes: tuple[Change, ...] = field(default=())

    def counts(self) -> dict[str, int]:
        """How many claims were added, withdrawn, changed."""
        return _counts(self.changes)

    def by_source(self) -> dict[tuple[str, str], dict[str, int]]:
        """The same for each source and metric, those with the most changes first."""
        groups: dict[tuple[str, str], list[Change]] = {}
        for change in self.changes:
            groups.setdefault((change.source, change.metric), []).append(change)
        ordered = sorted(groups, key=lambda group: (-len(groups[group]), group))
        return {group: _counts(groups[group]) for group in ordered}

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        by_table = Counter(f"{change.dataset} {change.kind}" for change in self.changes)
        by_source = [
            {"source": source, "metric": metric, **counts}
            for (source, metric), counts in self.by_source().items()
        ]
        return {
            "old": self.old.build_id,
            "new": self.new.build_id,
            **self.counts(),
            "by_table": dict(sorted(by_table.items())),
            "by_source": by_source,
            "changes": [change.as_dict() for change in self.changes],
        }


def _counts(changes: Iterable[Change]) -> dict[str, int]:
    counted = Counter(change.kind for change in changes)
    return {"added": counted["added"], "withdrawn": counted["withdrawn"], "changed": counted["changed"]}


def diff(old: Build, new: Build) -> Difference:
    """Compare the claims of two builds.

    Raises:
        DamagedBuildError: one of them cannot be read.
    """
    differs = " OR ".join(f"old.{name} IS DISTINCT FROM new.{name}" for name in _COMPARED)
    fields = ", ".join(
        f"CASE WHEN old.{name} IS DISTINCT FROM new.{name} THEN '{word}' END"
        for name, word in _COMPARED.items()
    )
    try:
        with connect() as connection:
            for name, build in (("old", old), ("new", new)):
                connection.execute(f"ATTACH '{quoted(build.path)}' AS {name} (READ_ONLY)")
            cursor = connection.execute(_ROWS.format(differs=differs, fields=fields))
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except duckdb.Error as error:
        raise DamagedBuildError(f"The builds cannot be compared: {first_line(error)}") from error
    return Difference(old, new, tuple(Change(**{**row, "fields": tuple(row["fields"])}) for row in rows))
