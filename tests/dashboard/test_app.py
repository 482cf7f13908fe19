"""The server around the pages: our own addresses before Streamlit's, also under a base path."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from dashboard import app
from dashboard.api.counters import Counting, counters, name_of
from dashboard.warehouse import Warehouse
from tests.dashboard.http_client import Client


async def streamlit(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands where Streamlit's own server stands, and tells which path reached it."""
    await PlainTextResponse(f"streamlit {Request(scope).url.path}")(scope, receive, send)


@pytest.fixture
def served(opened: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Client]:
    """The server under a base path."""

    def serve(base: str) -> Client:
        monkeypatch.setattr(app, "base_path", lambda: base)
        return Client(Counting(app.OwnRoutes(streamlit), lambda: base))

    return serve


@pytest.mark.parametrize("base", ["", "/atlas", "/a/b"])
def test_our_own_addresses_work_under_a_base_path(
    served: Callable[[str], Client], opened: Warehouse, base: str
) -> None:
    client = served(base)
    for start in {"", base}:
        assert client.get(f"{start}/readyz").json()["build"] == opened.build_id
        assert client.get(f"{start}/metrics").text.startswith("# HELP")
        assert client.get(f"{start}/topojson/world_110m.json").headers["content-type"] == "application/json"
        root = f"http://testserver{start}/"
        page = client.get(f"{start}/api/v1/sources?limit=1").json()
        assert page["next"].startswith(f"{root}api/v1/sources?limit=1&cursor=")
        assert client.get(page["next"]).json()["items"][0] != page["items"][0]
        assert client.get(f"{start}/api/openapi.json").json()["servers"] == [{"url": root.rstrip("/")}]
        chart = client.get(f"{start}/api/v1/charts/hub-map").json()
        assert chart["address"] == f"{root}hubs#hub-map"
        assert client.get(f"{start}/api/v1/charts/x.json").json()["type"] == f"{root}api/docs#unknown-chart"
        assert f'src="{root}embed/_/embed.js"' in client.get(f"{start}/embed/hub-map").text
        assert "<title>Market · GenAI Atlas</title>" in client.get(f"{start}/market").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 405),
        ("POST", "/market", 405),
        ("PUT", "/healthz", 405),
        ("DELETE", "/topojson/world_110m.json", 405),
        ("GET", "/topojson/none.json", 404),
        ("GET", "/topojson/..%2f..%2fapp.py", 404),
    ],
)
def test_what_cannot_be_asked_is_no_fault_of_the_server(
    served: Callable[[str], Client], method: str, path: str, status: int
) -> None:
    assert served("").request(method, path).status_code == status


@pytest.mark.parametrize("base", ["", "/atlas"])
def test_everything_else_is_streamlits_as_it_was_asked_for(
    served: Callable[[str], Client], base: str
) -> None:
    for path in ("/_stcore/health", "/static/js/index.js", "/atlases/market", "/apis", "/nonsense"):
        assert served(base).get(base + path).text == f"streamlit {base}{path}"


def test_the_first_page_has_one_address(served: Callable[[str], Client]) -> None:
    assert served("").get("/overview?repeats=true").headers["location"] == "/?repeats=true"
    assert served("/atlas").get("/atlas/overview").headers["location"] == "/atlas/"
    assert served("/atlas").get("/atlas").headers["location"] == "/atlas/"


def test_pages_tell_the_browser_where_the_server_is(served: Callable[[str], Client]) -> None:
    assert 'window.atlasBase = "";' in served("").get("/market").text
    assert 'window.atlasBase = "/atlas";' in served("/atlas").get("/atlas/market").text


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "page"),
        ("/market", "page"),
        ("/readyz", "readyz"),
        ("/embed/hub-map", "embed"),
        ("/api/v1/sources", "api"),
        ("/api/v1/charts/hub-map.png", "chart png"),
        ("/api/v1/charts/hub-map.exe", "api"),
        ("/_stcore/health", "streamlit"),
        ('/"\\n{}', "streamlit"),
    ],
)
def test_what_is_counted_has_one_of_a_few_names(path: str, name: str) -> None:
    assert name_of(path) == name


def test_every_request_is_counted(served: Callable[[str], Client]) -> None:
    client = served("/atlas")
    before = counters.text()
    client.get("/atlas/api/v1/charts/nonsense.png")
    counted = 'genai_atlas_http_requests_total{handler="chart png",method="GET",status="404"}'
    assert counted not in before
    assert f"{counted} 1\n" in client.get("/atlas/metrics").text
