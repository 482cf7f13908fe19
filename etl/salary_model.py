"""A model of pay that pools records: what role, level, country, year, place of work and size add to it.

Location: ridge regression of log pay. What few records tell is drawn to the mean, and the mean of a country
is what income and prices there suggest. Spread: quantiles of what is left over, of a role and level mixed
with those of the level and of all. Where a country has too few records, the spread is widened until it holds
the pay in countries that the fit did not see. `docs/salaries.md` tells how well it does.

It is fitted on cells (counts), in a second or two; equal cells give equal numbers on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

SOURCE = "aijobs"  # what the backtest was made with; surveys and postings do not mix
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
QUANTILE_NAMES = ("p10", "p25", "median", "p75", "p90")
ROLE_AND_LEVEL = "role_id and experience"
# How far a level of each term is expected to lie from the mean, in standard deviations of log pay around the
# model. What is known of a level weighs against this: a role with a hundred postings is hardly drawn there.
EXPECTED = {
    "role_id": 0.3,
    "experience": 0.3,
    ROLE_AND_LEVEL: 0.15,
    "company_country": 0.2,
    "year": 0.1,
    "remote": 0.1,
    "company_size": 0.1,
}
COORDINATES = ("role_id", "experience", "company_country", "year", "remote", "company_size")
LEAST_OF_A_COUNTRY = 10  # postings from which on a country counts as seen
PRIOR_POSTINGS = 50.0  # weight of the wider group in the spread of a narrower one
ANY = ""  # the spread of roles and levels without postings
FOLDS = 3
LEAST_SPREAD = 0.01  # a percent: nearer than that no quantile of pay lies to the median
DECIMALS = 6  # far above what differs between machines, far below a dollar

_EFFECT = ["term", "term_level", "effect", "postings"]
Floats = npt.NDArray[np.float64]

# Name, title, what a row is.
TABLES: tuple[tuple[str, str, str], ...] = (
    (
        "pay_effect",
        "Effects of the pay model",
        "One row is what one level of one term adds to the logarithm of yearly pay (thousand US$).",
    ),
    (
        "pay_spread",
        "Spread of the pay model",
        "One row is a kind of place, level and role: how far the quantiles of log pay lie from its location.",
    ),
    (
        "pay_estimate",
        "Estimates of the pay model",
        "One row is a role, level and country: its part of log pay, the spread around it, how sure.",
    ),
)
TITLES = {
    "term": "Term",
    "term_level": "Level of the term",
    "effect": "Adds to log pay",
    "postings": "Distinct postings",
    "place_kind": "Kind of place",
    "company_country": "Country of the employer",
    "country": "Country",
    "stratum": "Postings of the same role, level and country",
    "is_better": "Beats the quantiles of groups",
    **{name: f"{share:.0%} quantile" for name, share in zip(QUANTILE_NAMES, QUANTILES, strict=True)},
}
_DEFINITION = """
CREATE TABLE pay_effect (
    term VARCHAR NOT NULL, term_level VARCHAR NOT NULL, effect DOUBLE NOT NULL, postings BIGINT NOT NULL,
    PRIMARY KEY (term, term_level)
);
CREATE TABLE pay_spread (
    place_kind VARCHAR NOT NULL, experience VARCHAR NOT NULL, role_id VARCHAR NOT NULL, p10 DOUBLE NOT NULL,
    p25 DOUBLE NOT NULL, median DOUBLE NOT NULL, p75 DOUBLE NOT NULL, p90 DOUBLE NOT NULL,
    PRIMARY KEY (place_kind, experience, role_id)
);
"""


@dataclass(frozen=True)
class PayModel:
    """A fitted model.

    Attributes:
        effects: term, term_level, effect (log thousand US dollars), postings behind it.
        spreads: place_kind (us, seen, unseen), experience, role_id, and for each quantile its distance from
            the location (log).
    """

    effects: pd.DataFrame
    spreads: pd.DataFrame

    def quantiles(self, asked: pd.DataFrame) -> Floats:
        """Pay in thousands of US dollars at QUANTILES for rows with COORDINATES; shape (rows, 5).

        A level that the model does not know adds nothing; the spread of a role or level that it does not know
        is that of the wider group.
        """
        return np.exp(self.location(asked)[:, None] + self._spread(asked))

    def location(self, asked: pd.DataFrame) -> Floats:
        """The location of log pay (thousand US dollars) in each row."""
        known = self.effects.set_index(["term", "term_level"])["effect"]
        total = np.full(len(asked), float(known[("intercept", "")]))
        for term, levels in _levels(asked).items():
            total += levels.map(known[term]).astype(float).fillna(0.0).to_numpy()
        return total

    def _spread(self, asked: pd.DataFrame) -> Floats:
        known = self.spreads.set_index(["place_kind", "experience", "role_id"])[list(QUANTILE_NAMES)]
        seen = self.effects[
            (self.effects["term"] == "company_country") & (self.effects["postings"] >= LEAST_OF_A_COUNTRY)
        ]["term_level"]
        country = asked["company_country"]
        kind = np.where(country == "USA", "us", np.where(country.isin(set(seen)), "seen", "unseen"))
        level, role = (
            asked[name].where(asked[name].isin(set(self.spreads[name])), ANY)
            for name in ("experience", "role_id")
        )
        keys = pd.MultiIndex.from_arrays([kind, level, role.where(level != ANY, ANY)])
        return known.reindex(keys).to_numpy(dtype=float)


def fit_in_build(connection: duckdb.DuckDBPyConnection) -> None:
    """Fit the model on the cells of the build and store it there; without cells its tables are empty."""
    connection.execute(_DEFINITION)
    _store_model(connection)
    told = (files("etl") / "sql" / "pay_estimate.sql").read_text(encoding="utf-8")
    connection.execute(f"CREATE TABLE pay_estimate AS {told}")


def _store_model(connection: duckdb.DuckDBPyConnection) -> None:
    cells = connection.execute(
        f"""
        SELECT {", ".join(COORDINATES)}, salary_k, sum(postings)::BIGINT AS postings
        FROM salary_cell WHERE source = $source GROUP BY ALL HAVING sum(postings) > 0 ORDER BY ALL
        """,  # noqa: S608  # names of columns
        {"source": SOURCE},
    ).df()
    if cells.empty:
        return
    countries = connection.execute(
        "SELECT entity_id, gdp_per_head_usd, price_level FROM country_profile ORDER BY entity_id"
    ).df()
    model = fit(cells, countries)
    for name, frame in (("pay_effect", model.effects), ("pay_spread", model.spreads)):
        connection.register("fitted", frame)
        connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM fitted")  # noqa: S608  # one of TABLES
        connection.unregister("fitted")


def fit(cells: pd.DataFrame, countries: pd.DataFrame) -> PayModel:
    """Fit the model.

    Args:
        cells: COORDINATES, salary_k (thousand US dollars) and postings, one row a cell.
        countries: entity_id, gdp_per_head_usd, price_level (United States = 1); both may be missing.
    """
    context = _context(cells, countries)
    model = _fit(cells, context)
    unseen = model.spreads[model.spreads["place_kind"] == "seen"].assign(place_kind="unseen")
    names = list(QUANTILE_NAMES)
    offsets, middle = unseen[names].to_numpy(), unseen[["median"]].to_numpy()
    wider = middle + (offsets - middle) * _widening(cells, context)
    unseen[names] = np.round(np.sort(wider, axis=1), DECIMALS)  # the inner ones may have outgrown the outer
    return PayModel(model.effects, pd.concat([model.spreads, unseen], ignore_index=True))


def _fit(cells: pd.DataFrame, context: pd.DataFrame, kinds: Sequence[str] = ("us", "seen")) -> PayModel:
    """Effects and spreads, but for countries without postings."""
    effects = _effects(cells, context)
    located = PayModel(effects, pd.DataFrame())
    left_over = np.log(cells["salary_k"].to_numpy(dtype=float)) - located.location(cells)
    return PayModel(effects, _spreads(cells, np.round(left_over, DECIMALS), kinds))


def _context(cells: pd.DataFrame, countries: pd.DataFrame) -> pd.DataFrame:
    """Income per head and price level of every country (logs, United States = 0); the mean if unknown."""
    known = countries.set_index("entity_id")[["gdp_per_head_usd", "price_level"]].astype(float).map(np.log)
    known["gdp_per_head_usd"] -= known["gdp_per_head_usd"].get("USA", 0.0)
    paid = cells["company_country"].dropna().unique()
    known = known.reindex(sorted({*known[known["gdp_per_head_usd"].notna()].index, *paid}))
    return known.fillna(known.mean()).fillna(0.0)


def _levels(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """The level of each term in each row, as text."""
    single = {name: rows[name].astype("string") for name in COORDINATES}
    return single | {ROLE_AND_LEVEL: single["role_id"] + " " + single["experience"]}


def _effects(cells: pd.DataFrame, context: pd.DataFrame) -> pd.DataFrame:
    """Ridge regression of log pay on one column a level and on the context of the country."""
    from sklearn.linear_model import Ridge  # noqa: PLC0415  # half a second that only a build needs

    # Rows alike in everything but pay weigh as one at their mean: the same solution from a tenth of the rows.
    sums = cells.assign(log_pay=np.log(cells["salary_k"].to_numpy(dtype=float)) * cells["postings"])
    rows = (
        sums.groupby(list(COORDINATES), dropna=False, sort=True)[["log_pay", "postings"]].sum().reset_index()
    )
    columns = {term: pd.get_dummies(level, dtype=float) for term, level in _levels(rows).items()}
    terms = [(term, level) for term in EXPECTED for level in columns[term].columns]
    told = np.column_stack([columns[term] for term in EXPECTED])
    weight = rows["postings"].to_numpy(dtype=float)
    expected = np.array([EXPECTED[term] for term, _ in terms])
    suggested = context.reindex(rows["company_country"]).fillna(0.0).to_numpy()
    ridge = Ridge(alpha=1.0, solver="cholesky").fit(
        np.column_stack([told * expected, suggested]), rows["log_pay"] / weight, sample_weight=weight
    )
    start = pd.DataFrame([("intercept", "", ridge.intercept_, int(weight.sum()))], columns=_EFFECT)
    found = pd.DataFrame(terms, columns=_EFFECT[:2])
    found["effect"] = ridge.coef_[: len(terms)] * expected
    found["postings"] = (weight @ told).astype(int)
    return _with_context(pd.concat([start, found], ignore_index=True), context, ridge.coef_[len(terms) :])


def _with_context(effects: pd.DataFrame, context: pd.DataFrame, slopes: Floats) -> pd.DataFrame:
    """Effects of all countries: what income and prices suggest, and their own where there are postings."""
    is_country = effects["term"] == "company_country"
    own = effects[is_country].set_index("term_level").reindex(context.index)
    every = pd.DataFrame(
        {
            "term": "company_country",
            "term_level": context.index,
            "effect": own["effect"].fillna(0.0).to_numpy() + context.to_numpy() @ slopes,
            "postings": own["postings"].fillna(0).to_numpy(dtype=int),
        }
    )
    found = pd.concat([effects[~is_country], every], ignore_index=True)
    return found.assign(effect=found["effect"].round(DECIMALS))


def _spreads(cells: pd.DataFrame, left_over: Floats, kinds: Sequence[str]) -> pd.DataFrame:
    """Quantiles of what is left over, each narrow group mixed with the wider one around it."""
    order = np.argsort(left_over, kind="stable")
    values, rows = left_over[order], cells.iloc[order]
    weight = rows["postings"].to_numpy(dtype=float)
    is_us = (rows["company_country"] == "USA").to_numpy()
    level_of, role_of = (rows[name].to_numpy(dtype=object, na_value="") for name in ("experience", "role_id"))
    levels, roles = sorted(set(level_of)), sorted(set(role_of))
    found = []
    for kind in kinds:
        here = is_us if kind == "us" else ~is_us
        of_place = _mixed(weight, here, weight / weight.sum())
        found.append((kind, ANY, ANY, *_steps(values, of_place)))
        for level in levels:
            at_level = here & (level_of == level)
            of_level = _mixed(weight, at_level, of_place)
            found.append((kind, level, ANY, *_steps(values, of_level)))
            for role in roles:
                of_role = _mixed(weight, at_level & (role_of == role), of_level)
                found.append((kind, level, role, *_steps(values, of_role)))
    return pd.DataFrame(found, columns=["place_kind", "experience", "role_id", *QUANTILE_NAMES])


def _steps(values: Floats, weight: Floats) -> Floats:
    """The quantiles of sorted values with weights that sum to one."""
    places = np.searchsorted(np.cumsum(weight), QUANTILES)
    found: Floats = values[np.minimum(places, len(values) - 1)]
    return found


def _mixed(weight: Floats, is_in: npt.NDArray[np.bool_], wider: Floats) -> Floats:
    """Weights of a group's records, mixed with those of the wider group; they sum to one."""
    return (weight * is_in + PRIOR_POSTINGS * wider) / (float((weight * is_in).sum()) + PRIOR_POSTINGS)


