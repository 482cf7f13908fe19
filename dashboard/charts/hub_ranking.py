"""The arithmetic of the hub ranking: figures to points, points to ranks, and how far a rank can be trusted.

Nothing is ever filled in: a part without a figure has no points, a city is ranked by the parts that it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import compress, product
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

How = Literal["size", "order"]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

PARTS = {
    "startups": "Start-ups",
    "talent": "Talent",
    "funding": "Funding",
    "pay": "Pay",
    "cost": "Low prices",
}
# Each weight at half, as it is, and at one and a half times, in every combination.
MOVES = (0.5, 1.0, 1.5)


@dataclass(frozen=True)
class Figures:
    """The figures to rank by, as arrays of the same length.

    Attributes:
        value: the figures; below zero counts as zero.
        part: which of PARTS each is about, by number.
        place: which of `places`.
        list: which list it stands in.
        publisher: which of `publishers`.
        places: the entity_ids, sorted.
        publishers: the names, sorted.
    """

    value: Floats
    part: Ints
    place: Ints
    list: Ints
    publisher: Ints
    places: pd.Index
    publishers: pd.Index

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Figures:
        """The figures of a frame with entity_id, list_id, part, publisher and shown_value."""
        place, places = pd.factorize(frame["entity_id"], sort=True)
        publisher, publishers = pd.factorize(frame["publisher"], sort=True)
        return cls(
            frame["shown_value"].to_numpy(dtype=float).clip(min=0),
            pd.Index(PARTS).get_indexer(pd.Index(frame["part"])),
            place,
            pd.factorize(frame["list_id"])[0],
            publisher,
            places,
            publishers,
        )

    def without(self, publisher: int) -> Figures:
        """The figures of the other publishers; places keep their numbers."""
        kept = self.publisher != publisher
        names = ("value", "part", "place", "list", "publisher")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})


def points(figures: Figures, how: How) -> Floats:
    """Points from 0 to 100 of every figure within its list, 100 for the leader; low prices count.

    By size, money and counts are measured on a log scale (each tenfold is worth the same), pay and prices as
    they are; by order, points are the part of the list's other places that a place is ahead of.
    """
    value, of_list = figures.value, figures.list
    is_price, is_pay = (figures.part == list(PARTS).index(name) for name in ("cost", "pay"))
    if how == "order":
        worth = np.where(is_price, -value, value)
        together = of_list == of_list[:, None]
        level = (together & (worth == worth[:, None])).sum(axis=1) - 1
        ahead = (together & (worth < worth[:, None])).sum(axis=1) + level / 2
        others = together.sum(axis=1) - 1
        return np.asarray(100 * np.divide(ahead, others, out=np.ones_like(ahead), where=others > 0))
    top, low = np.zeros(of_list.max(initial=0) + 1), np.full(of_list.max(initial=0) + 1, np.inf)
    np.maximum.at(top, of_list, value)
    np.minimum.at(low, of_list, value)
    part = np.where(is_price, low[of_list], np.where(is_pay, value, np.log1p(value)))
    whole = np.where(is_price, value, np.where(is_pay, top[of_list], np.log1p(top[of_list])))
    return np.asarray(100 * np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def part_points(figures: Figures, how: How) -> Floats:
    """Points of every place in every part: the mean of its publishers, missing where none has it.

    Returns:
        Shape (places, parts).
    """
    shape = (len(figures.places), len(PARTS), len(figures.publishers))
    cell = np.ravel_multi_index((figures.place, figures.part, figures.publisher), shape)
    told = np.bincount(cell, minlength=np.prod(shape)).reshape(shape)
    total = np.bincount(cell, points(figures, how), np.prod(shape)).reshape(shape)
    of_publisher = np.divide(total, told, out=np.zeros(shape), where=told > 0)
    publishers = (told > 0).sum(axis=2)
    known = np.where(publishers > 0, publishers, np.nan)
    return np.asarray(of_publisher.sum(axis=2) / known)


def totals(table: Floats, weights: Floats, least: int) -> Floats:
    """Weighted mean of the known parts, one column a row of `weights`; missing below `least` known parts."""
    known = ~np.isnan(table) & (weights > 0).any(axis=0)
    given = known.astype(float) @ weights.T
    total = np.where(known, table, 0.0) @ weights.T / np.where(given > 0, given, np.nan)
    total[known.sum(axis=1) < max(least, 1)] = np.nan
    return np.asarray(total)


def ranks(total: Floats) -> Floats:
    """Ranks in every column, 1 for the best, equal totals sharing the better rank."""
    return pd.DataFrame(total).round(9).rank(ascending=False, method="min").to_numpy()


def moved(weights: np.ndarray) -> np.ndarray:
    """The weights, each at half, as it is, and at one and a half times, in every combination; one a row."""
    free = np.flatnonzero(weights)
    factors = np.ones((len(MOVES) ** len(free), len(weights)))
    factors[:, free] = list(product(MOVES, repeat=len(free)))
    return np.asarray(factors * weights)


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
    figures = Figures.of(frame)
    tables = [part_points(figures, how)]
    tables += [part_points(figures.without(each), how) for each in range(len(figures.publishers))]
    total = np.hstack([totals(table, given[None, :], least) for table in tables])
    by_source = ranks(total)  # all of them first, then each left out
    by_weights = ranks(totals(tables[0], moved(given), least))
    needs = [list(compress(figures.publishers, lost)) for lost in np.isnan(by_source[:, 1:])]
    result = pd.DataFrame(tables[0], index=figures.places.rename("entity_id"), columns=list(PARTS)).assign(
        total=total[:, 0],
        rank=by_source[:, 0],
        known=(~np.isnan(tables[0][:, given > 0])).sum(axis=1),
        low_weights=np.fmin.reduce(by_weights, axis=1),
        high_weights=np.fmax.reduce(by_weights, axis=1),
        low_sources=np.fmin.reduce(by_source, axis=1),
        high_sources=np.fmax.reduce(by_source, axis=1),
        needs=pd.Series(needs, index=figures.places, dtype=object),
    )
    return result[result["rank"].notna()].sort_values("rank", kind="stable")
