// What Streamlit's front end is helped with. Runs once, before it.

// The address of the server: else the front end of a page like /market first probes /market/_stcore.
window.__streamlit = { BACKEND_BASE_URL: window.location.origin + window.atlasBase };

// Leaving a page, Streamlit makes two or three steps of history: the old address without its filters, the new page,
// the new page with its filters. What follows one action of the reader is one step back.
{
    const push = history.pushState.bind(history);
    let isFirst = false;
    for (const name of ["pointerdown", "keydown", "popstate"])
        addEventListener(name, () => { isFirst = true; }, { capture: true });
    history.pushState = (state, title, address) => {
        if (isFirst) push(state, title, address);
        else history.replaceState(state, title, address);
        isFirst = false;
    };
}

// Streamlit scrolls to the heading that an address names as soon as that is there; what is drawn afterwards moves
// it away again. This keeps it in view until the page is complete or the reader takes over.
if (location.hash) {
    const find = () => document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const observer = new MutationObserver(() => find()?.scrollIntoView());
    const stop = () => observer.disconnect();
    observer.observe(document.documentElement, { childList: true, subtree: true });
    for (const name of ["wheel", "touchstart", "pointerdown", "keydown"])
        addEventListener(name, stop, { once: true });
    setTimeout(stop, 15000);
}
