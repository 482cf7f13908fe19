"""What a reader can take away: a chart as picture, page or data, each with what it is made from.

    selection = select(opened, chart, filters, root)
    made = render(selection, "png", size="slide", mode="dark")

One selection holds the rows of the chart's own query; every format is made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from dashboard.export import pictures, tables, webpage
from dashboard.export.pictures import SIZES, NoBrowserError, PictureError, PictureForm, SizeError
from dashboard.export.selection import Selection, file_stem, select
from dashboard.theme import Mode
from etl.errors import MisuseError

__all__ = [
    "MEDIA_TYPES",
    "PICTURES",
    "SIZES",
    "Export",
    "FormError",
    "NoBrowserError",
    "PictureError",
    "Selection",
    "SizeError",
    "file_stem",
    "render",
    "select",
]

MEDIA_TYPES: dict[str, str] = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
PICTURES: tuple[str, ...] = get_args(PictureForm)
_TABLES = {"csv": tables.csv, "xlsx": tables.xlsx, "parquet": tables.parquet, "json": tables.as_json}


class FormError(MisuseError):
    """There is no such format."""


@dataclass(frozen=True)
class Export:
    """A file to hand out.

    Attributes:
        content: its bytes.
        media_type: what it is.
        file_name: chart, filters and build, with the ending of the format.
    """

    content: bytes
    media_type: str
    file_name: str


def render(
    selection: Selection, form: str, *, size: str = "article", mode: Mode = "light", scale: float = 1
) -> Export:
    """The selection in one of the formats. Size and scale hold for pictures, the mode for these and the page.

    Raises:
        FormError: there is no such format.
        SizeError: a picture of that size cannot be made.
        NoBrowserError: a picture was asked for, and there is no browser to draw it.
        PictureError: the browser failed.
    """
    if form in PICTURES:
        content = pictures.picture(selection, form, size=size, mode=mode, scale=scale)
    elif form == "html":
        content = webpage.html(selection, mode)
    elif form in _TABLES:
        content = _TABLES[form](selection)
    else:
        raise FormError(f"There is no format '{form[:40]}'; there are {', '.join(MEDIA_TYPES)}.")
    return Export(content, MEDIA_TYPES[form], f"{selection.file_stem}.{form}")
