"use strict";
/* Draw slices upright, superior up and anterior left, and outlines over them.

   A plane is (AP, SI), the last index quickest. Truth is orange and solid, what was found blue and
   dashed, as in every picture of the course (ivdlib.report.plotting). */
const Draw = (() => {
  const STYLES = {truth: ["#E69F00", []], found: ["#56B4E9", [7, 4]]};
  const HEAT = [[0, 34, 78], [65, 77, 107], [124, 123, 120], [188, 175, 111], [254, 232, 56]];  // cividis

  const grey = (value) => { const shade = 255 * Math.min(1, Math.max(0, value)); return [shade, shade, shade]; };

  function heat(value) {
    const at = Math.min(1, Math.max(0, value)) * (HEAT.length - 1);
    const k = Math.min(Math.floor(at), HEAT.length - 2);
    return HEAT[k].map((shade, i) => shade + (at - k) * (HEAT[k + 1][i] - shade));
  }

  /* Paint a plane over the whole canvas, whose height fits the field of view. */
  function plane(canvas, values, [h, w], [, ap, si], colour) {
    const small = document.createElement("canvas");
    [small.width, small.height] = [h, w];
    const pixels = new ImageData(h, w);
    for (let r = 0; r < h; r++) {
      for (let c = 0; c < w; c++) {
        const at = 4 * ((w - 1 - c) * h + (h - 1 - r));
        pixels.data.set([...colour(values[r * w + c]), 255], at);
      }
    }
    small.getContext("2d").putImageData(pixels, 0, 0);
    canvas.height = Math.round(canvas.width * (w * si) / (h * ap));
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
  }

  /* Draw the rim of a mask along the edges of its pixels. */
  function outline(canvas, mask, [h, w], kind) {
    const context = canvas.getContext("2d");
    const [x, y] = [(r) => (h - r) * canvas.width / h, (c) => (w - c) * canvas.height / w];
    const on = (r, c) => r >= 0 && c >= 0 && r < h && c < w && mask[r * w + c];
    const path = new Path2D();
    for (const line of rim(on, h, w)) {
      line.forEach(([r, c], k) => (k ? path.lineTo(x(r), y(c)) : path.moveTo(x(r), y(c))));
      path.closePath();
    }
    const [colour, dashes] = STYLES[kind];
    context.setLineDash([]);
    context.lineWidth = 3.5;
    context.strokeStyle = "rgba(0, 0, 0, 0.55)";  // so that a line shows on bright pixels, too
    context.stroke(path);
    context.setLineDash(dashes);
    context.lineWidth = 2;
    context.strokeStyle = colour;
    context.stroke(path);
  }

  /* Closed lines round the pixels that are on, with the pixels to the left of each step. */
  function rim(on, h, w) {
    const next = new Map();  // from a corner to the corners that a step leads to
    const step = (a, b) => { const key = a.join(); next.set(key, [...(next.get(key) || []), b]); };
    for (let r = 0; r < h; r++) {
      for (let c = 0; c < w; c++) {
        if (!on(r, c)) continue;
        if (!on(r, c - 1)) step([r, c], [r + 1, c]);
        if (!on(r + 1, c)) step([r + 1, c], [r + 1, c + 1]);
        if (!on(r, c + 1)) step([r + 1, c + 1], [r, c + 1]);
        if (!on(r - 1, c)) step([r, c + 1], [r, c]);
      }
    }
    const lines = [];
    for (const key of next.keys()) {
      while (next.get(key).length) {
        const line = [key.split(",").map(Number)];
        for (let at = key; next.get(at)?.length;) {
          const corner = next.get(at).pop();
          line.push(corner);
          at = corner.join();
        }
        lines.push(line);
      }
    }
    return lines;
  }

  /* Say which way is anterior, posterior, superior, inferior. */
  function letters(canvas) {
    const [context, {width, height}] = [canvas.getContext("2d"), canvas];
    Object.assign(context, {font: "bold 18px sans-serif", textAlign: "center", textBaseline: "middle"});
    context.setLineDash([]);
    for (const [letter, x, y] of [["A", 14, height / 2], ["P", width - 14, height / 2], ["S", width / 2, 15], ["I", width / 2, height - 13]]) {
      Object.assign(context, {lineWidth: 4, strokeStyle: "black", fillStyle: "white"});
      context.strokeText(letter, x, y);
      context.fillText(letter, x, y);
    }
  }

  /* A bar from 0 to 1 with the threshold marked: the legend of probabilities. */
  function bar(canvas, threshold) {
    const [context, {width, height}] = [canvas.getContext("2d"), canvas];
    for (let x = 0; x < width; x++) {
      context.fillStyle = `rgb(${heat(x / (width - 1)).join()})`;
      context.fillRect(x, 0, 1, height);
    }
    Object.assign(context, {fillStyle: "white", strokeStyle: "black", lineWidth: 1});
    context.fillRect(threshold * width - 2, 0, 4, height);
    context.strokeRect(threshold * width - 2, 0, 4, height);
  }

  return {plane, outline, letters, bar, grey, heat};
})();
