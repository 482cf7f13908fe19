"""Data: what there is, how fresh, whether it passed its checks, what changed, and a reader's own queries."""

from __future__ import annotations

import json
from functools import partial
from io import BytesIO

import pandas as pd
import streamlit as st

from dashboard.charts.marks import capitalised
from dashboard.components import count_columns, page_head, plain, read_on
from dashboard.live_panel import builds_to_compare, built_at, held_notice, live_panel
from dashboard.warehouse import ask, changes, warehouse
from etl.errors import AtlasError
from etl.query import run_query

MAX_ROWS_SHOWN = 500
TABLE_WIDTH = 240  # pixels of a table's name; on a phone there is room for a figure beside it
CONSOLE_ROWS, CONSOLE_SECONDS = 1_000, 5.0
EXAMPLES = {
    "Claims by publisher": """SELECT publisher, count(*) AS claims
FROM source_card JOIN claim USING (source_id)
GROUP BY publisher ORDER BY claims DESC LIMIT 20""",
    "Forecasts that contradict themselves": """SELECT publisher, edition, cagr_pct, implied_cagr_pct
FROM forecast_arithmetic WHERE verdict = 'inconsistent'
ORDER BY abs(relative_error_pct) DESC""",
    "Latest figures of London": """SELECT metric_label, value, unit_label, period, publisher
FROM latest_figure WHERE place = 'London' ORDER BY metric_label""",
    "What tables there are": """SELECT name, kind, rows, description
FROM meta.table_info ORDER BY kind, name""",
}

CHANGE_HEADINGS = {
    "kind": "Change",
    "fields": "What differs",
    "subject": "What",
    "place": "Place or name",
    "period": "When",
    "old_value": "From",
    "new_value": "To",
    "relative": "By",
    "unit": "Unit",
    "source": "Source",
}
KINDS = ("withdrawn", "changed", "added")
DOWNLOADS = (("CSV", "csv", "text/csv"), ("Parquet", "parquet", "application/vnd.apache.parquet"))

tables = ask("SELECT name, kind, title, description, rows FROM meta.table_info ORDER BY kind DESC, title")
checks = ask("SELECT * FROM meta.check_result ORDER BY offending_rows DESC, name")
shipped = tables[tables["kind"] == "table"]
claims = ask("SELECT count(*) AS claims, count(DISTINCT source_id) AS sources FROM claim").iloc[0]
broken = int((checks["offending_rows"] > 0).sum())
page_head(
    "What is in here, and is it sound?",
    f"{claims.claims:,} claims from {claims.sources:,} publications in {len(shipped)} tables; {len(checks)} "
    f"rules hold them together, {broken} of them with warnings, listed under Checks.",
)


def show_tables() -> None:
    """The catalogue, and each table to look at and to take away."""
    st.dataframe(
        tables.drop(columns="kind").set_axis(["Name", "Title", "What a row is", "Rows"], axis=1),
        hide_index=True,
        height=320,
        column_config={**count_columns("Rows"), "What a row is": st.column_config.Column(width="large")},
        alt="All tables of the build with their rows",
    )
    name = st.selectbox("Look at a table", list(tables["name"]), key="table", bind="query-params", width=320)
    fields = ask(
        "SELECT name, title, description FROM meta.field_info WHERE table_name = $name ORDER BY position",
        name=name,
    )
    rows = ask(f'SELECT * FROM "{name}" LIMIT {MAX_ROWS_SHOWN}')  # noqa: S608 - the name is one of the catalogue
    with st.container(horizontal=True):
        for label, kind, mime in DOWNLOADS:
            st.download_button(
                label,
                partial(whole_table, name, kind),
                f"genai-atlas-{name}.{kind}",
                mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"download-{kind}",
            )
        with st.popover("What the columns mean", icon=":material/info:"):
            st.dataframe(fields.set_axis(["Column", "Heading", "Meaning"], axis=1), hide_index=True)
    terms = terms_of(name)
    if terms:
        st.caption(plain(f"Terms: {terms}"))
    st.dataframe(rows, hide_index=True, height=360, placeholder="", alt=f"The first rows of {name}")
    total = int(tables.set_index("name").loc[name, "rows"])
    if total > len(rows):
        st.caption(f"The first {len(rows)} of {total:,} rows; the downloads hold all.")


