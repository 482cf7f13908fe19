"""What the pictures and pages that leave the app share with it: its typeface, its colours, its maps."""

from __future__ import annotations

import base64
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from dashboard.theme import Mode

ASSETS = Path(__file__).resolve().parent.parent / "assets"
TOPOJSON = ASSETS / "topojson"
FAMILY = "Source Sans"  # the first name in theme.FONT
# Ground, text, quiet text, lines: those of .streamlit/config.toml and theme.py.
COLORS: dict[Mode, dict[str, str]] = {
    "light": {
        "ground": "#ffffff",
        "text": "#0f1720",
        "muted": "#56616e",
        "line": "#dfe4e9",
        "link": "#005f94",
    },
    "dark": {
        "ground": "#11161c",
        "text": "#e6ebf0",
        "muted": "#a3aebb",
        "line": "#2d3742",
        "link": "#8ccbf2",
    },
}


@cache
def font_address() -> str | None:
    """The typeface of the app as a data address: the one that Streamlit ships; None where it does not."""
    package = find_spec("streamlit")
    for folder in package.submodule_search_locations or [] if package else []:
        found = sorted(Path(folder, "static").glob("static/media/SourceSansVF-Upright*.woff2"))
        if found:
            return "data:font/woff2;base64," + base64.b64encode(found[0].read_bytes()).decode()
    return None


@cache
def font_face() -> str:
    """The typeface as a rule of a style sheet; nothing where it is not there."""
    address = font_address()
    if address is None:
        return ""
    return f"@font-face{{font-family:'{FAMILY}';font-weight:200 900;src:url({address}) format('woff2')}}"


@cache
def maps_script() -> str:
    """A script that holds the outlines of the countries, which Plotly would else fetch from the network."""
    files = sorted(TOPOJSON.glob("*.json"))
    entries = ",".join(f'"{path.stem}":{path.read_text(encoding="utf-8")}' for path in files)
    return f"window.PlotlyGeoAssets={{topojson:{{{entries}}}}};"
