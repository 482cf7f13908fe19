"""What every page is made of: head of the page, filter bar, chart card with its sources and actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st
from pydantic.fields import FieldInfo
from streamlit.delta_generator import DeltaGenerator

from dashboard import address, theme
from dashboard.ages import Age, ages
from dashboard.chart import REGISTRY, Chart, Control, Filters, is_range
from dashboard.charts.marks import counted, records, spoken
from dashboard.earlier import build_to_show
from dashboard.export.selection import file_stem, publishers
from dashboard.pages import PAGES
from dashboard.share import cite_menu, share_menu
from dashboard.warehouse import View, ask, live_sources, reading, view, warehouse

MAX_SOURCES_IN_LINE = 3
MAX_SOURCES_LISTED = 60
MOST_SEGMENTS_OF_A_CONTROL = 4


def page_head(question: str, answer: str) -> None:
    """The page's question, one computed sentence that answers it, and how old the build is."""
    st.title(question, anchor=False)
    st.markdown(plain(answer))
    build = warehouse()
    st.caption(
        f"Built {build.built_at:%d %B %Y, %H:%M} UTC from the published claims listed under Sources.".replace(
            "Built 0", "Built "
        )
    )
    if build.notice:
        st.warning(f"This is not the latest build: {plain(build.notice)}", icon=":material/history:")


def color_mode() -> theme.Mode:
    """Whether the reader's page is light or dark."""
    return "dark" if st.context.theme.type == "dark" else "light"


def more(label: str) -> bool:
    """The switch for the charts that a page keeps back; links to one of them turn it on."""
    return st.toggle(label, key=address.MORE, bind="query-params")


def read_on(**labels: str) -> None:
    """Links to the pages that go on from here, by path; the last thing on a page."""
    st.subheader("Read on", anchor=False)
    with st.container(horizontal=True):
        for page in PAGES:
            if page.path in labels:
                st.page_link(f"app_pages/{page.script}", label=labels[page.path], icon=page.icon)


# --- filters --------------------------------------------------------------------------------------


def filter_bar(model: type[Filters], key: str, only: Sequence[str] | None = None) -> dict[str, Any]:
    """Widgets for a filter model, bound to the address; returns their values by name.

    Args:
        model: the filter model.
        key: name of the bar, unique on the page.
        only: names to show; all by default.
    """
    chosen = [item for item in model.controls() if only is None or item[0] in only]
    ignored = _ignored(chosen)
    values: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"filters-{key}"):
        for name, field, control in chosen:
            if control.is_primary:
                values[name] = _widget(name, field, control)
        rest = [item for item in chosen if not item[2].is_primary]
        if rest:
            with st.popover("More filters", icon=":material/tune:"):
                for name, field, control in rest:
                    values[name] = _widget(name, field, control)
        if any(values[name] != field.get_default() for name, field, _ in chosen):
            st.button(
                "Reset",
                icon=":material/restart_alt:",
                type="tertiary",
                key=f"reset-{key}",
                on_click=_reset,
                args=({name: _untouched(field, control) for name, field, control in chosen},),
            )
    if ignored:
        st.info(
            f"The address asks for what does not exist here, and that is ignored: {ignored}.",
            icon=":material/link_off:",
        )
    return values


def _ignored(chosen: Sequence[tuple[str, FieldInfo, Control]]) -> str:
    """What the address asks for and the filters do not know, in words."""
    asked = []
    for name, field, control in chosen:
        if unknown := address.refused(st.query_params.get_all(name), field, control):
            asked.append(f"“{plain(', '.join(unknown)[:60])}” under “{control.label}”")
    return "; ".join(asked)


