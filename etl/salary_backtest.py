"""Scores the model of pay on real vintages of the ai-jobs.net file: does it beat the quantiles of groups?

Fitted on one vintage, scored on the rows that the next one adds, and on countries that the fit did not see.

python -m etl.salary_backtest FOLDER_OF_VINTAGES > data/salaries/pay_backtest.csv
"""

from __future__ import annotations

import csv
import gzip
import sys
import tempfile
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from etl.build import build
from etl.microdata.feeding import Feeding
from etl.microdata.vocabulary import Vocabulary
from etl.salaries import READERS, reduce_files
from etl.salary_model import COORDINATES, QUANTILE_NAMES, QUANTILES, SOURCE, Floats, fit
from etl.settings import Settings
from etl.snapshots import CELLS
from etl.warehouse import open_read_only

GROUP = ["role_id", "experience", "company_country"]
BACK_OFF: tuple[list[str], ...] = (GROUP, GROUP[:2], GROUP[:1], [])
LEAST = 10  # postings of a group whose quantiles are told
FOLDS = 4
MARGIN_SHARE = 0.9
# Postings of the same role, level and country that the fit saw: name of the stratum, and from how many on.
STRATA = {"none": 0, "under 10": 1, "10 to 29": 10, "30 or more": 30}
UNSEEN = "country unseen"
COLUMNS = (
    "fitted_on,scored_on,stratum,method,scored_postings,pinball_usd,within_10_90,within_25_75,groups,"
    + ",".join(f"margin_{name}" for name in QUANTILE_NAMES)
    + ",within_margin,source_id,fitted_source_id"
).split(",")


@dataclass(frozen=True)
class Vintage:
    """One edition of the file, and the source that names it."""

    day: str
    file: str
    source_id: str


VINTAGES = (
    Vintage(
        "2024-03-31",
        "vintages/salaries_2024-03-31.csv.gz",
        "ai-jobs-net-2024-github-com-ai-jobs-net-salaries",
    ),
    Vintage(
        "2025-01-19",
        "vintages/salaries_2025-01-19.csv.gz",
        "ai-jobs-net-2025-github-com-ai-jobs-net-salaries",
    ),
    Vintage("2025-08-03", "salaries.csv.gz", "ai-jobs-net-2025-08-03-github-com-ai-jobs-net-salaries"),
)


def backtest(
    folder: Path, data: Path, countries: pd.DataFrame, vintages: Sequence[Vintage] = VINTAGES
) -> list[dict[str, Any]]:
    """Rows of the table `pay_backtest`: each vintage but the last, scored on what the next one adds.

    Args:
        folder: where the vintages lie.
        data: the data package, for its roles and countries.
        countries: entity_id, gdp_per_head_usd, price_level.
        vintages: in order of time; the margins of a step are tried on the step after it.
    """
    words = Vocabulary(data)
    rows: list[dict[str, Any]] = []
    margins: dict[str, Floats] = {}
    for fitted, scored in pairwise(vintages):
        before, after = _lines(folder / fitted.file), _lines(folder / scored.file)
        added = [after[0], *bag_difference(after[1:], before[1:])]
        step = _step(cells_of(before, words), cells_of(added, words), countries, margins)
        margins = {row["stratum"]: row["margins"] for row in step if "margins" in row}
        rows += [_told(row, fitted, scored) for row in step]
    return rows


def bag_difference(new: Sequence[str], old: Iterable[str]) -> list[str]:
    """The lines of `new` that `old` does not have, each as often as it is more frequent; in their order."""
    left = Counter(old)
    kept = []
    # The file is newest first: of lines alike, the older ones at its end are those that were there before.
    for line in reversed(new):
        if left[line]:
            left[line] -= 1
        else:
            kept.append(line)
    return kept[::-1]


