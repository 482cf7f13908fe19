"""Times the path of pay records: import and cells by number of rows, and the queries of the Salaries page.

python benchmarks/salaries.py SALARIES.csv.gz [ROWS ...]

The file is resampled to each number of rows. What should hold: under 2 s for the file itself, under 30 s and
2 GB for ten million rows, under 20 ms a query. Processor time tells more than time on a busy machine.
"""

from __future__ import annotations

import gzip
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dashboard.chart import REGISTRY
from dashboard.warehouse import Warehouse
from etl.build import build
from etl.salaries import import_files
from etl.settings import Settings

REPEATS = 20
BLOCK = 200_000  # lines drawn at a time


def resampled(lines: list[str], rows: int, target: Path) -> None:
    """Write a file of that many rows: runs of eight, so that the ends of ranges stay neighbours."""
    chance = random.Random(1)
    with target.open("w", encoding="utf-8", newline="") as handle:
        handle.write(lines[0] + "\n")
        for start in range(0, rows, BLOCK):
            drawn: list[str] = []
            while len(drawn) < min(BLOCK, rows - start):
                place = chance.randrange(1, len(lines) - 8)
                drawn += lines[place : place + 8]
            handle.write("\n".join(drawn[: min(BLOCK, rows - start)]) + "\n")


def measure_import(file: Path) -> None:
    """Import a file into a home of its own, in a process of its own, and print what it took."""
    child = [sys.executable, __file__, "--import", str(file)]
    printed = subprocess.run(child, check=True, capture_output=True, text=True).stdout.split()
    rows, wall, seconds, peak = int(printed[0]), *map(float, printed[1:])
    print(f"import {rows:>12,} rows: {wall:6.1f} s wall, {seconds:6.1f} s processor, {peak / 1e6:5.2f} GB")


def import_here(file: Path) -> None:
    """Import in this process; prints rows, seconds, processor seconds, peak memory in kB."""
    with tempfile.TemporaryDirectory(dir=file.parent) as home:
        start, used = time.perf_counter(), time.process_time()
        result = import_files("aijobs", [file], Settings(home=Path(home)))
        wall, seconds = time.perf_counter() - start, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(result.manifest["rows"], wall, seconds, peak)


def measure_queries(folder: Path) -> None:
    """Build the shipped data and time the query of every chart of the page at its defaults."""
    home = folder / "home"
    build(Settings(home=home))
    opened = Warehouse(Settings(home=home))
    for chart in (each for each in REGISTRY.values() if each.topic == "salaries"):
        sql, values = chart.query(chart.filters())
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            opened.query(sql, values)
            times.append(time.perf_counter() - start)
        best, middle = min(times), sorted(times)[REPEATS // 2]
        print(f"query {chart.id:24} {1000 * best:6.1f} ms best, {1000 * middle:6.1f} ms median")


def main(file: Path, sizes: list[int]) -> None:
    """Measure everything."""
    with gzip.open(file, "rt", encoding="utf-8") as handle:
        lines = handle.read().splitlines()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        measure_queries(folder)
        measure_import(file)
        for rows in sizes:
            target = folder / "resampled.csv"
            resampled(lines, rows, target)
            measure_import(target)


if __name__ == "__main__":
    if sys.argv[1] == "--import":
        import_here(Path(sys.argv[2]))
    else:
        main(Path(sys.argv[1]), [int(each) for each in sys.argv[2:]] or [10_000_000])
