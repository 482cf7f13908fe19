"""The API as a program meets it: what it answers, what it refuses, and in which words."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from dashboard import address, export, warehouse
from dashboard.api import api, charts
from dashboard.api.answers import BUILD_HEADER, KINDS, LONGEST_QUERY
from dashboard.api.collections import COLLECTIONS, Collection
from dashboard.api.counters import Counters
from dashboard.chart import REGISTRY, Chart
from dashboard.export import select
from dashboard.warehouse import Warehouse, view
from etl.build import build
from etl.warehouse import Home
from tests.dashboard.conftest import choices, every_chart, extremes
from tests.dashboard.http_client import Client
from tests.etl.package_copy import PackageCopy

CHART = "/api/v1/charts/market-forecasts"
every_collection = pytest.mark.parametrize("collection", COLLECTIONS, ids=[each.name for each in COLLECTIONS])


@pytest.fixture
def client(opened: Warehouse) -> Client:
    return Client(api)


@pytest.fixture
def own_home(tmp_path: Path, built_home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home of this test alone, with the build of the shipped data in it."""
    path = tmp_path / "own"
    shutil.copytree(built_home.path, path)
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(path))
    yield Home(path)
    warehouse._earlier.clear()


def walked(client: Client, address: str, **asked: Any) -> Iterator[dict[str, Any]]:
    """All pages of a list, as a client follows them."""
    following: str | None = str(client.get(address, params=asked).request.url)
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page
        assert (page["next"] is None) == ("link" not in answer.headers)
        following = page["next"]


def problem(answer: Any, kind: str) -> dict[str, Any]:
    """The problem that an answer is, after what all problems have in common."""
    said: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == said["status"] == KINDS[kind].status
    assert said["type"] == f"http://testserver/api/docs#{kind}"
    assert said["title"] == KINDS[kind].title
    assert said["detail"].endswith((".", "?"))
    assert answer.headers["cache-control"] == "no-store"
    return said


# --- lists ----------------------------------------------------------------------------------------


@every_collection
def test_a_walk_meets_every_row_once_in_the_order_of_its_ids(
    client: Client, opened: Warehouse, collection: Collection
) -> None:
    pages = list(walked(client, f"/api/v1/{collection.name}", limit=1000))
    ids = [row[collection.key] for page in pages for row in page["items"]]
    expected = opened.query(f"SELECT {collection.key} FROM {collection.table} ORDER BY ALL")[collection.key]
    assert ids == expected.tolist()
    assert {page["total"] for page in pages} == {len(ids)}
    assert {page["build"] for page in pages} == {opened.build_id}


def test_the_charts_are_listed_as_well(client: Client) -> None:
    pages = list(walked(client, "/api/v1/charts", limit=10))
    assert [row["id"] for page in pages for row in page["items"]] == sorted(REGISTRY)
    for page in pages:
        for row in page["items"]:
            assert row["filters"] == list(REGISTRY[row["id"]].filters.model_fields)


@given(asked=st.fixed_dictionaries({}, optional={"limit": st.integers(1, 7), "is_repeat": st.booleans()}))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filters_narrow_a_walk_of_any_step(client: Client, opened: Warehouse, asked: dict[str, Any]) -> None:
    narrowed = {"publisher": ["IDC", "Gartner", "Statista"], "year_from": 2025, "year_to": 2032, **asked}
    rows = [row for page in walked(client, "/api/v1/forecasts", **narrowed) for row in page["items"]]
    expected = opened.query(
        "SELECT claim_id FROM forecast_path WHERE publisher IN ('IDC', 'Gartner', 'Statista') "
        "AND forecast_year BETWEEN 2025 AND 2032 AND ($repeat::BOOLEAN IS NULL OR is_repeat = $repeat) "
        "ORDER BY ALL",
        {"repeat": asked.get("is_repeat")},
    )
    assert [row["claim_id"] for row in rows] == expected["claim_id"].tolist()
    assert rows or "is_repeat" in asked


