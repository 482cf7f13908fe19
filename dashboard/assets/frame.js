// For pages that embed charts: gives each frame the height that its chart asks for. Only the frame that spoke moves.
addEventListener("message", ({ data, source }) => {
    if (!data || data.type !== "genai-atlas:height" || !(data.height > 0)) return;
    for (const frame of document.querySelectorAll("iframe"))
        if (frame.contentWindow === source) frame.style.height = `${Math.min(data.height, 4000)}px`;
});
