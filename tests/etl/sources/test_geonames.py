"""GeoNames: cities by their number, once a year, and a file that is cut."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

from etl.refresh import planned
from tests.etl.replay import Reply
from tests.etl.sources.conftest import Live

PATH = "/export/dump/cities15000.zip"
NEW_YORK = "5128581"


def line(number: str, population: str, edited: str = "1999-05-06") -> str:
    cells = [number, 'Example "City', "Example", "", "1", "2", "P", "PPL", "US", "", "NY", "", "", ""]
    return "\t".join([*cells, population, "", "3", "Etc/UTC", edited])


def packed(*lines: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cities15000.txt", "\n".join(lines) + "\n")
    return content.getvalue()


def test_cities_by_their_number(live: Live) -> None:
    live.server.on(PATH, Reply(packed(line(NEW_YORK, "111000"), line("1", "5"), line("5391959", "0"))))
    assert live.ask("geonames").outcome == "new"
    (row,) = live.rows("geonames")
    assert (row.entity_id, row.value, row.period, row.metric_id) == (
        "new-york-us",
        111_000,
        "1999-05-06",
        "city_population",
    )


def test_the_file_is_read_once_a_year(live: Live) -> None:
    later = packed(line(NEW_YORK, "222000", "2000-01-02"))
    live.server.on(PATH, Reply(packed(line(NEW_YORK, "111000"))), Reply(later))
    assert [live.ask("geonames").outcome for _ in range(2)] == ["new", "unchanged"]
    assert len(live.server.received) == 1
    live.now = datetime(2027, 1, 1, tzinfo=UTC)
    assert live.ask("geonames").outcome == "new"
    assert [each.value for each in live.rows("geonames")] == [222_000]


def test_files_that_are_none(live: Live) -> None:
    live.server.on(PATH, Reply(packed(line(NEW_YORK, "111000"))))
    live.ask("geonames")
    before = live.rows("geonames")
    live.now = datetime(2027, 1, 1, tzinfo=UTC)
    for year, content, words in (
        (2027, b"<html>Sorry", "no zip file"),
        (2028, packed("a\tb"), "has 2 columns"),
        (2029, packed(line(NEW_YORK, "111000"))[:60], "BadZipFile"),
        (2030, packed(line("1", "5")), "no figure"),
    ):
        live.now = datetime(year, 1, 1, tzinfo=UTC)
        live.server.on(PATH, Reply(content))
        result = live.ask("geonames")
        assert result.outcome == "failed"
        assert words in (result.reason or "")
        assert live.rows("geonames") == before


def test_dry_run_asks_nothing(live: Live) -> None:
    (plan,) = planned(live.settings, ["geonames"], live.world)
    assert [each["path"] for each in plan["requests"]] == [PATH]
    assert live.server.received == []