def test_a_row_is_as_it_was_printed(client: Client, opened: Warehouse) -> None:
    (row,) = client.get("/api/v1/observations", params={"limit": 1}).json()["items"]
    stored = opened.query(
        "SELECT * FROM observation_figure WHERE claim_id = $id", {"id": row["claim_id"]}
    ).iloc[0]
    for name, value in row.items():
        assert (value is None and pd.isna(stored[name])) or value == stored[name]


def test_a_walk_stays_on_its_build_whatever_is_published_meanwhile(
    own_home: Home, package_copy: PackageCopy
) -> None:
    client = Client(api)
    pages = walked(client, "/api/v1/forecasts", limit=100)
    first = next(pages)
    published = build(package_copy.settings(own_home.path)).build
    rest = list(pages)
    ids = [row["claim_id"] for page in (first, *rest) for row in page["items"]]
    assert len(ids) == len(set(ids)) == first["total"] == 292
    assert {page["build"] for page in rest} == {first["build"]} != {published.build_id}
    assert client.get("/api/v1/forecasts").json()["build"] == published.build_id

    own_home.find(first["build"]).path.unlink()
    warehouse._earlier.clear()
    said = problem(client.get(first["next"]), "unknown-build")
    assert first["build"] in said["detail"]
    assert published.build_id in said["detail"]


# --- charts ---------------------------------------------------------------------------------------


@every_chart
def test_every_chart_answers_with_the_rows_that_the_page_draws(
    client: Client, opened: Warehouse, chart: Chart[Any]
) -> None:
    answer = client.get(f"/api/v1/charts/{chart.id}.json")
    assert answer.status_code == 200
    drawn = view(chart.id, chart.filters().model_dump_json(), "light")
    exported = export.render(select(opened, chart, chart.filters(), "http://testserver/"), "json")
    assert answer.content == exported.content
    said = answer.json()
    assert [row["claim_id"] for row in said["rows"]] == drawn.frame["claim_id"].tolist()
    assert said["chart"]["takeaway"] == drawn.takeaway
    assert answer.headers["content-disposition"] == f'inline; filename="{exported.file_name}"'


def test_no_choice_is_too_long_to_ask_for(opened: Warehouse) -> None:
    longest = max(len(address.filters_query(each)) for chart in REGISTRY.values() for each in extremes(chart))
    assert longest <= LONGEST_QUERY


@given(data=st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_choice_gives_what_the_page_gives(client: Client, opened: Warehouse, data: st.DataObject) -> None:
    chart = data.draw(st.sampled_from(list(REGISTRY.values())))
    filters = data.draw(choices(chart))
    said = client.get(f"/api/v1/charts/{chart.id}.json?{address.filters_query(filters)}").json()
    drawn = view(chart.id, filters.model_dump_json(), "light")
    assert [row["claim_id"] for row in said["rows"]] == drawn.frame["claim_id"].tolist()
    assert said["chart"]["takeaway"] == drawn.takeaway
    assert said["filters"] == filters.model_dump(mode="json")


@pytest.mark.parametrize("form", export.MEDIA_TYPES)
def test_every_format_is_what_it_says(client: Client, form: str) -> None:
    answer = client.get(f"{CHART}.{form}?publisher=IDC&picture_size=400x400")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].split(";")[0] == export.MEDIA_TYPES[form].split(";")[0]
    starts = {
        "json": b"{",
        "csv": b"claim_id,",
        "xlsx": b"PK",
        "parquet": b"PAR1",
        "html": b"<!doctype html>",
        "svg": b"<svg",
        "png": b"\x89PNG",
        "pdf": b"%PDF",
    }
    assert answer.content.startswith(starts[form])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith(
        "attachment" if form in {"csv", "xlsx", "parquet"} else "inline"
    )


def test_a_chart_tells_what_its_filters_take(client: Client) -> None:
    said = client.get(CHART).json()
    filters = {each["name"]: each for each in said["filters"]}
    assert list(filters) == list(REGISTRY["market-forecasts"].filters.model_fields)
    assert {"value": "generative_ai", "label": "Generative AI"} in filters["market"]["allowed"]
    assert filters["publisher"]["takes"] == "any number of"
    assert filters["published"]["minimum"] < filters["published"]["maximum"]


