"""What a link shows where it is pasted: title, description, and of a link to a chart its picture."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qs

from dashboard import address
from dashboard.address import FilterError
from dashboard.chart import REGISTRY
from dashboard.export.pictures import NoBrowserError, find_browser
from dashboard.pages import Page
from dashboard.warehouse import UnknownBuildError, current, kept, reading, view
from etl.errors import AtlasError


@dataclass(frozen=True)
class Preview:
    """What a link shows.

    Attributes:
        title: of the page or of the chart.
        about: one or two sentences.
        picture: address of an image, if there is one.
    """

    title: str
    about: str
    picture: str | None = None

    def head(self) -> str:
        """Title and description as elements of an HTML head, for browsers and for those who preview links."""
        title = f"{self.title} · GenAI Atlas"
        properties = {
            "og:site_name": "GenAI Atlas",
            "og:type": "article" if self.picture else "website",
            "og:title": title,
            "og:description": self.about,
        }
        if self.picture:
            properties |= {"og:image": self.picture, "og:image:alt": self.about}
        said = "".join(
            f'<meta property="{name}" content="{escape(text)}">' for name, text in properties.items()
        )
        card = '<meta name="twitter:card" content="summary_large_image">' if self.picture else ""
        description = f'<meta name="description" content="{escape(self.about)}">'
        return f"<title>{escape(title)}</title>{description}{said}{card}"


def preview(page: Page, query: str, root: str) -> Preview:
    """What a link to a page shows; one that names a chart shows that, as of the build that it names.

    Args:
        page: the page.
        query: the query string of the link.
        root: the address of the dashboard, a slash at its end.
    """
    try:
        return _of_chart(page, query, root) or Preview(page.title, page.about)
    except AtlasError:
        return Preview(page.title, page.about)


def _of_chart(page: Page, query: str, root: str) -> Preview | None:
    asked = parse_qs(query, keep_blank_values=True)
    chart = REGISTRY.get(asked.get(address.CHART, [""])[0])
    if chart is None or chart.topic != page.path:
        return None
    named = {name: values for name, values in asked.items() if name in chart.filters.model_fields}
    try:
        opened = kept(asked[address.BUILD][0]) if address.BUILD in asked else current()
    except UnknownBuildError:
        opened = current()
    with reading(opened):
        try:
            filters = address.read_filters(chart, named)
        except FilterError:
            filters = chart.filters()
        shown = view(chart.id, filters.model_dump_json(), "light")
    chosen = address.filters_query(filters)
    # Previews are flat: whoever shows one cuts off what is higher.
    picture = f"{root}api/v1/charts/{chart.id}.png?{chosen}{'&' if chosen else ''}picture_size=slide"
    return Preview(chart.title, shown.takeaway, f"{picture}&build={opened.build_id}" if _can_draw() else None)


def _can_draw() -> bool:
    try:
        find_browser()
    except NoBrowserError:
        return False
    return True
