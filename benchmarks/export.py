"""Times pictures of charts against Kaleido's own time for the same figure, in the same run and browser.

    python benchmarks/export.py [ROUNDS [CHART…]]      (five charts; all takes every chart)

The floor is Kaleido drawing the bare figure at as many pixels; ours is `render(selection, "png")` with title,
sources and typeface. Rounds alternate, so that what else the machine does falls on both; medians are printed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from statistics import median

from dashboard.chart import REGISTRY
from dashboard.export import pictures, render, select
from dashboard.warehouse import warehouse

CHARTS = ("market-forecasts", "market-arithmetic", "hub-map", "framework-popularity", "salary-distribution")
SLIDE = {"format": "png", "width": 1600, "height": 900, "scale": 1}


def timed(work) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(rounds: int = 7, names: Sequence[str] = CHARTS) -> None:
    opened = warehouse()
    selections = [
        select(opened, REGISTRY[name], REGISTRY[name].filters(), "http://localhost:8501/") for name in names
    ]
    first = timed(lambda: render(selections[0], "png", size="slide"))
    print(f"first picture, with the start of the browser: {first:.2f} s")
    print(f"{'chart':24} {'Kaleido':>8} {'ours':>8} {'ratio':>6}   (ms, warm, median of {rounds})")
    ratios = {}
    for selection in selections:
        figure = selection.figure("light")
        floor, ours = [], []
        for _ in range(rounds):
            floor.append(timed(lambda figure=figure: pictures.draw(figure, SLIDE)))
            ours.append(timed(lambda selection=selection: render(selection, "png", size="slide")))
        low, high = median(floor), median(ours)
        ratios[selection.chart.id] = high / low
        print(f"{selection.chart.id:24} {low * 1000:8.0f} {high * 1000:8.0f} {high / low:6.2f}")
    worst = max(ratios, key=ratios.__getitem__)
    print(f"{len(ratios)} charts; the highest ratio is {ratios[worst]:.2f} ({worst})")
    for form in ("html", "csv", "xlsx", "parquet", "json"):
        times = [
            timed(lambda each=each, form=form: render(each, form))
            for each in selections
            for _ in range(rounds)
        ]
        print(f"{form:24} {'':8} {median(times) * 1000:8.0f}")


if __name__ == "__main__":
    asked = sys.argv[2:] or CHARTS
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7, list(REGISTRY) if asked == ["all"] else asked)
