"""What differs between two builds in the very rows that a chart draws for a choice of filters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from dashboard.chart import Chart, Filters
from dashboard.export.tables import plain_rows
from dashboard.warehouse import Warehouse

Row = dict[str, Any]


@dataclass(frozen=True)
class RowChange:
    """One row that is not as it was.

    Attributes:
        kind: added, withdrawn or changed.
        claim_id: the claim that the row is of.
        columns: which columns changed; empty where the row was added or withdrawn.
        old, new: the row before and after, by column; None where there was or is none.
    """

    kind: Literal["added", "withdrawn", "changed"]
    claim_id: str
    columns: tuple[str, ...]
    old: Row | None
    new: Row | None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {**vars(self), "columns": list(self.columns)}


def changes_of(chart: Chart[Any], filters: Filters, old: Warehouse, new: Warehouse) -> list[RowChange]:
    """Compare the rows of a chart, claim by claim, in the columns of its table.

    Raises:
        EarlierBuildError: the old build was made by another version of the program.
    """
    before, after = (_by_claim(chart, opened.query(*chart.query(filters))) for opened in (old, new))
    changes: list[RowChange] = []
    for claim_id in dict.fromkeys([*after, *before]):
        gone, come = before.get(claim_id, []), after.get(claim_id, [])
        same = Counter(map(repr, gone)) & Counter(map(repr, come))
        gone, come = _without(gone, same), _without(come, same)
        for was, now in zip(gone, come, strict=False):
            columns = tuple(name for name in now if was[name] != now[name])
            changes.append(RowChange("changed", claim_id, columns, was, now))
        paired = min(len(gone), len(come))
        changes += [RowChange("added", claim_id, (), None, row) for row in come[paired:]]
        changes += [RowChange("withdrawn", claim_id, (), row, None) for row in gone[paired:]]
    return changes


def counts(changes: list[RowChange]) -> dict[str, int]:
    """How many rows were added, withdrawn, changed."""
    counted = Counter(change.kind for change in changes)
    return {kind: counted[kind] for kind in ("added", "withdrawn", "changed")}


def _by_claim(chart: Chart[Any], frame: pd.DataFrame) -> dict[str, list[Row]]:
    kept = list(dict.fromkeys(["claim_id", "source_id", *chart.columns]))
    found: dict[str, list[Row]] = {}
    for row in plain_rows(frame[kept]):
        found.setdefault(row["claim_id"], []).append(row)
    return found


def _without(rows: list[Row], same: Counter[str]) -> list[Row]:
    """The rows but for those that stand on the other side as well."""
    left, kept = Counter(same), []
    for row in rows:
        if left[repr(row)]:
            left[repr(row)] -= 1
        else:
            kept.append(row)
    return kept