def _widening(cells: pd.DataFrame, context: pd.DataFrame) -> Floats:
    """By how much the distance of each quantile from the median has to grow in countries that were not seen.

    Conformal: every country but the US is left out once, a third of them at a time; then 80% (50%) of their
    postings must lie between the outer (inner) quantiles. A country weighs as the root of its postings, so
    that neither Canada nor countries with one posting decide.
    """
    countries = sorted(set(cells["company_country"].dropna()) - {"USA"})
    needed: list[Floats] = []
    for fold in range(FOLDS):
        is_out = cells["company_country"].isin(countries[fold::FOLDS])
        if is_out.any() and not is_out.all():
            needed.append(_needed(cells[is_out], _fit(cells[~is_out], context, ("seen",))))
    if not needed:
        return np.ones(len(QUANTILES))
    outer, inner, weight = np.concatenate(needed).T
    outer_by, inner_by = (
        max(1.0, _weighted(each, weight, share)) for each, share in ((outer, 0.8), (inner, 0.5))
    )
    return np.array([outer_by, inner_by, 1.0, inner_by, outer_by])


def _needed(rows: pd.DataFrame, model: PayModel) -> Floats:
    """How much wider the outer and inner quantiles would have to be to hold each row, and its weight."""
    as_seen = model.spreads[model.spreads["place_kind"] == "seen"].assign(place_kind="unseen")
    at = np.log(PayModel(model.effects, pd.concat([model.spreads, as_seen])).quantiles(rows))
    away = np.log(rows["salary_k"].to_numpy(dtype=float)) - at[:, 2]
    off = np.maximum(np.abs(at - at[:, [2]]), LEAST_SPREAD)
    outer, inner = (
        np.abs(away) / np.where(away > 0, off[:, above], off[:, below]) for above, below in ((4, 0), (3, 1))
    )
    weight = rows["postings"] / np.sqrt(rows.groupby("company_country")["postings"].transform("sum"))
    return np.column_stack([outer, inner, weight])


def _weighted(values: Floats, weight: Floats, share: float) -> float:
    """The value below which that share of the weight lies."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weight[order])
    return float(values[order][min(np.searchsorted(total, share * total[-1]), len(values) - 1)])
