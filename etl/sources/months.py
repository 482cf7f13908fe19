"""Calendar months, as the connectors count them: a month is named by its first day."""

from __future__ import annotations

from datetime import date, timedelta


def month_of(day: date) -> date:
    """The month that a day lies in."""
    return day.replace(day=1)


def later(month: date, count: int) -> date:
    """The month so many months later; earlier where the count is negative."""
    years, index = divmod(month.month - 1 + count, 12)
    return date(month.year + years, index + 1, 1)


def between(start: date, end: date) -> int:
    """Months from one month to another."""
    return 12 * (end.year - start.year) + end.month - start.month


def last_day(month: date) -> date:
    """The last day of a month."""
    return later(month, 1) - timedelta(days=1)


def days_in(month: date) -> int:
    """Days that a month has."""
    return last_day(month).day


def as_month(period: str) -> date:
    """The month of a period such as 2026-03."""
    return date(int(period[:4]), int(period[5:7]), 1)
