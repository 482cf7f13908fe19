"""All charts, one module a family. Importing this package registers them."""

from dashboard.charts import (
    adoption,
    framework_papers,
    framework_ranks,
    frameworks,
    hub_compare,
    hub_map,
    hub_ranks,
    investment,
    market_arithmetic,
    market_paths,
    market_strips,
    workforce,
)

__all__ = [
    "adoption",
    "framework_papers",
    "framework_ranks",
    "frameworks",
    "hub_compare",
    "hub_map",
    "hub_ranks",
    "investment",
    "market_arithmetic",
    "market_paths",
    "market_strips",
    "workforce",
]