def _widget(name: str, field: FieldInfo, control: Control) -> Any:
    """The widget that fits a filter's type, with its value as the model wants it."""
    common: dict[str, Any] = {"key": name, "bind": "query-params", "help": control.help}
    kind, default = field.annotation, field.get_default()
    if kind is bool:
        return st.toggle(control.label, default, **common)
    if is_range(field):
        whole = address.extent(control)
        chosen = st.slider(control.label, *whole, whole, **common)
        return None if chosen == whole else (min(chosen), max(chosen))
    if kind in (int, float):
        least, most = (kind(limit) for limit in address.limits(field))
        if control.is_slider:
            return st.slider(control.label, least, most, default, step=kind(1), width=control.width, **common)
        return st.number_input(control.label, least, most, default, step=kind(1), width=170, **common)
    options = address.choices(field, control)
    if not options:
        common["placeholder"] = control.all_label
        return st.text_input(control.label, default, live=True, width=control.width, **common)
    return _choice(
        control, options, default, common | {"format_func": lambda key: options.get(key, str(key))}
    )


def _choice(control: Control, options: dict[str, str], default: Any, common: dict[str, Any]) -> Any:
    """One of few as buttons, one of many or several as a list."""
    keys = list(options)
    if isinstance(default, list):
        common |= {"placeholder": control.all_label, "width": control.width}
        return st.multiselect(control.label, keys, default, **common)
    if control.options_sql is None and len(keys) <= MOST_SEGMENTS_OF_A_CONTROL:
        return st.segmented_control(control.label, keys, default=default, required=True, **common)
    index = keys.index(default) if default in options else 0
    return st.selectbox(control.label, keys, index, width=control.width, **common)


def _untouched(field: FieldInfo, control: Control) -> Any:
    """What a filter's widget shows when nobody has touched it."""
    return address.extent(control) if is_range(field) else field.get_default()


def _reset(values: dict[str, Any]) -> None:
    st.session_state.update(values)


# --- chart cards ----------------------------------------------------------------------------------


def chart_card(
    chart_id: str,
    shared: dict[str, Any] | None = None,
    own: Sequence[str] = (),
    on_click: Callable[[list[str]], None] | None = None,
) -> None:
    """A chart with takeaway, sources, table twin, downloads, definition and link.

    Args:
        chart_id: which chart.
        shared: values of the page's filters; those that the chart does not have are left out.
        own: filters that the card itself shows; moving them redraws this card alone.
        on_click: what a click on a mark does, given its customdata (claim, text, what the chart adds): it
            moves a visible filter, then the whole page runs again.
    """
    _card(chart_id, dict(shared or {}), tuple(own), on_click=on_click)


def chart_pair(left: str, right: str, shared: dict[str, Any] | None = None) -> None:
    """Two cards of equal height side by side, one above the other on narrow screens."""
    grid = st.grid(2, min_column_width=400, border=True)
    for chart_id in (left, right):
        with grid.cell():
            _card(chart_id, dict(shared or {}), has_border=False)


@st.fragment
def _card(
    chart_id: str,
    shared: dict[str, Any],
    own: tuple[str, ...] = (),
    has_border: bool = True,
    on_click: Callable[[list[str]], None] | None = None,
) -> None:
    chart = REGISTRY[chart_id]
    if st.session_state.pop(_clicked_flag(chart_id), False):
        st.rerun()  # the whole page: a filter outside of this card has moved
    with st.container(border=has_border, key=f"card-{chart_id}"):
        st.subheader(chart.title, anchor=chart_id)
        if (
            chart.needs_refresh
            and view(chart.id, chart.filters().model_dump_json(), color_mode()).frame.empty
        ):
            st.caption("No figure yet: they come with a refresh of the live sources.")
            return
        takeaway = st.empty()
        values = {name: value for name, value in shared.items() if name in chart.filters.model_fields}
        if own:
            values |= filter_bar(chart.filters, chart_id, own)
        filters = chart.filters.model_validate(values)
        opened = build_to_show(chart, filters, color_mode())
        with reading(opened):
            _drawn(chart, filters, takeaway, on_click)