def whole_table(name: str, kind: str) -> bytes:
    """A whole table as CSV or Parquet."""
    frame = warehouse().query(f'SELECT * FROM "{name}"')  # noqa: S608 - the name is one of the catalogue
    if kind == "csv":
        return frame.to_csv(index=False).encode()
    buffer = BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def terms_of(name: str) -> str:
    """The terms that the rows of a table are under, and what to print with them."""
    columns = set(ask("SELECT name FROM meta.field_info WHERE table_name = $name", name=name)["name"])
    if "source_id" not in columns:
        return ""
    used = ask(
        "SELECT licence, terms_class, count(*) AS rows FROM source_card "  # noqa: S608 - the name is one of the catalogue
        f'JOIN "{name}" AS t USING (source_id) GROUP BY ALL ORDER BY rows DESC'
    )
    return "; ".join(f"{row.licence} ({row.rows:,} rows)" for row in used.itertuples())


def show_metrics() -> None:
    """Every metric: what it means, what it does not, how much there is of it."""
    metrics = ask(
        "SELECT metric.label, metric.topic, unit.label AS unit, metric.definition, metric.excludes, "
        "metric.comparable, count(figure.claim_id) AS claims, min(figure.year) AS first, max(figure.year) AS "
        "last FROM metric JOIN unit USING (unit_id) LEFT JOIN observation_figure AS figure USING (metric_id) "
        "GROUP BY ALL ORDER BY metric.topic, metric.label"
    )
    word = st.text_input(
        "Search", key="metric", bind="query-params", placeholder="Metric or definition", width=320, live=True
    )
    if word:
        text = metrics[["label", "definition", "topic"]].agg(" ".join, axis=1).str.lower()
        metrics = metrics[text.str.contains(word.lower(), regex=False)]
    headings = (
        "Metric",
        "Topic",
        "Unit",
        "Definition",
        "What it does not measure",
        "Comparable",
        "Claims",
        "From",
        "To",
    )
    years = {name: st.column_config.NumberColumn(format="%d") for name in ("From", "To")}
    st.dataframe(
        metrics.set_axis(headings, axis=1),
        hide_index=True,
        height=560,
        placeholder="",
        column_config={**count_columns("Claims"), **years},
        alt="All metrics",
    )


def show_freshness() -> None:
    """The live sources, and how new each table's figures are."""
    held_notice()
    st.subheader("Live sources", anchor=False)
    live_panel()
    st.subheader("Tables", anchor=False)
    fresh = ask(
        "SELECT info.title, count(*) AS claims, max(claim.period) AS newest_period, "
        "max(source_card.published) AS newest_source, count(DISTINCT claim.source_id) AS sources FROM claim "
        "JOIN source_card USING (source_id) JOIN meta.table_info AS info ON info.name = claim.dataset GROUP "
        "BY info.title ORDER BY newest_source DESC"
    )
    st.dataframe(
        fresh.set_axis(["Table", "Claims", "Newest period", "Newest publication", "Publications"], axis=1),
        hide_index=True,
        column_config={
            **count_columns("Claims", "Publications"),
            "Table": st.column_config.Column(width=TABLE_WIDTH),
        },
        alt="How new the figures of each table are",
    )


def show_checks() -> None:
    """Every rule with its result, and the rows that break it."""
    table = checks.assign(result=checks["offending_rows"].map(lambda n: "holds" if n == 0 else f"{n:,} rows"))
    st.dataframe(
        table[["description", "severity", "result"]].set_axis(
            ["What must hold", "If it does not", "Result"], axis=1
        ),
        hide_index=True,
        height=420,
        column_config={"What must hold": st.column_config.Column(width="large")},
        alt="All rules with their results",
    )
    for rule in checks[checks["offending_rows"] > 0].itertuples():
        with st.expander(f"{rule.description} ({rule.offending_rows:,} rows)"):
            found = ask(
                "SELECT found FROM meta.check_row WHERE name = $name ORDER BY position", name=rule.name
            )
            st.dataframe(pd.json_normalize([json.loads(row) for row in found["found"]]), hide_index=True)


