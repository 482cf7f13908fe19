"""The model of pay: it pools, it does not depend on the order of cells, it stands in every build."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from etl.build import build
from etl.salary_model import COORDINATES, LEAST_OF_A_COUNTRY, PayModel, fit
from etl.warehouse import Home, open_read_only
from tests.etl.package_copy import PackageCopy

COUNTRIES = pd.DataFrame(
    {
        "entity_id": ["USA", "DEU", "IND", "KEN"],
        "gdp_per_head_usd": [80_000.0, 50_000.0, 2_500.0, 2_000.0],
        "price_level": [1.0, 0.8, 0.25, 0.4],
    }
)


def cell(
    salary_k: int, postings: int = 1, role: str = "role-a", level: str = "SE", country: str = "USA"
) -> dict[str, object]:
    return {
        "role_id": role,
        "experience": level,
        "company_country": country,
        "year": 2025,
        "remote": 0,
        "company_size": "M",
        "salary_k": salary_k,
        "postings": postings,
    }


def cells(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


def around(middle: int, postings: int, role: str = "role-a", country: str = "USA") -> list[dict[str, object]]:
    """A group of that median whose pay spreads by a tenth and a fifth."""
    return [
        cell(round(middle * (1 + off)), postings // 5, role, country=country)
        for off in (-0.2, -0.1, 0.0, 0.1, 0.2)
    ]


def median(model: PayModel, role: str = "role-a", country: str = "USA") -> float:
    return float(model.quantiles(cells(cell(0, role=role, country=country)))[0, 2])


def test_what_many_postings_tell_is_kept_and_what_one_tells_is_drawn_to_the_mean() -> None:
    model = fit(
        cells(
            *around(150, 2_000),
            *around(300, 2_000, role="role-b"),
            cell(300, role="role-c"),
        ),
        COUNTRIES,
    )
    assert median(model, role="role-a") == pytest.approx(150, rel=0.03)
    assert median(model, role="role-b") == pytest.approx(300, rel=0.03)
    assert 150 < median(model, role="role-c") < 250
    assert median(model, role="role-d") == pytest.approx(math.sqrt(150 * 300), rel=0.1)


def test_a_country_without_postings_is_told_by_its_income_and_more_widely() -> None:
    model = fit(
        cells(
            *around(180, 2_000),
            *around(110, 500, country="DEU"),
            *around(40, 500, country="IND"),
        ),
        COUNTRIES,
    )
    assert median(model, country="DEU") == pytest.approx(110, rel=0.05)
    assert median(model, country="IND") == pytest.approx(40, rel=0.05)
    assert 25 < median(model, country="KEN") < 80
    ends = {name: model.quantiles(cells(cell(0, country=name)))[0] for name in ("IND", "KEN")}
    assert ends["KEN"][4] / ends["KEN"][0] >= ends["IND"][4] / ends["IND"][0]
    known = model.effects[model.effects["term"] == "company_country"].set_index("term_level")["postings"]
    assert known.to_dict() == {"DEU": 500, "IND": 500, "KEN": 0, "USA": 2_000}


@pytest.mark.parametrize("seed", range(6))
def test_quantiles_ascend_and_the_order_of_the_cells_does_not_matter(seed: int) -> None:
    chance = np.random.default_rng(seed)
    given_cells = cells(
        *[
            cell(
                int(chance.integers(20, 600)),
                int(chance.integers(1, 40)),
                str(chance.choice(["role-a", "role-b", "role-c"])),
                str(chance.choice(["EN", "MI", "SE", "EX"])),
                str(chance.choice(["USA", "DEU", "IND", "TWN"])),
            )
            for _ in range(1 + 12 * seed)
        ]
    ).drop_duplicates([*COORDINATES, "salary_k"])
    model = fit(given_cells, COUNTRIES)
    asked = cells(
        *[
            cell(0, role=role, level=level, country=country)
            for role in ("role-a", "role-z")
            for level in ("SE", "none")
            for country in ("USA", "TWN", "KEN")
        ]
    )
    found = model.quantiles(asked)
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=1) >= 0).all()
    again = fit(given_cells.sample(frac=1, random_state=1), COUNTRIES)
    pd.testing.assert_frame_equal(model.effects, again.effects, atol=2e-6, rtol=0)


def test_the_model_of_the_shipped_cells_stands_in_the_build_with_names(home: Home) -> None:
    current = home.current()
    assert current
    with open_read_only(current.path) as connection:
        ((roles, levels, countries, postings),) = connection.execute(
            "SELECT count(*) FILTER (term = 'role_id'), count(*) FILTER (term = 'experience'), "
            "count(*) FILTER (term = 'company_country'), max(postings) FROM pay_effect"
        ).fetchall()
        unnamed = connection.execute(
            "SELECT table_name, name FROM meta.field_info "
            "WHERE title = '' "
            "AND table_name IN ('pay_effect', 'pay_spread', 'pay_estimate', 'pay_model_score')"
        ).fetchall()
        kinds = connection.execute("SELECT DISTINCT place_kind FROM pay_spread ORDER BY 1").fetchall()
    assert (roles, levels, postings) == (31, 4, 37_568)
    assert countries > 200
    assert unnamed == []
    assert kinds == [("seen",), ("unseen",), ("us",)]
    assert LEAST_OF_A_COUNTRY == 10


def test_without_cells_the_tables_are_there_and_empty(package_copy: PackageCopy) -> None:
    built = build(package_copy.settings(package_copy.folder.parent / "home")).build
    with open_read_only(built.path) as connection:
        assert connection.execute("FROM pay_effect").fetchall() == []
        assert connection.execute("FROM pay_spread").fetchall() == []
        assert connection.execute("FROM pay_estimate").fetchall() == []
