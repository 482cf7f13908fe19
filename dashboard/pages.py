"""All pages, declared once: navigation, addresses, filters and previews of links come from this list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic.fields import FieldInfo

import dashboard.charts  # noqa: F401  # registers the charts
from dashboard import theme
from dashboard.catalogue import ToolFilters
from dashboard.chart import REGISTRY, Control, Filters
from dashboard.charts.companies import ListFilters


class SourceFilters(Filters):
    """What narrows the list of sources, and the source whose claims are shown."""

    find: Annotated[str, Control("Search", all_label="Publisher, title or site", is_primary=True)] = ""
    topic: Annotated[
        str,
        Control(
            "Topic",
            "SELECT '' AS value, 'All topics' AS label UNION ALL "
            "(SELECT DISTINCT topic, upper(topic[1]) || topic[2:] FROM claim ORDER BY topic)",
            is_primary=True,
        ),
    ] = ""
    read: Annotated[
        Literal["", "primary", "relayed", "inferred", "misquoted", "unnamed"],
        Control("How it was read", labels={"": "Any way", **theme.ATTRIBUTIONS}, is_primary=True),
    ] = ""
    source: Annotated[
        str,
        Control(
            "Show the claims of",
            """
            SELECT '' AS value, 'No source chosen' AS label
            UNION ALL
            (SELECT source_id, label || CASE WHEN copies > 1 THEN ' no. ' || copy ELSE '' END FROM (
                SELECT source_id, publisher, label,
                    count(*) OVER same AS copies,
                    row_number() OVER (same ORDER BY source_id) AS copy
                FROM (
                    SELECT source_id, publisher, publisher || coalesce(': ' || title, '') || ' ('
                        || coalesce(published || ', ', '') || carrier || ')' AS label
                    FROM source_card
                )
                WINDOW same AS (PARTITION BY label)
            ) ORDER BY publisher, label, copy)
            """,
            is_primary=True,
            width=640,
        ),
    ] = ""


@dataclass(frozen=True)
class Page:
    """One page: its script in app_pages, its place in the navigation, and what a link preview says."""

    path: str
    title: str
    group: str
    icon: str
    about: str
    filters: tuple[type[Filters], ...] = ()

    @property
    def script(self) -> str:
        """File name in app_pages."""
        return f"{self.path}.py"

    def controls(self) -> Iterator[tuple[str, FieldInfo, Control]]:
        """Every filter that the page or one of its charts has; one name stands for one choice."""
        for model in (
            *self.filters,
            *(chart.filters for chart in REGISTRY.values() if chart.topic == self.path),
        ):
            yield from model.controls()


PAGES = (
    Page(
        "overview",
        "Overview",
        "Explore",
        ":material/public:",
        "How big is generative AI, and who says so? Headline figures beside what other sources say.",
    ),
    Page(
        "market",
        "Market",
        "Explore",
        ":material/trending_up:",
        "Every published forecast of the generative-AI market, and whether it adds up.",
    ),
    Page(
        "workforce",
        "Workforce",
        "Explore",
        ":material/groups:",
        "How many people are said to work in AI, where they are, who asks for them, who moves and who hires.",
    ),
    Page(
        "hubs",
        "Hubs",
        "Explore",
        ":material/location_city:",
        "Which city is a hub of AI: start-ups, talent, funding, pay and prices, ranked by your own weights.",
    ),
    Page(
        "frameworks",
        "Frameworks",
        "Explore",
        ":material/monitoring:",
        "Which framework is ahead by downloads, stars, surveys, job postings and papers.",
    ),
    Page(
        "salaries",
        "Salaries",
        "Explore",
        ":material/payments:",
        "What is paid by role, experience, country and year, with how many stand behind it.",
    ),
    Page(
        "careers",
        "Careers",
        "Decide",
        ":material/route:",
        "Roles side by side, a road map of skills, what postings ask for, what is said to be paid.",
    ),
    Page(
        "tools",
        "Tools",
        "Decide",
        ":material/construction:",
        "The tools of generative AI: what each is for, under which licence, for which skill, how popular.",
        (ToolFilters,),
    ),
    Page(
        "companies",
        "Companies",
        "Decide",
        ":material/domain:",
        "Who builds generative AI, where, what they raised and what they are said to be worth.",
        (ListFilters,),
    ),
    Page(
        "adoption",
        "Adoption",
        "Decide",
        ":material/query_stats:",
        "Who uses AI and since when, what developers make of it, and what studies measured.",
    ),
    Page(
        "sources",
        "Sources",
        "Check",
        ":material/format_quote:",
        "Every publication behind the figures: what it contributed, how it was read, under which terms.",
        (SourceFilters,),
    ),
    Page(
        "data",
        "Data",
        "Check",
        ":material/database:",
        "All tables and metrics, how fresh they are, the rules they keep, what changed, and a console for "
        "your own questions.",
    ),
)