def show_changes() -> None:
    """What differs between two builds: by source and metric, then claim by claim."""
    held_notice()
    builds = {build.build_id: build for build in builds_to_compare()}
    if len(builds) < 2:
        st.info(
            "There is only one build so far; changes appear after the next one.", icon=":material/difference:"
        )
        return
    ids = list(builds)
    served = ids.index(warehouse().build_id) if warehouse().build_id in builds else 0

    def when(build_id: str) -> str:
        return built_at(builds[build_id])

    with st.container(horizontal=True):
        new = st.selectbox("New", ids, served, format_func=when, key="new", bind="query-params", width=280)
        before = min(served + 1, len(ids) - 1)
        old = st.selectbox("Old", ids, before, format_func=when, key="old", bind="query-params", width=280)
    difference = changes(builds[str(old)], builds[str(new)])
    st.markdown(
        ", ".join(f"**{count:,}** {kind}" for kind, count in difference.counts().items()) + " claims."
    )
    if not difference.changes:
        return
    groups = [(*group, *counts.values()) for group, counts in difference.by_source().items()]
    st.dataframe(
        pd.DataFrame(groups, columns=["Source", "Metric", "Added", "Withdrawn", "Changed"]),
        hide_index=True,
        column_config=count_columns("Added", "Withdrawn", "Changed"),
        alt="How many claims differ, by source and metric",
    )
    # What was said before and is no more, or is said otherwise, comes before what is new.
    ordered = sorted(
        difference.changes, key=lambda change: (KINDS.index(change.kind), "value" not in change.fields)
    )
    rows = pd.DataFrame([change.as_dict() for change in ordered[:MAX_ROWS_SHOWN]])
    rows["kind"] = rows["kind"].map(capitalised)
    rows["fields"] = rows["fields"].map(", ".join)
    # Nothing to tell where the value stayed and something else changed.
    rows["relative"] = rows["relative"].where(rows["relative"] != 0).astype("Float64") * 100
    st.dataframe(
        rows[list(CHANGE_HEADINGS)].rename(columns=CHANGE_HEADINGS),
        hide_index=True,
        placeholder="",
        column_config={
            **count_columns("From", "To"),
            "By": st.column_config.NumberColumn(format="%+.1f%%"),
        },
        alt="The claims that differ",
    )
    if len(difference.changes) > MAX_ROWS_SHOWN:
        st.caption(
            f"The first {MAX_ROWS_SHOWN} of {len(difference.changes):,}; `genai-atlas diff` lists all."
        )


def take_example() -> None:
    """Put the chosen example into the query."""
    if chosen := st.session_state.get("example"):
        st.session_state["q"] = EXAMPLES[chosen]


def show_console() -> None:
    """A reader's own SELECT over the build."""
    st.caption(
        f"One SELECT over the current build, in DuckDB's SQL; read-only, {CONSOLE_ROWS:,} rows and "
        f"{CONSOLE_SECONDS:.0f} seconds at most."
    )
    st.pills("Examples", list(EXAMPLES), key="example", on_change=take_example)
    statement = st.text_area("Query", next(iter(EXAMPLES.values())), key="q", bind="query-params", height=130)
    try:
        answer = run_query(warehouse().build.path, statement, max_rows=CONSOLE_ROWS, seconds=CONSOLE_SECONDS)
    except AtlasError as error:
        st.error(plain(error), icon=":material/error:")
        return
    frame = pd.DataFrame(answer.rows, columns=list(answer.columns))
    st.caption(
        f"{len(frame):,} rows" + (f"; there are more than {CONSOLE_ROWS:,}." if answer.is_cut else ".")
    )
    st.dataframe(frame, hide_index=True, alt="The answer")
    st.download_button(
        "CSV",
        lambda: frame.to_csv(index=False).encode(),
        "genai-atlas-query.csv",
        "text/csv",
        on_click="ignore",
    )


SECTIONS = {
    "Tables": show_tables,
    "Metrics": show_metrics,
    "Freshness": show_freshness,
    "Checks": show_checks,
    "Changes": show_changes,
    "Query": show_console,
}
for tab, section in zip(
    st.tabs(list(SECTIONS), key="section", bind="query-params"), SECTIONS.values(), strict=True
):
    if tab.open:
        with tab:
            section()

read_on(sources="Sources: every publication behind the tables")