def test_no_filter_has_a_name_that_means_something_else() -> None:
    taken = {*charts.RESERVED, address.CHART, address.MORE, address.AS_OF}
    for chart in REGISTRY.values():
        assert not taken & chart.filters.model_fields.keys()


def test_a_slow_picture_holds_up_nothing_but_pictures(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Semaphore(0), threading.Event()

    def slow(*_: Any, **__: Any) -> bytes:
        begun.release()
        assert may_end.wait(60)
        return b"drawn"

    monkeypatch.setattr(export.pictures, "picture", slow)
    with ThreadPoolExecutor(charts.AT_A_TIME * 2) as pool:
        asked = [pool.submit(client.get, f"{CHART}.png") for _ in range(charts.AT_A_TIME * 2)]
        try:
            for _ in range(charts.AT_A_TIME):
                assert begun.acquire(timeout=60)
            assert client.get("/api/v1/metrics").status_code == 200
            assert client.get(f"{CHART}.csv").status_code == 200
            assert not any(each.done() for each in asked)
            assert not begun.acquire(blocking=False)
        finally:
            may_end.set()
        assert {each.result().content for each in asked} == {b"drawn"}


def test_too_many_pictures_at_once_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "MOST_WAITING", 0)
    answer = client.get(f"{CHART}.png")
    problem(answer, "busy")
    assert answer.headers["retry-after"] == "30"
    assert client.get(f"{CHART}.csv").status_code == 200


def test_without_a_browser_pictures_say_so_and_all_else_works(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    export.pictures.close()
    monkeypatch.setenv("GENAI_ATLAS_BROWSER", "no-such-browser")
    assert "no-such-browser" in problem(client.get(f"{CHART}.svg"), "no-picture")["detail"]
    assert client.get(f"{CHART}.html").status_code == 200


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "kind", "said"),
    [
        ("/api/v1/charts/nonsense.json", "unknown-chart", "There is no chart 'nonsense'"),
        ("/api/v1/charts/nonsense", "unknown-chart", "There is no chart 'nonsense'"),
        ("/embed/nonsense", "unknown-chart", "There is no chart 'nonsense'"),
        ("/embed/_/..%2fapp.py", "unknown-address", "There is nothing at /embed/_/../app.py"),
        (f"{CHART}.docx", "unknown-format", "There is no format 'docx'; there are json, csv,"),
        (f"{CHART}.json?publisher=Nobody", "parameter", "'publisher' cannot be 'Nobody'; it takes "),
        (f"{CHART}.json?colour=red", "parameter", "There is no filter 'colour'; it has market, "),
        (f"{CHART}.json?published={'9' * 5000}&published=2024", "parameter", "it takes two years from "),
        (f"{CHART}.png?picture_size=1000000x1000000", "parameter", "1000000 × 1000000 pixels"),
        (f"{CHART}.png?picture_size=8000x8000&picture_scale=4", "parameter", "at scale 4"),
        (f"{CHART}.png?picture_size=huge", "parameter", "The size 'huge' is not known"),
        (f"{CHART}.png?picture_scale=40", "parameter", "'picture_scale': "),
        (f"{CHART}.png?picture_scale=nan", "parameter", "'picture_scale': "),
        (f"{CHART}.png?mode=pink", "parameter", "'mode': "),
        (f"{CHART}.json?build=nonsense", "unknown-build", "The build 'nonsense' is not kept here"),
        (f"{CHART}.json?build=../../CURRENT", "unknown-build", "The build '../../CURRENT' is not kept"),
        (f"{CHART}/changes", "parameter", "'build': Field required."),
        ("/api/v1/observations?limit=1000000", "parameter", "'limit': "),
        ("/api/v1/observations?limit=0", "parameter", "'limit': "),
        ("/api/v1/observations?metric_id=nonsense", "parameter", "'metric_id' cannot be 'nonsense'"),
        ("/api/v1/observations?metric=x", "parameter", "'metric': "),
        ("/api/v1/observations?cursor=nonsense", "parameter", "This is no cursor of this list"),
        ("/api/v1/observations?cursor=W10", "parameter", "This is no cursor of this list"),
        ("/api/v1/observations?year_from=66", "parameter", "'year_from': "),
        ("/api/v1/nonsense", "unknown-address", "There is nothing at /api/v1/nonsense"),
        ("/api/v1/charts/..%2f..%2fetc%2fpasswd.json", "unknown-address", "There is nothing at "),
        ("/api/v1/charts/%2e%2e.json", "unknown-chart", "There is no chart '..'"),
        ("/api/v1/charts/market-forecasts%00.json", "unknown-chart", "There is no chart "),
        (f"{CHART}.json?publisher={'a' * 60_000}", "too-long", "The query string has 60,010 characters"),
    ],
)
def test_what_cannot_be_answered_is_a_problem_in_words(
    client: Client, address: str, kind: str, said: str
) -> None:
    assert said in problem(client.get(address), kind)["detail"]


