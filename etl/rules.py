"""The rules that data must keep, one `.sql` file a rule in `sql/checks`: each returns the rows that break it.

The comment on top of a file declares the rule: `-- stage: package|mart`, `-- severity: blocking|warning`,
and what must hold, in words. A rule of the package reads the shipped tables (each row with its `_row` in
the file) and returns (table, row or list of rows, field, message). A rule of the marts reads the finished
warehouse and returns whatever columns tell best what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, cast

Stage = Literal["package", "mart"]
Severity = Literal["blocking", "warning"]


@dataclass(frozen=True)
class Rule:
    """One rule: its name, when it is asked, whether it blocks publication, what must hold, and the query."""

    name: str
    stage: Stage
    severity: Severity
    description: str
    sql: str


def header_and_body(text: str) -> tuple[list[str], str]:
    """Split a .sql file into the comment lines on top (without dashes) and the statement."""
    lines = text.strip().splitlines()
    top = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    header = [line.removeprefix("--").strip() for line in lines[:top]]
    return header, "\n".join(lines[top:]).rstrip("; \n")


def load_rules(stage: Stage) -> list[Rule]:
    """All rules of one stage, by name."""
    return [rule for rule in _all_rules() if rule.stage == stage]


def _all_rules() -> list[Rule]:
    rules = []
    for path in sorted((files("etl") / "sql" / "checks").iterdir(), key=lambda p: p.name):
        header, sql = header_and_body(path.read_text(encoding="utf-8"))
        marked = dict(line.split(": ", 1) for line in header[:2])
        rules.append(
            Rule(
                name=path.name.removesuffix(".sql").replace("_", "-"),
                stage=cast(Stage, marked["stage"]),
                severity=cast(Severity, marked["severity"]),
                description=" ".join(header[2:]),
                sql=sql,
            )
        )
    return rules
