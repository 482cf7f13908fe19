"""The catalogue of tools: what narrows it, and which tools are left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pandas as pd

from dashboard.chart import Control, Filters

NOT_STATED = "not stated"


class ToolFilters(Filters):
    """What narrows the catalogue, and the tool whose card is open."""

    tools: Annotated[
        str, Control("Search", all_label="Name, maker or purpose", is_primary=True, width=220)
    ] = ""
    tool_category: Annotated[
        list[str],
        Control(
            "Category",
            "SELECT DISTINCT category, upper(category[1]) || category[2:] FROM tool_card "
            "ORDER BY lower(category)",
            is_primary=True,
            all_label="All categories",
            width=240,
        ),
    ] = []  # noqa: RUF012 - Pydantic copies defaults
    skill: Annotated[
        str,
        Control(
            "Skill",
            "SELECT '' AS value, 'Any skill' AS label UNION ALL "
            "(SELECT skill_id, skill FROM skill_path WHERE tools IS NOT NULL ORDER BY category_order, skill)",
            help="Tools that go with a skill of the road map.",
            is_primary=True,
            width=240,
        ),
    ] = ""
    openness: Annotated[
        list[str],
        Control(
            "Openness",
            "SELECT DISTINCT openness, upper(openness[1]) || openness[2:] FROM tool_card ORDER BY 1",
            all_label="Open or not",
            help="Mixed: partly open, partly a paid service.",
        ),
    ] = []  # noqa: RUF012 - Pydantic copies defaults
    terms: Annotated[
        list[str],
        Control(
            "Licence",
            f"SELECT DISTINCT coalesce(licence, '{NOT_STATED}') AS licence FROM tool_card "  # noqa: S608 - a constant
            "ORDER BY lower(licence)",
            all_label="Any licence",
            help="As the source words it.",
        ),
    ] = []  # noqa: RUF012 - Pydantic copies defaults
    released: Annotated[
        tuple[int, int] | None,
        Control(
            "First release",
            "SELECT min(first_release_year), max(first_release_year) FROM tool_card",
            help="Tools whose first year is not known stay out once you narrow it.",
        ),
    ] = None
    tool: Annotated[
        str,
        Control(
            "Show the card of",
            "SELECT '' AS value, 'No tool chosen' AS label UNION ALL "
            "(SELECT tool_id, name FROM tool_card ORDER BY lower(name))",
            is_primary=True,
            width=420,
        ),
    ] = ""


NARROWING = ("tools", "tool_category", "skill", "openness", "terms", "released")


def matching(tools: pd.DataFrame, asked: Mapping[str, Any]) -> pd.DataFrame:
    """The tools that meet every choice; all words of the search must occur, in any order."""
    keep = pd.Series(True, index=tools.index)
    text = tools[["name", "vendor", "category", "purpose"]].fillna("").agg(" ".join, axis=1).str.lower()
    for word in str(asked["tools"]).lower().split():
        keep &= text.str.contains(word, regex=False)
    if asked["tool_category"]:
        keep &= tools["category"].isin(asked["tool_category"])
    if asked["skill"]:
        keep &= tools["skills"].map(lambda skills: asked["skill"] in skills)
    if asked["openness"]:
        keep &= tools["openness"].isin(asked["openness"])
    if asked["terms"]:
        keep &= tools["licence"].fillna(NOT_STATED).isin(asked["terms"])
    if asked["released"]:
        keep &= tools["first_release_year"].between(*asked["released"]).fillna(False)
    return tools[keep.astype(bool)]
