/* Draws a chart with its citation around it: title, takeaway, what was chosen; sources, dates, build, address.

   It stands between Kaleido and Plotly.toImage. A figure whose layout.meta.picture says what to write comes back
   as one drawing of exactly the size that was asked for; texts are measured with the very typeface and broken into
   lines, so that none is clipped. The chart itself gets the height that it was made for, at least, at which its marks
   and labels keep apart: where the picture is too flat for that, everything is drawn larger and scaled down. */
(() => {
  const plotlyToImage = Plotly.toImage;
  const pen = document.createElement("canvas").getContext("2d");
  const face = window.atlasFont && new FontFace("Source Sans", `url(${window.atlasFont})`, { weight: "200 900" });
  const ready = face ? face.load().then((loaded) => document.fonts.add(loaded)) : Promise.resolve();

  const escaped = (text) =>
    text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

  /* How wide a text is, by font size and weight. Every word is measured once: a drawing is planned in many rounds,
     and each of them breaks all texts anew. */
  const ruler = (family) => {
    const known = new Map();
    return (text, size, weight) => {
      const key = `${weight} ${text}`;
      if (!known.has(key)) {
        pen.font = `${weight} 100px ${family}`;
        known.set(key, pen.measureText(text).width / 100);
      }
      return known.get(key) * size;
    };
  };

  /* Breaks a text into lines of at most `room`; a word that is longer than a line is broken where it must be.
     No-break spaces hold a name and its years together. */
  const broken = (text, room, width) => {
    const lines = [], space = width(" ");
    let line = [], used = 0;
    for (let word of text.split(/[ \n]+/).filter(Boolean)) {
      if (line.length && used + space + width(word) <= room) {
        line.push(word);
        used += space + width(word);
        continue;
      }
      if (line.length) lines.push(line.join(" "));
      while (width(word) > room) {
        let cut = word.length - 1;
        while (cut > 1 && width(word.slice(0, cut)) > room) cut -= 1;
        lines.push(word.slice(0, cut));
        word = word.slice(cut);
      }
      line = [word];
      used = width(word);
    }
    if (line.length) lines.push(line.join(" "));
    return lines;
  };

  /* "Source: A (2024), B (2025) and 7 more": as many names as two or three lines hold. */
  const sources = (names, room, width, most) => {
    if (!names.length) return [];
    for (let kept = names.length; kept > 0; kept -= 1) {
      const more = names.length - kept;
      const text = `Source: ${names.slice(0, kept).join(", ")}${more ? ` and ${more} more, named at the address` : ""}`;
      const lines = broken(text, room, width);
      if (lines.length <= most) return lines;
    }
    return broken(`Source: ${names.length} publishers, named at the address`, room, width);
  };

  /* All lines of head and foot, with their places, for a drawing of this width; sizes grow with `scale`. */
  const written = (picture, measure, wide, scale) => {
    const { colors } = picture;
    const pad = 24 * scale, room = wide - 2 * pad;
    let y = pad;
    const place = (lines, size, weight, fill, gap = 0) => {
      const placed = lines.map((text) => {
        y += size * 1.3;
        return { text, x: pad, y: y - size * 0.32, size, weight, fill };
      });
      y += gap;
      return placed;
    };
    const breaks = (text, size, weight) => broken(text, room, (part) => measure(part, size, weight));
    const big = 22 * scale, middle = 15.5 * scale, small = 12.5 * scale;
    const head = [
      ...place(breaks(picture.title, big, 700), big, 700, colors.text, 4 * scale),
      ...place(breaks(picture.takeaway, middle, 400), middle, 400, colors.text, 4 * scale),
      ...place(breaks(picture.choice, small, 400), small, 400, colors.muted),
    ];
    const headHeight = y + 10 * scale;
    y = 12 * scale;
    const foot = [
      ...place(
        sources(picture.sources, room, (part) => measure(part, small, 400), picture.lines),
        small, 400, colors.muted,
      ),
    ];
    const fits = (text) => measure(text, small, 400) <= room;
    const address = [picture.address, picture.shortAddress].find(fits) ?? picture.shortAddress;
    for (const line of [picture.made, address].flatMap((text) => breaks(text, small, 400))) {
      foot.push(...place([line], small, 400, colors.muted));
    }
    return { pad, head, headHeight, foot, footHeight: y + pad * 0.7 };
  };

  /* The smallest drawing of the asked shape in which the chart has its height. The texts around it
     grow less than the drawing, so that those of the chart stay legible beside them. */
  const planned = (picture) => {
    const measure = ruler(picture.family);
    let wide = picture.leastWidth;
    for (let round = 0; ; round += 1) {
      const texts = written(picture, measure, wide, (wide / picture.leastWidth) ** 0.6);
      const taken = texts.headHeight + texts.footHeight;
      const high = picture.height === null ? taken + picture.chartHeight : (wide * picture.height) / picture.width;
      const lacking = taken + picture.chartHeight - high;
      if (lacking <= 0.5 || round === 60) return { wide, high, ...texts };
      wide += (lacking * picture.width) / picture.height;
    }
  };

  const textElement = ({ text, x, y, size, weight, fill }, top) =>
    `<text x="${x}" y="${y + top}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(text)}</text>`;

  const drawing = async (figure, picture) => {
    const plan = planned(picture);
    const { wide, high, pad, head, headHeight, foot, footHeight } = plan;
    const inner = { width: wide - 2 * pad, height: high - headHeight - footHeight };
    const layout = { ...figure.layout, ...inner };
    const chart = await plotlyToImage(
      { data: figure.data, layout, config: figure.config },
      { format: "svg", ...inner, scale: 1, imageDataOnly: true },
    );
    const rule = high - footHeight + 4;
    const pixels = { width: picture.width, height: picture.height ?? Math.round((high * picture.width) / wide) };
    const style = window.atlasFont
      ? `<style>@font-face{font-family:"Source Sans";font-weight:200 900;src:url(${window.atlasFont})}</style>`
      : "";
    const svg = (scale) => [
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img"`,
      ` width="${pixels.width * scale}" height="${pixels.height * scale}" viewBox="0 0 ${wide} ${high}"`,
      ` preserveAspectRatio="none" font-family="${escaped(picture.family)}">`,
      `<title>${escaped(picture.title)}</title><desc>${escaped(picture.takeaway)}</desc>${style}`,
      `<rect width="100%" height="100%" fill="${picture.colors.ground}"/>`,
      ...head.map((line) => textElement(line, 0)),
      chart.replace(/^\s*<svg/, `<svg x="${pad}" y="${headHeight}"`),
      `<path d="M${pad} ${rule}H${wide - pad}" stroke="${picture.colors.line}" stroke-width="1"/>`,
      ...foot.map((line) => textElement(line, high - footHeight)),
      "</svg>",
    ].join("");
    return { svg, pixels };
  };

  const painted = async (svg, { width, height }, type) => {
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    try {
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      canvas.getContext("2d").drawImage(image, 0, 0, width, height);
      return canvas.toDataURL(type).split(",")[1];
    } finally {
      URL.revokeObjectURL(image.src);
    }
  };

  const asAddress = (svg) => `data:image/svg+xml,${encodeURIComponent(svg)}`;

  Plotly.toImage = async (figure, options) => {
    await ready;
    const picture = figure.layout?.meta?.picture;
    if (!picture) return plotlyToImage(figure, options);
    const { svg, pixels } = await drawing(figure, picture);
    if (options.format !== "svg") {
      const scale = options.scale ?? 1;
      const size = { width: Math.round(pixels.width * scale), height: Math.round(pixels.height * scale) };
      return painted(svg(scale), size, `image/${options.format}`);
    }
    if (options.imageDataOnly) return svg(1);
    // A PDF: the page has the size of the drawing, which Kaleido does not know before.
    const page = document.createElement("style");
    page.textContent = `@page { size: ${pixels.width}px ${pixels.height}px; margin: 0 } img { display: block }`;
    document.body.append(page);
    return asAddress(svg(1));
  };
})();
