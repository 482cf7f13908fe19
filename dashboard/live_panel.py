"""What the last refresh did, how the live sources are, and the button that starts a refresh."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import streamlit as st

from dashboard.ages import ago, rhythm, span
from dashboard.charts.marks import capitalised, counted
from dashboard.components import plain
from dashboard.refreshing import (
    REFRESHER,
    LastRun,
    last_answered_run,
    last_built_run,
    last_run,
    next_run,
    title_of,
    under_way,
)
from dashboard.warehouse import ask, changes, live_sources, warehouse
from etl.freshness import Freshness
from etl.settings import Settings
from etl.warehouse import Build, Home, is_replayed

SECONDS_BETWEEN_LOOKS = 1.0
SOURCE_WIDTH = 180  # pixels; on a phone there is room for the state beside it
WHY_WIDTH = 420
MOST_NAMED = 3
OUTCOMES = {
    "new": "new figures",
    "unchanged": "nothing new",
    "partial": "a part, up to a limit",
    "deferred": "asked to come back later",
    "failed": "failed",
    None: "never asked",
}
HEADINGS = (
    "Source",
    "State",
    "Read",
    "Next due",
    "Rhythm",
    "Last result",
    "Why",
    "Publisher",
    "Licence or terms",
)
_WATCHED, _SAID, _BEGUN, _SEEN = "refresh-watched", "refresh-said", "refresh-begun", "refresh-seen"


def built_at(build: Build) -> str:
    """When a build was made, as the lists of builds name it."""
    return f"{build.built_at:%d %B %Y, %H:%M:%S} UTC".removeprefix("0")


def builds_to_compare() -> list[Build]:
    """The builds that are kept and may be shown, newest first."""
    settings = Settings()
    found = Home(settings.home).builds()
    return found if settings.demo else [each for each in found if not is_replayed(each)]


# --- what the last refresh changed ------------------------------------------------------------------------


def refreshed_line() -> None:
    """One line on what the last refresh changed in the build that is shown; nothing if none did."""
    run, is_new = _shown_run()
    if run is None or run.build is None or run.build > warehouse().build_id:
        return  # an earlier build is shown again
    made = _beside_the_one_before(run.build) if is_new else None
    told = _changed(*made) if made else "no figure changed"
    if made is None and is_new:
        told = f"{counted(len(run.answered), 'source')} answered"  # the builds to compare are gone
    if run.silent:
        total = len(run.answered) + len(run.silent)
        told += f"; {len(run.silent)} of {counted(total, 'source')} did not answer"
    shown = {"section": "Changes", "new": built_at(made[1]), "old": built_at(made[0])} if made else {}
    st.page_link(
        "app_pages/data.py",
        label=f"Refreshed {ago(run.ended, datetime.now(UTC))}: {told}",
        icon=":material/update:",
        query_params=shown or {"section": "Freshness"},
    )


def _shown_run() -> tuple[LastRun | None, bool]:
    """The last refresh that a build has the figures of, and whether that build was made of them.

    What was held back is in the first build that was published later, by whoever accepted it.
    """
    settings = Settings()
    run = last_answered_run(settings)
    if run is not None and run.build is None:
        later = [build for build in Home(settings.home).builds() if build.built_at > run.ended]
        if later:
            return replace(run, build=later[-1].build_id), True
        run = last_built_run(settings)
    return run, run is not None and run.has_published


def _beside_the_one_before(build_id: str) -> tuple[Build, Build] | None:
    """The build before one and that one, if both are there."""
    builds = builds_to_compare()
    place = next((n for n, build in enumerate(builds) if build.build_id == build_id), len(builds))
    return (builds[place + 1], builds[place]) if place + 1 < len(builds) else None


def _changed(old: Build, new: Build) -> str:
    """How many figures of live sources were added, changed and withdrawn, and from how many sources."""
    live = set(ask("SELECT source_id FROM live_source")["source_id"])
    found = [each for each in changes(old, new).changes if each.source_id in live]
    if not found:
        return "no figure changed"
    said: list[str] = []
    for kind in ("added", "changed", "withdrawn"):
        if count := sum(each.kind == kind for each in found):
            said.append(f"{f'{count:,}' if said else counted(count, 'figure')} {kind}")
    sources = counted(len({each.source_id for each in found}), "source")
    return ", ".join([*said, f"from {sources}"])


def held_notice() -> None:
    """Why the last build was held back, as long as none was published since."""
    run = last_run(Settings())
    if run is None or not run.held or warehouse().built_at > run.ended:
        return
    reasons = "\n".join(f"- {plain(reason)}" for reason in run.held)
    st.warning(
        f"{reasons}\n\nThe build before is shown. Whoever runs this dashboard looks at them, then "
        "publishes the new one with `genai-atlas build --accept` or leaves it.",
        title=f"A new build was held back {ago(run.ended, datetime.now(UTC))}",
        icon=":material/front_hand:",
    )


# --- the live sources -------------------------------------------------------------------------------------


def live_panel() -> None:
    """The refresh (its button, its progress, what came of the last one) and the state of each live source."""
    running = REFRESHER.is_running(Settings())
    # It looks again and again only while there is something to see.
    st.fragment(_refresh, run_every=SECONDS_BETWEEN_LOOKS if running else None)()
    sources = live_sources(datetime.now(UTC))
    # What needs a look comes first.
    ordered = sorted(
        (each for each in sources if each.source_id),
        key=lambda each: (not each.reason, not each.is_overdue, each.publisher or "", each.title),
    )
    rows = [_row(each) for each in ordered]
    moment = st.column_config.DatetimeColumn(format="distance")
    st.dataframe(
        pd.DataFrame(rows, columns=list(HEADINGS)),
        hide_index=True,
        placeholder="",
        column_config={
            "Source": st.column_config.Column(width=SOURCE_WIDTH),
            "Why": st.column_config.Column(width=WHY_WIDTH if any(each.reason for each in ordered) else None),
            "Read": moment,
            "Next due": moment,
        },
        alt="The live sources with rhythm, state and last result",
    )


def _row(source: Freshness) -> tuple[object, ...]:
    never = "read on request only" if source.is_optional else "never read"
    state = "overdue" if source.is_overdue else "up to date" if source.last_success else never
    return (
        source.title,
        capitalised(state),
        source.last_success,
        source.next_due,
        capitalised(rhythm(source.rhythm_days)) if source.rhythm_days else None,
        capitalised(OUTCOMES[source.last_outcome]),
        source.reason,
        source.publisher,
        source.licence,
    )


def _refresh() -> None:
    """The part of the panel that looks again while a refresh is running."""
    settings, state = Settings(), st.session_state
    running = REFRESHER.is_running(settings)
    if state.pop(_BEGUN, False) or (state.get(_WATCHED) and not running):
        state[_WATCHED] = running
        st.rerun()  # the whole page: to look again and again, or to show the build that was made
    state[_WATCHED] = running
    if settings.allow_refresh:
        st.button("Refresh now", icon=":material/sync:", on_click=_start, key="refresh-now")
    if running:
        if state.get(_SAID):
            st.info("A refresh is running already; this is how far it is.", icon=":material/sync:")
        _progress(settings)
        return
    state[_SAID] = state[_SEEN] = False
    if REFRESHER.failure:
        st.error(plain(REFRESHER.failure), icon=":material/sync_problem:")
    _outcome(settings)


def _start() -> None:
    """Start a refresh, or note that one is running."""
    st.session_state[_SAID] = not REFRESHER.start(Settings())
    st.session_state[_BEGUN] = True


def _progress(settings: Settings) -> None:
    """How far the refresh is: as a whole, and each source that is being asked."""
    at = under_way(settings)
    if at.is_building:
        st.session_state[_SEEN] = True
        st.progress(1.0, f"{counted(at.ended, 'source')} asked; building and checking")
        return
    total = at.ended + len(at.asking) + at.waiting
    if not total:
        # The process outlives its run by a moment.
        st.progress(*((1.0, "Finishing") if st.session_state.get(_SEEN) else (0.0, "Starting")))
        return
    st.session_state[_SEEN] = True
    st.progress(at.ended / total, f"{at.ended} of {counted(total, 'source')} asked")
    for title, done, planned in at.asking:
        words = f"{done:,} of {planned:,} requests" if planned else "reading what is known"
        st.progress(min(1.0, done / planned) if planned else 0.0, f"{plain(title)}: {words}")


def _outcome(settings: Settings) -> None:
    """What came of the last refresh, and when the next one is."""
    run, now = last_run(settings), datetime.now(UTC)
    said = ["No live source was ever asked; the figures are those that ship."]
    if run:
        new = sum(each["outcome"] == "new" for each in run.answered)
        total = len(run.answered) + len(run.silent)
        answered = f"{len(run.answered)} of {counted(total, 'source')} answered"
        said = [f"Refreshed {ago(run.ended, now)}: {answered}, {new or 'none'} with new figures."]
        if run.silent:
            names = [title_of(each["source"]) for each in run.silent]
            rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            silent = plain("; ".join(names[:MOST_NAMED]) + rest)
            said.append(f"Without success: {silent}. What was read of them before stays; the table says why.")
    if settings.refresh_every:
        due = next_run(settings, settings.refresh_every, REFRESHER.tried)
        said.append(f"The next one starts {_until(due - now) if due else 'in a moment'}.")
    st.caption(" ".join(said))
    if run and run.error and not run.held:
        st.error(plain(run.error), icon=":material/error:")


def _until(wait: timedelta) -> str:
    return f"in {span(wait)}" if wait > timedelta(minutes=1) else "in a moment"
