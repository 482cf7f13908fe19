"""The two menus of a chart card with which a reader takes something away: Share and Cite.

Each is a fragment that draws its content only while it is open: a closed menu costs nothing, and what is
chosen in it does not draw the chart anew.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from dashboard import address, export
from dashboard.chart import REGISTRY, Chart, Filters
from dashboard.export import Selection, quote
from dashboard.export.pictures import find_browser
from dashboard.theme import Mode
from dashboard.warehouse import Warehouse, current, kept, reading
from etl.errors import AtlasError

_SIZES = {"article": "Article", "slide": "Slide", "square": "Square", "story": "Story"}
_DATA = ("csv", "xlsx", "parquet", "json")
_WHOLE = "The chart as a whole"
_SCALE = 2  # a picture of a page is sharp on a dense screen and in print


@st.fragment
def share_menu(chart_id: str, filters_json: str, build_id: str, mode: Mode) -> None:
    """Downloads in all formats and the permanent address of the view, all of the build that is shown."""
    with _menu("Share", ":material/download:", f"share-{chart_id}") as menu:
        if not menu.open:
            return
        chart = REGISTRY[chart_id]
        filters = chart.filters.model_validate_json(filters_json)
        root, opened = _root(), _opened(build_id)
        stem = export.file_stem(chart, filters, opened.build_id)

        def button(form: str, label: str, size: str = "article") -> None:
            def made() -> bytes:
                with reading(opened):
                    selection = export.select(opened, chart, filters, root)
                    return export.render(selection, form, size=size, mode=mode, scale=_SCALE).content

            # The file is made when the button is pressed.
            st.download_button(
                label,
                made,
                f"{stem}.{form}",
                export.MEDIA_TYPES[form],
                on_click="ignore",
                key=f"{form}-{chart_id}",
            )

        _pictures(chart, button)
        st.markdown("**Data**, with sources, terms and how to cite")
        with st.container(horizontal=True, gap="xsmall"):
            for form in _DATA:
                button(form, "Parquet" if form == "parquet" else form.upper())
        st.markdown("**Page**, interactive, one file that works offline")
        button("html", "HTML")
        st.markdown("**Address** of this view, filters included")
        _to_copy(root + address.link(chart, filters, opened.build_id))
        st.markdown("**Frame** for a page of your own; it follows the current build")
        _to_copy(_frame(chart, filters, root))


def _to_copy(text: str) -> None:
    """A text to be copied; in one colour, since those that Streamlit has for code are too pale to be read."""
    st.code(text, language=None, wrap_lines=True)


def _frame(chart: Chart[Any], filters: Filters, root: str) -> str:
    """The lines of HTML that show the chart in a page elsewhere."""
    query = address.filters_query(filters)
    source = f"{root}embed/{chart.id}{'?' if query else ''}{query}"
    return (
        f'<iframe src="{escape(source)}" title="{escape(chart.title)}"\n'
        f'  style="width: 100%; height: {chart.height + 200}px; border: 0"></iframe>\n'
        f'<script src="{escape(root)}embed/_/frame.js" async></script>'
    )


def _pictures(chart: Chart[Any], button: Callable[..., None]) -> None:
    """The picture formats, or why there are none."""
    st.markdown("**Picture**, with title, sources and address in it")
    try:
        find_browser()
    except export.NoBrowserError:
        st.caption(
            "Pictures are drawn by a Chromium, Chrome or Edge on the server, and it has none. The camera on "
            "the chart saves a PNG, with its title and sources, without one."
        )
        return
    size = st.segmented_control(
        "Size",
        list(_SIZES),
        default="article",
        required=True,
        format_func=_SIZES.__getitem__,
        key=f"size-{chart.id}",
    )
    if chart.height > (export.SIZES[size].height or chart.height):
        st.caption("This chart is higher than such a picture, and so its labels come out small.")
    with st.container(horizontal=True, gap="xsmall"):
        for form in export.PICTURES:
            button(form, form.upper(), size)


@st.fragment
def cite_menu(chart_id: str, filters_json: str, build_id: str) -> None:
    """A sentence, references, SQL and Python for the chart or one of its figures."""
    with _menu("Cite", ":material/format_quote:", f"cite-{chart_id}") as menu:
        if not menu.open:
            return
        chart = REGISTRY[chart_id]
        opened = _opened(build_id)
        with reading(opened):
            filters = chart.filters.model_validate_json(filters_json)
            selection = export.select(opened, chart, filters, _root())
        figures = quote.figures(selection)
        claim_id = None
        if figures:
            claim_id = st.selectbox(
                "What to quote",
                list(figures),
                None,
                format_func=figures.__getitem__,
                placeholder=_WHOLE,
                key=f"quoted-{chart_id}",
            )
        _quotes(selection, claim_id)


def _quotes(selection: Selection, claim_id: str | None) -> None:
    """Each way to quote behind a tab of its own, to be copied."""
    ways = {
        "Sentence": quote.sentence(selection, claim_id),
        "Footnote": quote.footnote(selection, claim_id),
        "BibTeX": quote.bibtex(selection, claim_id),
        "CSL-JSON": quote.csl(selection, claim_id),
        "SQL": quote.sql(selection),
        "Python": quote.python(selection),
    }
    for tab, text in zip(st.tabs(list(ways)), ways.values(), strict=True):
        with tab:
            _to_copy(text)


def _opened(build_id: str) -> Warehouse:
    """The build that the card shows, or the current one where it is not kept any more."""
    try:
        return kept(build_id)
    except AtlasError:
        return current()


def _menu(label: str, icon: str, key: str) -> Any:
    """A menu that runs its content only while it is open."""
    return st.popover(label, icon=icon, type="tertiary", key=key, on_change="rerun")


def _root() -> str:
    """The address of the app, up to the name of the page."""
    parts = urlsplit(st.context.url or "")
    return address.root(urlunsplit((parts.scheme, parts.netloc, parts.path.rpartition("/")[0], "", "")))
