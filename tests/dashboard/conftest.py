"""What the dashboard's tests share: the open build, random choices, pages that run without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import address, warehouse
from dashboard.chart import REGISTRY, Chart, Filters, is_range
from dashboard.export import pictures
from etl.settings import Settings
from etl.warehouse import Home

MAIN = Path(dashboard.__file__).with_name("main.py")

every_chart = pytest.mark.parametrize("chart", REGISTRY.values(), ids=list(REGISTRY))


def examples(count: int) -> settings:
    """So many draws of a test that reads the open build: no example changes it, and to ask it takes time."""
    return settings(
        max_examples=count,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.fixture(autouse=True)
def _own_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test opens the build of its own home."""
    monkeypatch.setattr(warehouse, "_opened", None)


@pytest.fixture(scope="session", autouse=True)
def _no_browser_left() -> Iterator[None]:
    """The browser that draws pictures ends with the tests."""
    yield
    pictures.close()


@pytest.fixture(scope="session")
def shared_warehouse(built_home: Home) -> warehouse.Warehouse:
    """The shipped data's warehouse, opened once: to open one is to read all of it."""
    return warehouse.Warehouse(Settings(home=built_home.path))


@pytest.fixture
def opened(
    home: Home, shared_warehouse: warehouse.Warehouse, monkeypatch: pytest.MonkeyPatch
) -> warehouse.Warehouse:
    """The shipped data's warehouse as the one that the app has open."""
    monkeypatch.setattr(warehouse, "_opened", shared_warehouse)
    return shared_warehouse


@pytest.fixture
def run_page(opened: warehouse.Warehouse) -> Callable[..., AppTest]:
    """Run a page of the app, with these parameters in its address."""

    def run(script: str = "", **parameters: str | list[str]) -> AppTest:
        return app_page(script, **parameters)

    return run


def app_page(script: str = "", **parameters: str | list[str]) -> AppTest:
    """A page of the app as it stands after its first run."""
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    if script:
        app.switch_page(f"app_pages/{script}")
    return app.run()


def texts(app: AppTest) -> str:
    """All sentences of a page; what holds amount and unit together reads as a space."""
    parts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.warning, *app.error]
    return "\n".join(str(part.value) for part in parts).replace("\N{NO-BREAK SPACE}", " ")


def figures(app: AppTest) -> list[Any]:
    """The charts of a page as they are sent to the browser."""
    return [element.proto for element in app.get("plotly_chart")]


def values_of(model: type[Filters]) -> dict[str, list[Any]]:
    """For every filter the values that a reader can choose; of numbers and ranges, ends and middle."""
    found: dict[str, list[Any]] = {}
    for name, field, control in model.controls():
        if field.annotation is bool:
            found[name] = [False, True]
        elif is_range(field):
            least, most = address.extent(control)
            found[name] = [None, (least, least), (most, most), (least, (least + most) // 2)]
        elif field.annotation in (int, float):
            least_number, most_number = address.limits(field)
            middle = (least_number + most_number) / 2
            found[name] = [field.annotation(value) for value in (least_number, middle, most_number)]
        else:
            known = list(address.choices(field, control))
            parts = (field.annotation, *get_args(field.annotation))
            if any(get_origin(part) is list for part in parts):
                found[name] = [[], *([value] for value in known), known]
            else:
                found[name] = known or ["", "a", "no such thing"]
    return found


def extremes(chart: Chart[Any]) -> list[Filters]:
    """The defaults, and for each filter its first and its last value with all others at their defaults."""
    ends = [
        {name: value}
        for name, values in values_of(chart.filters).items()
        for value in (values[0], values[-1])
    ]
    # Most first values are the defaults.
    distinct = {repr(filters): filters for filters in (chart.filters(**choice) for choice in [{}, *ends])}
    return list(distinct.values())


def choices(chart: Chart[Any]) -> st.SearchStrategy[Filters]:
    """Any choice that a reader can make with the chart's filters."""
    values = values_of(chart.filters)
    picked = {name: st.sampled_from(options) for name, options in values.items() if options}
    return st.fixed_dictionaries({}, optional=picked).map(lambda chosen: chart.filters(**chosen))
