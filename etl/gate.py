"""Holds a build back whose live figures differ from those of the build before in a way people should see.

Only figures of live sources are compared: shipped ones change by an edit that somebody reviewed.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from etl.errors import AtlasError, first_line
from etl.warehouse import connect, quoted

# A series whose values are multiplied by more than this was given in another unit, whatever its unit says.
UNIT_JUMP = 8.0
# A source that revises its past with every edition changes all values a little; larger changes count there.
RESTATEMENT = 0.5
LEAST_FIGURES = 5

_BOTH = """
CREATE TEMP TABLE both_builds AS
SELECT
    old.claim_id, old.metric_id, old.entity_id, old.segment, old.population, old.series, old.place_id,
    old.period, old.source_id, old.value AS old_value, new.value AS new_value,
    old.unit_id AS old_unit, new.unit_id AS new_unit, new.claim_id IS NULL AS is_gone,
    coalesce(live_source.restates, false) AS restates,
    coalesce(live_source.title, old.source_id) AS title,
    old.period < max(old.period) OVER (PARTITION BY old.source_id, old.metric_id) AS is_closed
FROM old.live_observation AS old
LEFT JOIN new.live_observation AS new USING (claim_id)
LEFT JOIN new.live_source AS live_source ON live_source.source_id = old.source_id
"""
_VANISHED = """
SELECT
    title || ': ' || count(*) || ' series vanished' || if(count(*) = 1, ': ', ', the first is ') || min(name)
FROM (
    SELECT title, concat_ws(', ', metric.label, entity.name, segment, population, series) AS name
    FROM both_builds
    LEFT JOIN old.metric AS metric USING (metric_id)
    LEFT JOIN old.entity AS entity USING (entity_id)
    GROUP BY title, metric.label, entity.name, segment, population, series, place_id
    HAVING bool_and(is_gone)
)
GROUP BY title
ORDER BY ALL
"""
_UNITS = """
SELECT title || ': the unit of ' || metric.label || ' went from ' || old_unit || ' to ' || new_unit
FROM both_builds
JOIN old.metric AS metric USING (metric_id)
WHERE NOT is_gone AND old_unit <> new_unit
GROUP BY ALL
UNION ALL
SELECT
    title || ': ' || metric.label || ' was multiplied by ' || format('{:.3g}', median(new_value / old_value))
        || ' in the middle of ' || count(*) || ' figures; is the unit another one?'
FROM both_builds
JOIN old.metric AS metric USING (metric_id)
WHERE NOT is_gone AND old_unit = new_unit AND old_value > 0 AND new_value > 0
GROUP BY title, metric.label
HAVING count(*) >= $least_figures AND NOT median(new_value / old_value) BETWEEN 1 / $unit_jump AND $unit_jump
ORDER BY ALL
"""
_CHANGED = """
SELECT
    title || ': ' || format('{:.0f}', 100 * avg(is_changed::INTEGER)) || '% of ' || count(*)
        || ' figures for closed periods changed or went; '
        || format('{:.3g}', $most_percent) || '% are allowed'
FROM (
    SELECT
        title,
        is_gone OR CASE
            WHEN restates THEN abs(new_value - old_value) > $restatement * abs(old_value)
            ELSE new_value <> old_value
        END AS is_changed
    FROM both_builds
    WHERE is_closed
)
GROUP BY title
HAVING count(*) >= $least_figures AND 100 * avg(is_changed::INTEGER) > $most_percent
ORDER BY ALL
"""


class HeldError(AtlasError):
    """A build was made and held back; `reasons` are sentences that say what differs from the one before."""

    def __init__(self, reasons: list[str]) -> None:
        """Keep what a person has to look at."""
        self.reasons = reasons
        super().__init__(
            f"The new build was held back ({len(reasons)} reason{'s' if len(reasons) != 1 else ''}); the one "
            "before is served. Look at them, then publish it with --accept or leave it."
        )


def reasons_to_hold(before: Path, unfinished: Path, most_percent: float) -> list[str]:
    """What differs between the build that is served and the new one so much that a person should look.

    Three things: a series that vanished, a unit that jumped, more than `most_percent` of the figures of a
    source changed in closed periods (all but the newest).
    """
    values = {
        "unit_jump": UNIT_JUMP,
        "restatement": RESTATEMENT,
        "most_percent": most_percent,
        "least_figures": LEAST_FIGURES,
    }
    try:
        with connect() as connection:
            for name, path in (("old", before), ("new", unfinished)):
                connection.execute(f"ATTACH '{quoted(path)}' AS {name} (READ_ONLY)")
            tables = connection.execute(
                "SELECT count(*) FROM duckdb_tables() "
                "WHERE database_name = 'old' AND table_name = 'live_observation'"
            ).fetchone()
            if tables is None or tables[0] == 0:
                return []
            connection.execute(_BOTH)
            found = []
            for statement in (_VANISHED, _UNITS, _CHANGED):
                named = {name: value for name, value in values.items() if f"${name}" in statement}
                found += [str(sentence) for (sentence,) in connection.execute(statement, named).fetchall()]
    except duckdb.Error as error:
        raise AtlasError(f"The builds cannot be compared: {first_line(error)}") from error
    return found
