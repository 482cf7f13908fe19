"""Times the path of pay records: import and cells by number of rows, and the queries of the Salaries page.

python benchmarks/salaries.py SALARIES.csv.gz [ROWS ...]

The file is resampled to each number of rows. What should hold: under 2 s for the file itself, under 30 s and
2 GB for ten million rows, under 20 ms a query. Processor time tells more than time on a busy machine.

The limit of a query is that of a machine on which Kaleido draws a figure in at most 130 ms. Here it draws a
bare one between any two rounds, so that both meet the same machine, and the ratio of the medians is printed
too: what should hold anywhere is 0.15.
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
from statistics import median

import plotly.graph_objects as go
from export import timed

from dashboard.chart import REGISTRY
from dashboard.export import pictures
from dashboard.warehouse import Warehouse
from etl.build import build
from etl.salaries import import_files
from etl.settings import Settings

REPEATS = 20
POINTS = 200
# Kaleido draws that where nothing else is asked for.
PICTURE = {"format": "png", "width": 700, "height": 500, "scale": 1}
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
    charts = [each for each in REGISTRY.values() if each.topic == "salaries"]
    bare = go.Figure(go.Scatter(x=list(range(POINTS)), y=list(range(POINTS))))
    drawn: list[float] = []
    times: dict[str, list[float]] = {chart.id: [] for chart in charts}
    for _ in range(REPEATS):
        drawn.append(timed(lambda: pictures.draw(bare, PICTURE)))
        for chart in charts:
            times[chart.id].append(timed(lambda chart=chart: opened.query(*chart.query(chart.filters()))))
    floor = median(drawn)
    print(f"Kaleido draws a bare figure in {1000 * floor:.0f} ms")
    for name, each in times.items():
        best, middle = min(each), median(each)
        print(
            f"query {name:24} {1000 * best:6.1f} ms best, {1000 * middle:6.1f} ms median, "
            f"{middle / floor:5.2f} of Kaleido"
        )


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
