"""The arithmetic of the hub ranking: figures to points, points to ranks, and how far a rank can be trusted.

Nothing is ever filled in: a part without a figure has no points, a city is ranked by the parts that it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd

How = Literal["size", "order"]

PARTS = {
    "startups": "Start-ups",
    "talent": "Talent",
    "funding": "Funding",
    "pay": "Pay",
    "cost": "Low prices",
}
# Each weight at half, as it is, and at one and a half times, in every combination.
MOVES = (0.5, 1.0, 1.5)


def points(frame: pd.DataFrame, how: How) -> pd.Series:
    """Points from 0 to 100 of every figure within its list, 100 for the leader; low prices count.

    By size, money and counts are measured on a log scale (each tenfold is worth the same), pay and prices as
    they are; by order, points are the part of the list's other places that a place is ahead of.
    """
    values, lists = frame["shown_value"].clip(lower=0), frame["list_id"]
    is_price, is_pay = frame["part"] == "cost", frame["part"] == "pay"
    if how == "order":
        places = values.where(~is_price, -values).groupby(lists).rank()
        others = lists.groupby(lists).transform("size") - 1
        ahead: pd.Series = (100 * (places - 1) / others.where(others > 0)).fillna(100.0)
        return ahead
    top, low = values.groupby(lists).transform("max"), values.groupby(lists).transform("min")
    share = np.log1p(values) / np.log1p(top.where(top > 0))
    share = share.where(~is_pay, values / top.where(top > 0)).where(~is_price, low / values.where(values > 0))
    result: pd.Series = 100 * share.fillna(0.0)
    return result


def part_points(frame: pd.DataFrame, how: How) -> pd.DataFrame:
    """Points of every place in every part: the mean of its publishers, missing where none has it."""
    scored = frame.assign(points=points(frame, how))
    of_publisher = scored.groupby(["entity_id", "part", "publisher"])["points"].mean()
    table = of_publisher.groupby(["entity_id", "part"]).mean().unstack("part")
    return table.reindex(columns=list(PARTS))


def totals(table: pd.DataFrame, weights: np.ndarray, least: int) -> pd.DataFrame:
    """Weighted mean of the known parts, one column a row of `weights`; missing below `least` known parts."""
    known = table.notna().to_numpy() & (weights > 0).any(axis=0)
    given = known.astype(float) @ weights.T
    total = np.where(known, table.to_numpy(), 0.0) @ weights.T / np.where(given > 0, given, np.nan)
    total[known.sum(axis=1) < max(least, 1)] = np.nan
    return pd.DataFrame(total, index=table.index)


def ranks(table: pd.DataFrame, weights: np.ndarray, least: int) -> pd.DataFrame:
    """Ranks by every row of `weights`, 1 for the best, equal totals sharing the better rank."""
    return totals(table, weights, least).round(9).rank(ascending=False, method="min")


def moved(weights: np.ndarray) -> np.ndarray:
    """The weights, each at half, as it is, and at one and a half times, in every combination; one a row."""
    free = np.flatnonzero(weights)
    factors = np.ones((len(MOVES) ** len(free), len(weights)))
    factors[:, free] = list(product(MOVES, repeat=len(free)))
    return np.asarray(factors * weights)


def _points_without(frame: pd.DataFrame, how: How) -> Iterator[tuple[str, pd.DataFrame]]:
    """The points of every place in every part with one publisher left out, for each publisher by name.

    All are computed in one go: each has its own numbers for the places and the lists.
    """
    place, places = pd.factorize(frame["entity_id"], sort=True)
    of_list, lists = pd.factorize(frame["list_id"])
    publisher, names = pd.factorize(frame["publisher"], sort=True)
    slim = frame[["part", "shown_value"]].assign(publisher=publisher)
    table = part_points(
        pd.concat(
            slim.assign(entity_id=place + i * len(places), list_id=of_list + i * len(lists))[publisher != i]
            for i in range(len(names))
        ),
        how,
    )
    left_out, kept = np.divmod(table.index.to_numpy(), len(places))
    for i, name in enumerate(names):
        yield name, table[left_out == i].set_axis(places[kept[left_out == i]], axis=0)


def ranking(frame: pd.DataFrame, weights: Mapping[str, float], *, how: How, least: int) -> pd.DataFrame:
    """The places that can be ranked, best first, with the range of each rank and what is missing.

    Args:
        frame: figures with entity_id, list_id, part, publisher and shown_value.
        weights: weight of each part; parts of weight 0 play no role.
        how: how figures become points.
        least: in how many of the weighted parts a place must have a figure (at most as many as there are).

    Returns:
        Indexed by entity_id: the points of the parts, total, rank, known (number of parts), low_weights,
        high_weights, low_sources, high_sources, and needs (publishers without whom it could not be ranked).
    """
    given = np.array([float(weights[part]) for part in PARTS])
    least = min(least, int((given > 0).sum()))
    table = part_points(frame, how)
    rank = ranks(table, given[None, :], least)[0]
    swayed = ranks(table, moved(given), least)
    without = pd.DataFrame(
        {name: ranks(left, given[None, :], least)[0] for name, left in _points_without(frame, how)},
        index=table.index,
    )
    lost = without.isna().to_numpy()
    every = without.assign(**{"": rank})
    result = table.assign(
        total=totals(table, given[None, :], least)[0],
        rank=rank,
        known=table.loc[:, given > 0].notna().sum(axis=1),
        low_weights=swayed.min(axis=1),
        high_weights=swayed.max(axis=1),
        low_sources=every.min(axis=1),
        high_sources=every.max(axis=1),
        needs=pd.Series(
            {entity: list(without.columns[row]) for entity, row in zip(table.index, lost, strict=True)},
            dtype=object,
        ),
    )
    return result[result["rank"].notna()].sort_values(
        ["rank", "total"], ascending=[True, False], kind="stable"
    )
