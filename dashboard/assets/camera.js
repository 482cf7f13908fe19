// The camera of a chart saves the plot alone. Here title, takeaway, sources, build and address, as the card shows them,
// are drawn around it, so that no picture leaves without them. Where that fails, the plot is saved as it is.
{
    const SCALE = 2, PAD = 16; // pixels of the picture a pixel of the page, as components.py asks of the camera
    const NAME = /^genai-atlas-(.+)-(\d{8}T\d{9}Z-[0-9a-f]{12})\.png$/;

    const broken = (pen, text, room) => {
        const lines = [""];
        for (const word of text.split(/\s+/)) {
            const longer = `${lines.at(-1)} ${word}`.trim();
            if (pen.measureText(longer).width <= room) {
                lines[lines.length - 1] = longer;
                continue;
            }
            lines.push("");
            for (const sign of word) {
                if (pen.measureText(lines.at(-1) + sign).width > room) lines.push("");
                lines[lines.length - 1] += sign;
            }
        }
        return lines.filter(Boolean);
    };

    const PREFIX = "st-key-card-";
    const idOf = (card) => [...card.classList].find((name) => name.startsWith(PREFIX)).slice(PREFIX.length);

    /* The card whose id the name of the picture begins with; the filters follow there. */
    const cardOf = (asked) => [...document.querySelectorAll(`[class*="${PREFIX}"]`)]
        .filter((card) => `${asked}-`.startsWith(`${idOf(card)}-`))
        .sort((one, other) => idOf(other).length - idOf(one).length)[0];

    const cited = async (blob, asked, build) => {
        const card = cardOf(asked), id = idOf(card);
        const plot = await createImageBitmap(blob);
        const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
        const wide = plot.width / SCALE + 2 * PAD, style = getComputedStyle(card);
        const said = (selector) => card.querySelector(selector)?.innerText ?? "";
        const address = new URL(location.href);
        address.searchParams.set("chart", id);
        address.searchParams.set("build", build);
        address.hash = id;
        const texts = (parts) => parts.flatMap(([text, size, weight]) => {
            pen.font = `${weight} ${size}px ${style.fontFamily}`;
            return broken(pen, text, wide - 2 * PAD).map((line) => ({ line, size, font: pen.font }));
        });
        const head = texts([
            [said("h3"), 20, 700],
            [said("[data-testid=stMarkdown]"), 15, 400],
        ]);
        const foot = texts([
            [said("[data-testid=stCaptionContainer]"), 12, 400],
            [`GenAI Atlas, build ${build}`, 12, 400],
            [address.href, 12, 400],
        ]);
        const taken = (lines) => lines.reduce((sum, { size }) => sum + size * 1.35, PAD);
        canvas.width = wide * SCALE;
        canvas.height = plot.height + (taken(head) + taken(foot) + PAD) * SCALE;
        pen.scale(SCALE, SCALE);
        pen.fillStyle = getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor;
        pen.fillRect(0, 0, canvas.width, canvas.height);
        pen.fillStyle = style.color;
        const write = (lines, top) => {
            for (const { line, size, font } of lines) {
                top += size * 1.35;
                pen.font = font;
                pen.fillText(line, PAD, top);
            }
        };
        write(head, PAD / 2);
        pen.drawImage(plot, PAD, taken(head), plot.width / SCALE, plot.height / SCALE);
        write(foot, taken(head) + plot.height / SCALE);
        return new Promise((resolve) => canvas.toBlob((made) => resolve(made ?? blob)));
    };

    addEventListener("click", (event) => {
        const link = event.target, [, asked, build] = NAME.exec(link.download ?? "") ?? [];
        if (!build || !link.href.startsWith("blob:") || link.dataset.cited) return;
        event.preventDefault();
        // fetch() holds the picture, which Plotly withdraws after the click.
        fetch(link.href).then((answer) => answer.blob()).then(async (blob) => {
            const made = await cited(blob, asked, build).catch(() => blob);
            const saved = Object.assign(document.createElement("a"), {
                href: URL.createObjectURL(made), download: link.download,
            });
            saved.dataset.cited = "yes";
            saved.click();
            setTimeout(() => URL.revokeObjectURL(saved.href), 60000);
        });
    }, { capture: true });
}