def _drawn(
    chart: Chart[Any],
    filters: Filters,
    takeaway: DeltaGenerator,
    on_click: Callable[[list[str]], None] | None,
) -> None:
    """The chart or its table, its sources and what can be done with it, all of the build that is read."""
    shown = view(chart.id, filters.model_dump_json(), color_mode())
    if shown.frame.empty:
        _empty_state(chart, filters)
        return
    takeaway.markdown(plain(shown.takeaway))
    if st.session_state.get(_table_flag(chart.id)):
        _table(chart, shown)
    else:
        st.plotly_chart(
            shown.figure,
            key=f"plot-{chart.id}",
            theme=None,
            alt=f"{chart.title}. {shown.takeaway}",
            config={
                "displaylogo": False,
                "toImageButtonOptions": {
                    "format": "png",
                    "filename": file_stem(chart, filters, warehouse().build_id),
                    "scale": 2,
                },
                "topojsonURL": "topojson/",
                "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
            },
            on_select=(lambda: _clicked(chart.id, on_click)) if on_click else "ignore",
            selection_mode="points",
        )
    st.caption(_source_line(shown.sources))
    _badge(shown.sources)
    _actions(chart, filters, shown)


def _actions(chart: Chart[Any], filters: Filters, shown: View) -> None:
    flag = _table_flag(chart.id)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"actions-{chart.id}"):
        with st.popover("Sources", icon=":material/menu_book:", type="tertiary"):
            source_list(shown.sources)
        is_table = bool(st.session_state.get(flag))
        label, icon = ("Chart", ":material/show_chart:") if is_table else ("Table", ":material/table:")
        st.button(label, icon=icon, type="tertiary", key=f"switch-{chart.id}", on_click=_flip, args=(flag,))
        build_id = warehouse().build_id
        # A fragment takes all the width that it is given.
        with st.container(width="content"):
            share_menu(chart.id, filters.model_dump_json(), build_id, color_mode())
        with st.container(width="content"):
            cite_menu(chart.id, filters.model_dump_json(), build_id)
        with st.popover("About", icon=":material/info:", type="tertiary"):
            st.markdown(f"**{chart.question}**")
            st.markdown(chart.reading)
            for label, definition in _definitions(shown.frame):
                st.markdown(f"**{plain(label)}**: {plain(definition)}")


def _clicked(chart_id: str, on_click: Callable[[list[str]], None]) -> None:
    """Hand on the data of the mark that was clicked, and note that the page has to run again."""
    points = st.session_state[f"plot-{chart_id}"].selection.points
    if points and points[0].get("customdata"):
        on_click(list(points[0]["customdata"]))
        st.session_state[_clicked_flag(chart_id)] = True


def _clicked_flag(chart_id: str) -> str:
    return f"clicked-{chart_id}"


def _table_flag(chart_id: str) -> str:
    return f"table-{chart_id}"


def _flip(flag: str) -> None:
    st.session_state[flag] = not st.session_state.get(flag, False)


def _table(chart: Chart[Any], shown: View) -> None:
    table = chart.table(shown.frame)
    years: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="%d")
        for name in chart.columns.values()
        if name.lower().endswith("year")
    }
    st.dataframe(
        table,
        hide_index=True,
        height=chart.height,
        placeholder="",
        column_config={**years, **address_columns()},
        alt=f"The rows of the chart {chart.title}",
        key=f"rows-{chart.id}",
    )


def address_columns() -> dict[str, Any]:
    """How a table shows addresses: a link that reads as the name of the host."""
    return {"Address": st.column_config.LinkColumn(display_text=r"https?://(?:www\.)?([^/]+)")}


def count_columns(*names: str) -> dict[str, Any]:
    """How a table shows counts: with their thousands apart."""
    return {name: st.column_config.NumberColumn(format="localized") for name in names}


