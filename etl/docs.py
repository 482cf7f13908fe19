"""Writes `docs/data.md` from the data package, so that what is told about the data is what is declared.

python -m etl.docs > docs/data.md
"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any

from etl.package import DataPackage, Table, read_package
from etl.settings import Settings

_HEAD = """# The data, table by table

Made from `data/datapackage.yaml` by `make docs`; do not edit it here. Every figure is carried over as
printed; an empty cell means that the source does not give the fact.
"""


def data_page(package: DataPackage) -> str:
    """The page as Markdown: tables with rows, keys, terms and fields; terms; what was left out."""
    parts = [_HEAD, *_overview(package), *_terms(package), *_left_out(package)]
    for table in package.tables:
        parts += _table(table)
    return "\n".join(parts).rstrip() + "\n"


def _overview(package: DataPackage) -> list[str]:
    rows = (
        (
            f"[{table.name}](#{table.name})",
            table.descriptor.get("title", ""),
            f"{len(_records(table)):,}",
            _licences(package, table),
        )
        for table in package.tables
    )
    return ["## Tables", "", *_grid(("table", "what it holds", "rows", "terms"), rows), ""]


def _terms(package: DataPackage) -> list[str]:
    licences = (
        (
            row["licence_id"],
            row["name"],
            row["terms_class"].replace("_", " "),
            row["url"],
            row["attribution_text"],
        )
        for row in _records(package.table("licence"))
    )
    return [
        "## Terms",
        "",
        "Each source names its terms; a table with figures under a share-alike licence holds nothing else.",
        "",
        *_grid(("id", "licence", "class", "address", "attribution"), licences),
        "",
    ]


def _left_out(package: DataPackage) -> list[str]:
    rejected = _records(package.table("rejected"))
    rows = ((row["file"], row["claim"], row["rows"], row["reason"]) for row in rejected)
    return ["## Left out", "", *_grid(("table", "what", "rows", "why"), rows), ""]


def _table(table: Table) -> list[str]:
    key = ", ".join(table.primary_key)
    references = "; ".join(f"{', '.join(own)} → {target}" for own, target, _ in table.foreign_keys)
    fields = (
        (
            declared["name"],
            declared.get("title", ""),
            declared["type"],
            _limits(declared),
            declared.get("description", ""),
        )
        for declared in table.fields
    )
    lines = [f"## {table.name}", "", f"`{table.file}`. {table.descriptor.get('description', '')}", ""]
    lines += [f"Key: {key}." + (f" References: {references}." if references else ""), ""]
    return [*lines, *_grid(("field", "heading", "type", "limits", "meaning"), fields), ""]


def _limits(declared: dict[str, Any]) -> str:
    limits = declared.get("constraints", {})
    words = []
    for name, value in limits.items():
        if value is True:
            words.append(name)
        elif isinstance(value, list):
            words.append(" / ".join(map(str, value)))
        elif name != "pattern":
            words.append(f"{name} {value}")
    return ", ".join(words)


def _licences(package: DataPackage, table: Table) -> str:
    """The terms of a table's rows, the most frequent first; none where rows have no source of their own."""
    if "source_id" not in {declared["name"] for declared in table.fields} or table.name in {
        "source",
        "live_source",
    }:
        return ""
    licence_of = {
        row["source_id"]: row["licence_id"]
        for name in ("source", "live_source")
        for row in _records(package.table(name))
    }
    counted = Counter(licence_of[row["source_id"]] for row in _records(table) if row["source_id"])
    return ", ".join(licence for licence, _ in counted.most_common())


def _records(table: Table) -> list[dict[str, str]]:
    content = (table.content or b"").decode("utf-8")
    return list(csv.DictReader(io.StringIO(content, newline="")))


def _grid(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


if __name__ == "__main__":
    sys.stdout.write(data_page(read_package(Settings().data)))
