"""The Data page: catalogue, checks, changes between builds, and the console."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import texts

Run = Callable[..., AppTest]


@pytest.mark.parametrize("section", ["Tables", "Metrics", "Freshness", "Checks", "Changes", "Query"])
def test_every_section_renders(run_page: Run, section: str) -> None:
    app = run_page("data.py", section=section)
    assert not app.exception
    assert not app.error
    assert app.title[0].value == "What is in here, and is it sound?"


def test_the_catalogue_lists_every_table_with_its_rows(run_page: Run) -> None:
    catalogue = run_page("data.py").dataframe[0].value.set_index("Name")
    assert catalogue.loc["forecast", "Rows"] == 292
    assert "forecast_arithmetic" in catalogue.index


def test_a_broken_warning_shows_the_rows_that_break_it(run_page: Run) -> None:
    app = run_page("data.py", section="Checks")
    titles = [expander.label for expander in app.expander]
    assert any("at its stated rate" in title and "(14 rows)" in title for title in titles)


def test_the_console_answers_the_query_of_the_address(run_page: Run) -> None:
    app = run_page("data.py", section="Query", q="SELECT count(*) AS forecasts FROM forecast")
    assert app.dataframe[0].value.to_dict("records") == [{"forecasts": 292}]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("DROP TABLE forecast", "one SELECT"),
        ("SELECT * FROM read_csv('/etc/hosts')", "disabled by configuration"),
        ("SELECT nonsense FROM forecast", "nonsense"),
    ],
)
def test_the_console_refuses_in_a_sentence(run_page: Run, query: str, said: str) -> None:
    app = run_page("data.py", section="Query", q=query)
    assert not app.exception
    assert said in app.error[0].value


def test_with_one_build_there_is_nothing_to_compare(run_page: Run) -> None:
    assert "only one build" in texts(run_page("data.py", section="Changes"))
