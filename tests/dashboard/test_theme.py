"""The look: number formats that lose nothing, labels that keep apart, one colour for one publisher."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import theme
from dashboard.charts.marks import money_ticks, wrapped
from dashboard.charts.rows import translucent

printed_amounts = st.decimals("0.001", "99999", places=3).map(float)
labels = st.lists(
    st.tuples(st.floats(-1e3, 1e3, allow_nan=False), st.floats(0.1, 50, allow_nan=False)),
    min_size=1,
    max_size=15,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (37.89, "$37.89 bn"),
        (1000, "$1 tn"),
        (1260.15, "$1,260.15 bn"),
        (1300, "$1.3 tn"),
        (0.294, "$294 M"),
        (0.0125, "$12.5 M"),
        (0, "$0 bn"),
        (999, "$999 bn"),
    ],
)
def test_an_amount_reads_as_people_write_it(value: float, text: str) -> None:
    assert theme.usd_bn(value) == text


@given(printed_amounts)
def test_an_amount_loses_no_digit(value: float) -> None:
    number, unit = theme.usd_bn(value).removeprefix("$").replace(",", "").split(" ")
    factor = {"M": Decimal("0.001"), "bn": Decimal(1), "tn": Decimal(1000)}[unit]
    assert float(Decimal(number) * factor) == value


@given(st.decimals("-99999", "99999", places=4).map(float))
def test_an_exact_figure_is_exact(value: float) -> None:
    assert float(theme.exact(value).replace(",", "")) == value


@pytest.mark.parametrize(
    ("value", "text"), [(67.06, "67.1%"), (50.0, "50%"), (1234.5, "1,234.5%"), (-3.04, "-3%")]
)
def test_a_computed_percentage_has_one_decimal_at_most(value: float, text: str) -> None:
    assert theme.percent(value) == text


@given(labels)
def test_labels_keep_apart_and_in_order(wanted: list[tuple[float, float]]) -> None:
    positions, sizes = [at for at, _ in wanted], [size for _, size in wanted]
    placed = theme.spread_out(positions, sizes)
    order = sorted(range(len(wanted)), key=lambda i: positions[i])
    for below, above in pairwise(order):
        assert placed[above] - placed[below] >= (sizes[below] + sizes[above]) / 2 - 1e-6


@given(labels)
def test_labels_move_as_a_group_around_what_they_label(wanted: list[tuple[float, float]]) -> None:
    """Pushing labels apart must not push all of them away: their mean stays where it was."""
    positions, sizes = [at for at, _ in wanted], [size for _, size in wanted]
    moved = [
        after - before for before, after in zip(positions, theme.spread_out(positions, sizes), strict=True)
    ]
    assert math.fsum(moved) == pytest.approx(0, abs=1e-6)


@given(st.lists(st.integers(-20, 20), unique=True, min_size=1, max_size=10))
def test_labels_with_room_stay_where_they_are(positions: list[int]) -> None:
    assert theme.spread_out(positions, [1.0] * len(positions)) == pytest.approx(positions)


@pytest.mark.parametrize("count", range(1, 12))
def test_a_ramp_has_a_colour_for_each_edition(count: int) -> None:
    assert len(theme.ramp(count)) == count
    assert set(theme.ramp(count)) <= {theme.BLUE, *theme.SEQUENTIAL}


def test_a_publisher_keeps_its_colour() -> None:
    assert theme.hue(1) == theme.PALETTE[0]
    assert theme.hue(1 + len(theme.PALETTE)) == theme.hue(1)


@given(
    st.tuples(printed_amounts, printed_amounts).map(sorted),
    st.booleans(),
    st.integers(3, 8),
)
def test_an_axis_of_money_has_few_round_ticks(span: list[float], is_log: bool, most: int) -> None:
    low, high = span
    axis = money_ticks(low, high, is_log=is_log, most=most)
    inside = [tick for tick in axis["tickvals"] if low <= tick <= high]
    assert len(inside) <= most + 1
    assert axis["tickvals"] == sorted(axis["tickvals"])
    assert axis["tickvals"][0] <= low
    assert axis["tickvals"][-1] >= high
    assert all(text == "0" or text.startswith("$") for text in axis["ticktext"])
    assert len(set(axis["ticktext"])) == len(axis["ticktext"])


@given(st.text(st.characters(categories=["L", "Zs"]), max_size=60))
def test_a_wrapped_name_has_all_its_words(name: str) -> None:
    assert wrapped(name).replace("<br>", " ").split() == name.split()


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG defines it."""

    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("mode", "ground"), [("light", "#ffffff"), ("dark", "#11161c")])
def test_text_and_colours_stand_out_on_their_ground(mode: theme.Mode, ground: str) -> None:
    layout = theme.TEMPLATES[mode].layout
    assert contrast(layout.font.color, ground) > 7
    assert contrast(layout.xaxis.tickfont.color, ground) > 4.5
    for color in (*theme.PALETTE, *theme.SEQUENTIAL):
        assert contrast(color, ground) > 2


def test_what_is_hollow_keeps_the_colour_of_its_border_on_a_dark_page() -> None:
    for color in (*theme.MAP_RAMP, *theme.PALETTE):
        bar = go.Bar(x=[1], y=[1], marker={"color": [translucent(color)], "line": {"color": [color]}})
        (drawn,) = theme.for_dark(go.Figure(bar)).data
        (fill,), (border,) = drawn.marker.color, drawn.marker.line.color
        assert fill == f"{border}4d"
