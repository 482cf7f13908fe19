"""The frame around every page: name, navigation, and what is said when nothing can be served."""

from pathlib import Path

import streamlit as st

from dashboard.pages import PAGES
from dashboard.warehouse import warehouse
from etl.errors import AtlasError, DataError

HERE = Path(__file__).parent

st.set_page_config(page_title="GenAI Atlas", page_icon=str(HERE / "assets" / "icon.png"), layout="wide")

groups: dict[str, list[st.Page]] = {}
for listed in PAGES:
    script = HERE / "app_pages" / listed.script
    made = st.Page(
        script, title=listed.title, url_path=listed.path, icon=listed.icon, default=listed is PAGES[0]
    )
    groups.setdefault(listed.group, []).append(made)
page = st.navigation(groups)
try:
    warehouse()
except AtlasError as error:
    st.error(f"There is nothing to show yet: {error}", icon=":material/error:")
    problems = error.problems if isinstance(error, DataError) else []
    if problems:
        with st.expander("What is wrong with the data"):
            st.markdown("\n".join(f"- {problem}" for problem in problems[:100]))
    st.stop()
page.run()
