"""The frame around every page: name, navigation, and what is said when nothing can be served."""

from itertools import groupby
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from dashboard.address import in_words
from dashboard.components import color_mode
from dashboard.finder import index
from dashboard.pages import PAGES
from dashboard.warehouse import warehouse
from etl.errors import AtlasError, DataError

HERE = Path(__file__).parent

st.set_page_config(page_icon=str(HERE / "assets" / "icon.png"), layout="wide")

by_path: dict[str, st.Page] = {}
for listed in PAGES:
    script = HERE / "app_pages" / listed.script
    by_path[listed.path] = st.Page(
        script, title=listed.title, url_path=listed.path, icon=listed.icon, default=listed is PAGES[0]
    )


def take_found() -> None:
    """Remember what was chosen and empty the field for the next search."""
    st.session_state["found"] = st.session_state["search"]
    st.session_state["search"] = None


def show_search(shown: st.Page) -> None:
    """The search over everything, beside the pages; a choice leads to where it is shown."""
    hits = index()
    found = hits.get(st.session_state.pop("found", None) or "")
    if found and by_path[found.page] is shown:
        # The widgets are here already: they are moved, since their part of the address is theirs to write.
        st.session_state.update(found.state)
    elif found:
        target = next(listed for listed in PAGES if listed.path == found.page)
        asked = parse_qsl(in_words(target, urlencode(found.parameters)))
        st.switch_page(by_path[found.page], query_params=asked)
    st.sidebar.selectbox(
        "Find",
        list(hits),
        None,
        key="search",
        on_change=take_found,
        placeholder="Chart, place, company, tool …",
    )


def show_navigation() -> None:
    """The pages by group. Streamlit's own list has headings among its items: screen readers trip over it."""
    for group, members in groupby(PAGES, lambda listed: listed.group):
        st.sidebar.caption(f"**{group}**")
        with st.sidebar.container(gap="xxsmall"):
            for listed in members:
                st.page_link(by_path[listed.path])


def make_legible() -> None:
    """Dark words on the light chips of chosen values; Streamlit writes them white in either mode."""
    if color_mode() == "dark":
        st.html("<style>[data-tag] * { color: #11161c !important }</style>")


def show_demo() -> None:
    """Say on every page that figures in this build are nobody's, where a test server gave some of them."""
    if warehouse().is_demo:
        st.warning(
            "Some figures in this build come from a test server. Nobody published them, whatever source "
            "stands beside them; do not quote any.",
            title="Demonstration",
            icon=":material/science:",
        )


page = st.navigation(list(by_path.values()), position="hidden")
st.set_page_config(page_title=f"{page.title} · GenAI Atlas")
try:
    warehouse()
except AtlasError as error:
    st.error(f"There is nothing to show yet: {error}", icon=":material/error:")
    problems = error.problems if isinstance(error, DataError) else []
    if problems:
        with st.expander("What is wrong with the data"):
            st.markdown("\n".join(f"- {problem}" for problem in problems[:100]))
    st.stop()
show_search(page)
show_navigation()
make_legible()
show_demo()
page.run()
