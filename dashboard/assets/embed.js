// An embedded chart: drawn in the colours of the reader's system or as asked for, as wide as its frame, and telling
// the page around it how high it is.
(() => {
    const read = (id) => JSON.parse(document.getElementById(id).textContent);
    const { chart, mode, topojson, colors } = read("settings");
    const figures = read("figures");
    const plot = document.getElementById("plot");
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const config = { displayModeBar: false, topojsonURL: topojson, responsive: false };

    const draw = () => {
        const now = mode === "auto" ? (dark.matches ? "dark" : "light") : mode;
        document.documentElement.style.colorScheme = now;
        for (const [name, value] of Object.entries(colors[now]))
            document.documentElement.style.setProperty(`--${name}`, value);
        const { data, layout } = figures[now];
        return Plotly.react(plot, data, { ...layout, width: plot.clientWidth || undefined }, config);
    };

    // The frame may be narrowed and widened at any time; a drawing that is asked for while another is made waits for it.
    let width = 0;
    const fit = () => {
        if (plot.clientWidth && plot.clientWidth !== width) {
            width = plot.clientWidth;
            Plotly.relayout(plot, { width });
        }
    };
    const tell = () => {
        const height = Math.ceil(document.body.getBoundingClientRect().height);
        parent.postMessage({ type: "genai-atlas:height", chart, height }, "*");
    };
    draw().then(() => {
        width = plot.clientWidth;
        new ResizeObserver(fit).observe(plot);
        new ResizeObserver(tell).observe(document.body);
        tell();
    });
    if (mode === "auto") dark.addEventListener("change", draw);
})();
