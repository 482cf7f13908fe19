"""The command `genai-atlas`: the pipeline's commands, and those that need the dashboard."""

from __future__ import annotations

import logging
import os
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

import dashboard.charts  # registers the charts
import dashboard.cli_export  # noqa: F401  # adds export and report
from dashboard.chart import REGISTRY
from etl.cli import (
    DataOption,
    HomeOption,
    JsonOption,
    app,
    build_if_needed,
    print_json,
    reported,
    settings_for,
    stdout,
)
from etl.errors import AtlasError
from etl.settings import duration

__all__ = ["app", "main"]

# Streamlit's loggers of what is no news (caches are declared before its server runs) or is told better here.
_TOLD_HERE = (
    "streamlit.runtime.caching.cache_data_api",
    "streamlit.web.server.starlette.starlette_server",
)


@app.command()
@reported
def charts(as_json: JsonOption = False) -> None:
    """List every chart with its question and its filters."""
    found = sorted(REGISTRY.values(), key=lambda chart: (chart.topic, chart.id))
    if as_json:
        print_json(
            [
                {
                    "id": chart.id,
                    "topic": chart.topic,
                    "title": chart.title,
                    "question": chart.question,
                    "filters": chart.filters.model_json_schema()["properties"],
                }
                for chart in found
            ]
        )
        return
    table = Table("chart", "question", "filters", box=None, pad_edge=False)
    for chart in found:
        table.add_row(chart.id, chart.question, ", ".join(chart.filters.model_fields))
    stdout.print(table)


def _a_duration(text: str | None) -> str | None:
    try:
        duration(text or "1d")
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from None
    return text


@app.command()
@reported
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8501,
    refresh_every: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            callback=_a_duration,
            help="Ask the live sources again that often: 30m, 24h, 7d "
            "(default: GENAI_ATLAS_REFRESH_EVERY, or never).",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
    data: DataOption = None,
) -> None:
    """Open the dashboard; build first if no build was made from these data yet."""
    settings = settings_for(home, data)
    build_if_needed(settings)
    # The app reads its settings in threads of its own; through the environment all of them see these.
    os.environ.update(GENAI_ATLAS_HOME=str(settings.home), GENAI_ATLAS_DATA=str(settings.data))
    if refresh_every:
        os.environ["GENAI_ATLAS_REFRESH_EVERY"] = refresh_every
    # Streamlit is a second of import that the other commands do without.
    from dashboard.app import app as asgi  # noqa: PLC0415

    options = {**_streamlit_config(), "server.address": host, "server.port": port}
    if settings.base_path:
        options["server.baseUrlPath"] = settings.base_path
    try:
        asgi.run(config=options)
    except SystemExit as stop:
        if stop.code:
            raise AtlasError(f"Port {port} of {host} is not free; name another with --port.") from None


def _streamlit_config() -> dict[str, Any]:
    """The options of .streamlit/config.toml by dotted name: they hold whatever the working folder is."""
    here = Path(__file__).resolve().parent
    places = (here / ".streamlit/config.toml", here.parent / ".streamlit/config.toml")
    found = next(path for path in places if path.is_file())
    options: dict[str, Any] = {}

    def walk(prefix: str, table: dict[str, Any]) -> None:
        for key, value in table.items():
            name = f"{prefix}.{key}" if prefix else key
            if isinstance(value, dict):
                walk(name, value)
            else:
                options[name] = value

    walk("", tomllib.loads(found.read_text(encoding="utf-8")))
    return options


def main() -> None:
    """Entry point of the console script."""
    for name in _TOLD_HERE:
        logging.getLogger(name).addFilter(lambda _: False)
    sys.exit(app())
