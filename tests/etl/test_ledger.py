"""The ledger: what it says is on disk, who reads while somebody writes, what is kept and what goes."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from etl.errors import AtlasError, HomeError
from etl.ledger import KEEP_PARTS, KEEP_REQUESTS, Ledger, Stored, moment

NOW = datetime(1999, 12, 31, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "home").opened() as opened:
        yield opened


def kept(ledger: Ledger, content: bytes, key: str = "file", variant: str = "") -> str:
    """Store a body as the newest answer to a request."""
    path = ledger.folder / "arrived"
    path.write_bytes(content)
    sha256 = ledger.keep(path)
    ledger.remember("example", key, variant, Stored("https://a.test", "live", sha256, {"etag": '"1"'}, NOW))
    return sha256


def test_a_body_is_kept_once_under_its_hash(ledger: Ledger, tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    sha256 = kept(ledger, content)
    assert sha256 == hashlib.sha256(content).hexdigest()
    before = ledger.body(sha256).stat().st_mtime_ns
    assert kept(ledger, content, key="other") == sha256
    assert ledger.body(sha256).stat().st_mtime_ns == before
    assert gzip.decompress(ledger.body(sha256).read_bytes()) == content
    assert ledger.unpack(sha256, tmp_path / "again").read_bytes() == content


def test_the_newest_answer_is_found_by_key_and_by_who_asked(ledger: Ledger) -> None:
    first, second = kept(ledger, b"as anybody"), kept(ledger, b"with a key", variant="token")
    assert ledger.stored("example", "")["file"].sha256 == first
    assert ledger.stored("example", "token")["file"].sha256 == second
    assert ledger.stored("nobody") == {}


def test_an_answer_whose_body_is_gone_is_none(ledger: Ledger) -> None:
    ledger.body(kept(ledger, b"gone soon")).unlink()
    assert ledger.stored("example") == {}


def test_readers_see_what_was_written_while_it_is_open(ledger: Ledger) -> None:
    kept(ledger, b"a")
    reader = Ledger(ledger.path.parent)
    assert [row["key"] for row in reader.query("SELECT key FROM stored")] == ["file"]
    assert reader.problem() is None
    with pytest.raises(RuntimeError, match="reading only"):
        reader.write("DELETE FROM stored")
    assert len(ledger.query("SELECT key FROM stored")) == 1


def test_without_a_ledger_there_is_nothing_and_nothing_is_made(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "home")
    assert (ledger.query("SELECT * FROM run"), ledger.problem(), ledger.stored("example")) == ([], None, {})
    assert not (tmp_path / "home").exists()


def test_a_damaged_ledger_is_told_to_readers_and_to_writers(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.path.write_bytes(b"no ledger " * 500)
    assert ledger.query("SELECT * FROM run") == []
    assert "move it away" in (ledger.problem() or "")
    with pytest.raises(AtlasError, match="move it away"), ledger.opened():
        pass


def test_a_full_disk_is_told_and_what_was_written_stays(ledger: Ledger) -> None:
    kept(ledger, b"a")
    (pages,) = ledger.query("PRAGMA page_count")
    ledger.query(f"PRAGMA max_page_count = {pages['page_count']}")
    with pytest.raises(HomeError, match=r"Writing to .* failed \(database or disk is full\)"):
        ledger.write("INSERT INTO run (started, version, options) VALUES ('1999', '0', ?)", "x" * 1_000_000)
    assert len(ledger.stored("example")) == 1


def test_a_part_stays_only_where_it_may_be_gone_on_with(ledger: Ledger) -> None:
    with ledger.part("example", "file") as path:
        path.write_bytes(b"half")
    assert not path.exists()
    with ledger.part("example", "file") as path:
        path.write_bytes(b"half")
        ledger.begin_part("example", "file", "live", '"1"', NOW)
    assert path.read_bytes() == b"half"
    assert ledger.validator_of_part("example", "file", "live") == '"1"'
    assert ledger.validator_of_part("example", "file", "replay") is None
    ledger.tidy(set(), NOW)
    assert path.exists()
    ledger.tidy(set(), NOW + KEEP_PARTS + timedelta(hours=1))
    assert not path.exists()
    assert ledger.validator_of_part("example", "file", "live") is None


def test_tidying_keeps_what_somebody_names(ledger: Ledger) -> None:
    newest, old, named = kept(ledger, b"newest"), kept(ledger, b"old", "b"), kept(ledger, b"named", "c")
    ledger.write("DELETE FROM stored WHERE key IN ('b', 'c')")
    ledger.tidy({named}, NOW)
    assert [ledger.body(each).is_file() for each in (newest, old, named)] == [True, False, True]


def test_tidying_keeps_the_answers_of_a_run_that_has_not_ended(ledger: Ledger) -> None:
    sha256 = kept(ledger, b"answer")
    run_id = ledger.write("INSERT INTO run (started, version, options) VALUES ('1999', '0', '{}')")
    ledger.write(
        "INSERT INTO request "
        "VALUES (?, 'example', 'file', 'u', 'live', 200, 'new', NULL, ?, 1, '{}', ?, 0, 1)",
        run_id,
        sha256,
        moment(NOW),
    )
    ledger.write("DELETE FROM stored")
    ledger.tidy(set(), NOW)
    assert ledger.body(sha256).is_file()
    ledger.tidy(set(), NOW + KEEP_REQUESTS + timedelta(days=1))
    assert ledger.query("SELECT * FROM request") == []
    assert not ledger.body(sha256).exists()


def test_forgetting_a_source_makes_it_asked_for_anew(ledger: Ledger) -> None:
    sha256 = kept(ledger, b"damaged")
    ledger.forget("example")
    assert ledger.stored("example") == {}
    assert not ledger.body(sha256).exists()


def test_moments_are_utc_and_sort_as_text() -> None:
    assert moment(NOW) == "1999-12-31T12:00:00.000+00:00"
    assert datetime.fromisoformat(moment(NOW)) == NOW
