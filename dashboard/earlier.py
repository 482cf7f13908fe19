"""A permanent link opened later: the chart as it was, or as it is now with what changed in its very rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import address, theme
from dashboard.changes import RowChange, changes_of, counts
from dashboard.chart import Chart, Filters
from dashboard.warehouse import EarlierBuildError, Warehouse, current, kept, reading, view
from etl.errors import AtlasError
from etl.warehouse import built_at

NOW, BEFORE = "As it is now", "As it was"
NAMED = 60  # characters of a name that no build has
MOST_WITHOUT_SCROLLING, MOST_SHOWN = 8, 1000  # rows


def build_to_show(chart: Chart[Any], filters: Filters, mode: theme.Mode) -> Warehouse:
    """The build that a card draws from, after the choice where a link to this chart names an earlier one."""
    served, asked = current(), st.query_params.get(address.BUILD)
    if not asked or st.query_params.get(address.CHART) != chart.id:
        return served
    if asked in (served.build_id, served.build.content_hash):
        return served
    with st.container(border=True, key=f"earlier-{chart.id}"):
        try:
            earlier = kept(asked)
            changes = changes_of(chart, filters, earlier, served)
            with reading(earlier):
                view(chart.id, filters.model_dump_json(), mode)  # told here if it cannot be drawn
        except AtlasError as error:
            st.markdown(f"{_gone(asked, error)} The chart is as of {_when(served.built_at)}.")
            _forget()
            return served
        st.markdown(
            f"This link was made with the build of {_when(earlier.built_at)}; the page is as of "
            f"{_when(served.built_at)}. {_said(changes)}"
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            chosen = st.segmented_control(
                "This chart",
                [NOW, BEFORE],
                default=NOW,
                required=True,
                key=address.AS_OF,
                bind="query-params",
                label_visibility="collapsed",
            )
            _forget()
        if chosen == BEFORE:
            return earlier
        if changes:
            _table(chart, changes)
    return served


def _gone(asked: str, error: AtlasError) -> str:
    when = built_at(asked)
    if when is None:
        return f"The address names a build that does not exist, `{asked[:NAMED].replace('`', '')}`."
    if isinstance(error, EarlierBuildError):
        return (
            f"This link was made with the build of {_when(when)}, that of another version of the program; "
            "this one cannot draw it."
        )
    return f"This link was made with the build of {_when(when)}, which is no longer kept."


def _said(changes: list[RowChange]) -> str:
    """What changed since, in a sentence."""
    if not changes:
        return "Nothing has changed in the rows of this chart since."
    parts = [f"{count:,} {kind}" for kind, count in counts(changes).items() if count]
    return f"In the rows of this chart since: {', '.join(parts)}."


def _forget() -> None:
    st.button(
        "Close",
        type="tertiary",
        icon=":material/close:",
        key="forget-earlier",
        help="Takes the earlier build out of the address.",
        on_click=_drop,
    )


def _drop() -> None:
    st.query_params.pop(address.BUILD, None)


def _table(chart: Chart[Any], changes: list[RowChange]) -> None:
    """The rows that are not as they were, what happened to each first."""
    shown = [change.new or change.old or {} for change in changes]
    told = [_told(chart, change) for change in changes]
    table = chart.table(pd.DataFrame(shown)[list(chart.columns)])
    table.insert(0, "What changed", told)
    st.dataframe(
        table.head(MOST_SHOWN),
        hide_index=True,
        height="content" if len(table) <= MOST_WITHOUT_SCROLLING else 320,
        placeholder="",
        alt=f"What changed in the rows of the chart {chart.title}",
        key=f"changes-{chart.id}",
    )


def _told(chart: Chart[Any], change: RowChange) -> str:
    if change.old is None or change.new is None:
        return change.kind
    parts = [
        f"{chart.columns[name]}: {_word(name, change.old[name])} → {_word(name, change.new[name])}"
        for name in change.columns
        if name in chart.columns
    ]
    return "; ".join(parts) or "read at another source"


def _word(name: str, value: Any) -> str:
    if value is None:
        return "not stated"
    if name == "attribution":
        return theme.ATTRIBUTIONS[value]
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


def _when(moment: datetime) -> str:
    return f"{moment:%d %B %Y, %H:%M} UTC".removeprefix("0")