def cells_of(lines: Sequence[str], words: Vocabulary) -> pd.DataFrame:
    """The cells of these lines as the model takes them: known roles, distinct postings."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "salaries.csv"
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")
        reduce_files(READERS[SOURCE], Feeding([file]), words, Path(folder))
        with duckdb.connect() as connection:
            return connection.execute(
                f"SELECT {', '.join(COORDINATES)}, salary_k, sum(postings)::BIGINT AS postings "  # noqa: S608  # names
                f"FROM '{Path(folder) / CELLS}' WHERE role_id IS NOT NULL AND company_country IS NOT NULL "
                "GROUP BY ALL HAVING sum(postings) > 0 ORDER BY ALL"
            ).df()


def quantiles_of(cells: pd.DataFrame) -> Floats:
    """Pay (thousand US dollars) at QUANTILES, interpolated between the two postings around each."""
    ordered = cells.sort_values("salary_k", kind="stable")
    pay = ordered["salary_k"].to_numpy(dtype=float)
    upto = np.cumsum(ordered["postings"].to_numpy())
    place = 1 + (upto[-1] - 1) * np.array(QUANTILES)
    below, above = (pay[np.searchsorted(upto, end(place))] for end in (np.floor, np.ceil))
    return np.asarray(below + (above - below) * (place - np.floor(place)))


def everyone(fitted: pd.DataFrame, asked: pd.DataFrame) -> Floats:
    """The quantiles of all postings, for every row."""
    return np.tile(quantiles_of(fitted), (len(asked), 1))


def back_off(fitted: pd.DataFrame, asked: pd.DataFrame) -> Floats:
    """For every row the quantiles of the narrowest group that has LEAST postings."""
    found = np.full((len(asked), len(QUANTILES)), np.nan)
    for keys in BACK_OFF:
        is_open = np.isnan(found[:, 0])
        if not keys:
            found[is_open] = quantiles_of(fitted)
            continue
        known = {key: quantiles_of(group) for key, group in _groups(fitted, keys)}
        wanted = asked[keys].itertuples(index=False, name=None)
        for place, (key, still) in enumerate(zip(wanted, is_open, strict=True)):
            if still and key in known:
                found[place] = known[key]
    return found


def scores(rows: pd.DataFrame, quantiles: Floats) -> dict[str, float]:
    """Mean pinball loss over QUANTILES (US dollars) and share (%) between the outer and the inner ones."""
    pay, weight = rows["salary_k"].to_numpy(dtype=float), rows["postings"].to_numpy()
    shares, error = np.array(QUANTILES), pay[:, None] - quantiles
    loss = np.maximum(shares * error, (shares - 1) * error).mean(axis=1)
    outer = (pay >= quantiles[:, 0]) & (pay <= quantiles[:, 4])
    inner = (pay >= quantiles[:, 1]) & (pay <= quantiles[:, 3])
    return {
        "scored_postings": int(weight.sum()),
        "pinball_usd": round(1000 * float(np.average(loss, weights=weight))),
        "within_10_90": round(100 * float(np.average(outer, weights=weight)), 1),
        "within_25_75": round(100 * float(np.average(inner, weights=weight)), 1),
    }


def _lines(file: Path) -> list[str]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as handle:
        return handle.read().splitlines()


def _groups(cells: pd.DataFrame, keys: list[str]) -> Iterator[tuple[tuple[Hashable, ...], pd.DataFrame]]:
    for key, group in cells.groupby(keys):
        if group["postings"].sum() >= LEAST:
            yield key, group


def _step(
    fitted: pd.DataFrame, added: pd.DataFrame, countries: pd.DataFrame, margins: Mapping[str, Floats]
) -> list[dict[str, Any]]:
    """Scores by stratum and method; of the model with the margins that these strata would need."""
    told = {
        "model": fit(fitted, countries).quantiles(added),
        "back-off": back_off(fitted, added),
        "everyone": everyone(fitted, added),
    }
    stratum = _strata(fitted, added)
    rows = []
    for name in STRATA:
        is_in = stratum == name
        rows += _compared(name, added[is_in], {key: each[is_in] for key, each in told.items()}, margins)
    return rows + _compared(UNSEEN, *_unseen(fitted, added, countries), margins)


def _strata(fitted: pd.DataFrame, asked: pd.DataFrame) -> npt.NDArray[np.object_]:
    known = fitted.groupby(GROUP)["postings"].sum()
    seen = known.reindex(pd.MultiIndex.from_frame(asked[GROUP])).fillna(0).to_numpy()
    return np.array(list(STRATA), dtype=object)[np.searchsorted(list(STRATA.values()), seen, "right") - 1]


def _unseen(
    fitted: pd.DataFrame, added: pd.DataFrame, countries: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Floats]]:
    """All rows of every country but the US, told by fits that did not see their country."""
    every = pd.concat([fitted, added], ignore_index=True)
    names = sorted(set(every["company_country"]) - {"USA"})
    parts, told = [], []
    for fold in range(FOLDS):
        out = names[fold::FOLDS]
        rows, seen = every[every["company_country"].isin(out)], fitted[~fitted["company_country"].isin(out)]
        parts.append(rows)
        told.append(
            {
                "model": fit(seen, countries).quantiles(rows),
                "back-off": back_off(seen, rows),
                "everyone": everyone(seen, rows),
            }
        )
    return pd.concat(parts), {name: np.concatenate([each[name] for each in told]) for name in told[0]}


def _compared(
    stratum: str, rows: pd.DataFrame, told: Mapping[str, Floats], margins: Mapping[str, Floats]
) -> list[dict[str, Any]]:
    found = [{"stratum": stratum, "method": name, **scores(rows, each)} for name, each in told.items()]
    off = _off(rows, told["model"])
    found[0]["groups"] = len(off)
    if len(off) >= LEAST:
        found[0]["margins"] = np.quantile(off, MARGIN_SHARE, axis=0)
    if len(off) >= LEAST and stratum in margins:
        held = off[:, QUANTILES.index(0.5)] <= margins[stratum][QUANTILES.index(0.5)]
        found[0]["within_margin"] = round(100 * float(held.mean()), 1)
    return found


def _off(rows: pd.DataFrame, told: Floats) -> Floats:
    """How far (logs) the told quantiles lie from those of each group of LEAST or more, either way."""
    placed = rows.assign(**dict(zip(QUANTILE_NAMES, np.log(told).T, strict=True)))
    return np.array(
        [
            np.abs(
                np.log(quantiles_of(group))
                - np.average(group[list(QUANTILE_NAMES)], axis=0, weights=group["postings"])
            )
            for _, group in _groups(placed, GROUP)
        ]
    )


def _told(row: dict[str, Any], fitted: Vintage, scored: Vintage) -> dict[str, Any]:
    margins = np.round(np.exp(row.pop("margins", np.array([]))), 3)
    return {
        **row,
        **dict(zip((f"margin_{name}" for name in QUANTILE_NAMES), margins.tolist(), strict=False)),
        "fitted_on": fitted.day,
        "scored_on": scored.day,
        "source_id": scored.source_id,
        "fitted_source_id": fitted.source_id,
    }


def main(folder: Path) -> None:
    """Write the table to standard output."""
    settings = Settings()
    with tempfile.TemporaryDirectory() as home:
        built = build(settings.model_copy(update={"home": Path(home)})).build
        with open_read_only(built.path) as connection:
            countries = connection.execute("SELECT * FROM country_profile").df()
        rows = backtest(folder, settings.data, countries)
    writer = csv.DictWriter(sys.stdout, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