def _empty_state(chart: Chart[Any], filters: Filters) -> None:
    """What was asked for in vain, and a button that asks for less."""
    changed = [item for item in chart.filters.controls() if item[0] in filters.changed()]
    if not changed:
        st.info("No source that was read gives such a figure.", icon=":material/search_off:")
        return
    labels = " or ".join(f"“{control.label}”" for _, _, control in changed)
    st.info(f"No published figure matches this choice. Relax {labels}.", icon=":material/search_off:")
    st.button(
        "Reset these filters",
        key=f"relax-{chart.id}",
        on_click=_reset,
        args=({name: _untouched(field, control) for name, field, control in changed},),
    )


def _source_line(sources: pd.DataFrame) -> str:
    """The publishers that most rows come from, with the years of their publications."""
    named = publishers(sources)
    more = len(named) - MAX_SOURCES_IN_LINE
    shown = ", ".join(plain(name) for name in named[:MAX_SOURCES_IN_LINE])
    return f"Source: {shown}" + (f" and {more} more" if more > 0 else "")


def ages_now(sources: pd.DataFrame) -> dict[str, Age]:
    """The age of the figures of each source that has a rhythm; the clock of the figures is here.

    Sources of descriptions, which have no figures, come without one.
    """
    if "live_source_id" not in sources or not sources["live_source_id"].notna().any():
        return {}
    now = datetime.now(UTC)
    return ages(sources, live_sources(now), now)


def _badge(sources: pd.DataFrame) -> None:
    """Say since when the oldest figures that are overdue were not read; nothing where none are."""
    late = sorted((each for each in ages_now(sources).values() if each.is_late), key=lambda each: each.age)
    if late:
        whose = "Overdue" if len(sources) == 1 else f"{counted(len(late), 'source')} overdue"
        st.badge(f"{whose}: {late[-1].words}", icon=":material/schedule:", color="gray")


def source_list(sources: pd.DataFrame) -> None:
    """Who said it, when, where it was read, how, under which licence; each with its address."""
    lines, known = [], ages_now(sources)
    for row in records(sources.head(MAX_SOURCES_LISTED)):
        title = f", *{plain(row.title)}*" if pd.notna(row.title) else ""
        when = f" ({spoken(row.published)})" if pd.notna(row.published) else " (undated)"
        opened = "" if row.opened else ", cited there, page not opened"
        read = "; ".join(theme.ATTRIBUTIONS[each] for each in row.read.split(", "))
        age = known.get(row.source_id)
        lines.append(
            f"- **{plain(row.publisher)}**{title}{when}: [{plain(row.carrier)}]({row.url}){opened}. "
            f"{read[:1].upper()}{read[1:]}. {plain(row.licence)}."
            + (f" Overdue: {age.words}." if age and age.is_late else "")
        )
    if len(sources) > MAX_SOURCES_LISTED:
        lines.append(f"- … and {len(sources) - MAX_SOURCES_LISTED} more in the downloaded rows.")
    st.markdown("\n".join(lines))


def _definitions(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """What is measured in these rows, from the build: of markets or of metrics, with what they leave out."""
    if "market_id" in frame:
        known = ask("SELECT market_id AS id, label, definition, NULL AS excludes FROM market")
        used = set(frame["market_id"])
    else:
        known = ask("SELECT metric_id AS id, label, definition, excludes FROM metric")
        used = set(frame["metric_id"]) if "metric_id" in frame else set()
    return [
        (row.label, row.definition + (f" It does not measure: {row.excludes}" if row.excludes else ""))
        for row in records(known[known["id"].isin(used)].astype(object).where(known.notna(), None))
    ]


def plain(text: object) -> str:
    """Text that Markdown shows as it is: dollars are no formula, brackets no link, $114 bn is one word."""
    kept = re.sub(r"(?<=\d) (?=(?:bn|tn|M)\b)", "\N{NO-BREAK SPACE}", str(text))
    return re.sub(r"([\\$*_\[\]`~<])", r"\\\1", kept)