def test_a_bad_filter_is_named_with_what_it_takes(client: Client) -> None:
    asked = f"{CHART}.json?publisher=Nobody&repeats=perhaps&colour=red&published=2023"
    errors = {each["parameter"]: each for each in problem(client.get(asked), "parameter")["errors"]}
    assert list(errors) == ["publisher", "repeats", "colour", "published"]
    assert "IDC" in errors["publisher"]["allowed"]
    assert errors["repeats"]["allowed"] == ["true", "false"]
    assert "publisher" in errors["colour"]["allowed"]
    assert errors["published"]["minimum"] < errors["published"]["maximum"]
    said = problem(client.get("/api/v1/metrics?topic=weather"), "parameter")["errors"]
    assert {"frameworks"} <= set(said[0]["allowed"])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(client: Client, method: str) -> None:
    for path in ("/api/v1/build", f"{CHART}.json", "/embed/hub-map", "/metrics"):
        answer = client.request(method, path)
        problem(answer, "method")
        assert answer.headers["allow"] == "GET, HEAD"


def test_without_a_build_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAI_ATLAS_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("GENAI_ATLAS_DATA", str(tmp_path / "nothing"))
    client = Client(api)
    for path in ("/api/v1/build", f"{CHART}.json", "/api/v1/sources", "/embed/hub-map"):
        answer = client.get(path)
        assert str(tmp_path) not in problem(answer, "no-build")["detail"]
        assert answer.headers["retry-after"]
    assert client.get("/api/openapi.json").status_code == 200
    assert client.get("/api/docs").status_code == 200
    assert "genai_atlas_ready 0" in client.get("/metrics").text


def test_a_bug_is_a_problem_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "select", lambda *_: 1 / 0)
    problem(client.get(f"{CHART}.json"), "error")


# --- HTTP -----------------------------------------------------------------------------------------

READ = ["/api/v1/build", "/api/v1/metrics?limit=2", "/api/v1/charts", CHART, f"{CHART}.csv", "/embed/hub-map"]


@pytest.mark.parametrize("path", READ)
def test_what_a_client_has_is_not_sent_again(client: Client, path: str) -> None:
    first = client.get(path)
    assert first.headers["cache-control"] == "public, max-age=0, must-revalidate"
    for known in (
        first.headers["etag"],
        first.headers["etag"].removeprefix("W/"),
        f'"x", {first.headers["etag"]}',
    ):
        again = client.get(path, headers={"If-None-Match": known})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == first.headers["etag"]
    other = client.get(path, headers={"If-None-Match": 'W/"something"'})
    assert other.status_code == 200
    assert other.content == first.content


def test_the_tag_is_of_the_build_and_of_the_request(own_home: Home, package_copy: PackageCopy) -> None:
    client = Client(api)
    first = client.get(f"{CHART}.json")
    assert client.get(f"{CHART}.json?publisher=IDC").headers["etag"] != first.headers["etag"]
    published = build(package_copy.settings(own_home.path)).build
    second = client.get(f"{CHART}.json", headers={"If-None-Match": first.headers["etag"]})
    assert second.status_code == 200
    assert second.headers[BUILD_HEADER] == published.build_id


@pytest.mark.parametrize("path", [*READ, "/api/openapi.json", "/api/docs", "/metrics", f"{CHART}.docx"])
def test_head_is_get_without_the_body(client: Client, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers["content-type"] == got.headers["content-type"]
    assert head.headers.get("etag") == got.headers.get("etag")
    if path != "/metrics":
        assert head.headers["content-length"] == got.headers["content-length"]


def test_pages_of_any_origin_may_read(client: Client) -> None:
    origin = {"Origin": "https://newspaper.example"}
    for path in (f"{CHART}.json", f"{CHART}.docx"):
        answer = client.get(path, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "ETag" in answer.headers["access-control-expose-headers"]
    asked = {
        **origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "If-None-Match",
    }
    assert client.options(f"{CHART}.json", headers=asked).status_code == 200
    refused = client.options(f"{CHART}.json", headers={**asked, "Access-Control-Request-Method": "DELETE"})
    assert refused.status_code == 400


def test_long_answers_are_compressed(client: Client) -> None:
    answer = client.get(f"{CHART}.json", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["rows"]


def test_metrics_are_in_the_format_of_prometheus(opened: Warehouse) -> None:
    counted = Counters()
    counted.count("api", "GET", 200, 0.02)
    counted.count("api", "GET", 200, 3.0)
    counted.count("page", "GET", 404, 0.2)
    lines = [line for line in counted.text().splitlines() if "_http_" in line and not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r'genai_atlas_[a-z_]+(\{([a-z]+="[^"\\]*",?)+\})? \d+(\.\d+)?', line)
    assert 'genai_atlas_http_requests_total{handler="api",method="GET",status="200"} 2' in lines
    within = [line for line in lines if "_bucket" in line and 'handler="api"' in line]
    assert [int(line.split()[-1]) for line in within] == [0, 1, 1, 1, 1, 1, 1, 2, 2]
    assert 'genai_atlas_http_request_duration_seconds_count{handler="api"} 2' in lines
    assert 'genai_atlas_http_request_duration_seconds_sum{handler="api"} 3.020000' in lines


# --- the description ------------------------------------------------------------------------------


def test_the_document_has_examples_from_the_build(client: Client, opened: Warehouse) -> None:
    document = client.get("/api/openapi.json").json()
    for path, operations in document["paths"].items():
        assert set(operations) == {"get"}
        content = operations["get"]["responses"]["200"]["content"]
        if path != "/embed/{chart_id}":
            assert content["application/json"]["example"]
    example = document["paths"]["/api/v1/observations"]["get"]["responses"]["200"]["content"][
        "application/json"
    ]
    (row,) = example["example"]["items"]
    known = opened.query("SELECT value FROM claim WHERE claim_id = $id", {"id": row["claim_id"]})["value"]
    assert row["value"] == known.item()
    assert document["servers"] == [{"url": "http://testserver"}]


def test_the_page_of_the_api_needs_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs").text
    assert not re.search(r"<(?:script|img|iframe|link|style\s)|@import|url\((?!\.\./embed/_/)", page)
    for path in client.get("/api/openapi.json").json()["paths"]:
        assert f"<code>{path}</code>" in page
    for kind in KINDS:
        assert f'id="{kind}"' in page


def test_schemathesis_finds_no_server_error(opened: Warehouse) -> None:
    """Whatever the document allows, and some of what it does not: never 5xx, always as the document says."""
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", api)
    checks = [not_a_server_error, content_type_conformance, response_schema_conformance]
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == len(api.openapi()["paths"])
    for operation in operations:
        cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))
        _ask_often(cases, checks)


def _ask_often(cases: st.SearchStrategy[Any], checks: list[Any]) -> None:
    @given(case=cases)
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        if case.path_parameters and case.path_parameters.get("form") in export.PICTURES:
            case.path_parameters["form"] = "json"  # pictures are drawn elsewhere; they take their time
        case.validate_response(case.call(), checks=checks)

    ask()
