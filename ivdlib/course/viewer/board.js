// A contour over a picture: drawn free-hand, or moved point by point, by mouse or by keyboard.
// The picture's user units are mm. Nothing is asked of any server.
const SVG = "http://www.w3.org/2000/svg";
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 0.25; // how far an arrow key moves a point
const GRIP = 1; // how near to a point one must click to take hold of it
const SPACING = 2; // between two points of a free-hand line
const FEWEST = 3;

const part = (name, attributes) => {
  const element = document.createElementNS(SVG, name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  return element;
};
const distance = ([a, b], [c, d]) => Math.hypot(a - c, b - d);

// How far a place is from the side between two points.
const fromSide = (place, [a, b], [c, d]) => {
  const length = (c - a) ** 2 + (d - b) ** 2 || 1;
  const along = ((place[0] - a) * (c - a) + (place[1] - b) * (d - b)) / length;
  const share = Math.min(1, Math.max(0, along));
  return distance(place, [a + share * (c - a), b + share * (d - b)]);
};

function render({ model, el }) {
  const svg = part("svg", { role: "group", "data-lm-suppress-shortcuts": "true" });
  svg.style = "position:absolute;inset:0;width:100%;height:100%;touch-action:none;cursor:crosshair";
  const colour = model.get("colour");
  const line = part("path", {
    fill: "none", stroke: colour, "stroke-width": 0.3, "stroke-dasharray": "0.3 0.5",
  });
  svg.append(line);
  const dots = [];
  let points = [], stroke = null, held = null;

  const draw = (places, closed) => {
    line.setAttribute("d", `M${places.map((p) => p.join(" ")).join("L")}${closed ? "Z" : ""}`);
  };
  const redraw = () => {
    const [left, top, width, height] = model.get("window");
    svg.setAttribute("viewBox", [left, top, width, height].join(" "));
    svg.setAttribute("aria-label", "Contour of your drawing");
    while (dots.length > points.length) dots.pop().remove();
    while (dots.length < points.length) {
      // the browser's own frame would hide the point; the chosen one, which has the focus, is larger
      const dot = part("circle", { tabindex: 0, role: "button", stroke: "white", style: "outline:none" });
      dot.addEventListener("focus", () => save(dots.indexOf(dot)));
      dot.addEventListener("keydown", (event) => press(event, dots.indexOf(dot)));
      dots.push(dot);
      svg.append(dot);
    }
    dots.forEach((dot, n) => {
      const [x, y] = points[n];
      const chosen = n === model.get("chosen");
      const at = `${(x - left).toFixed(1)} mm from the left, ${(top + height - y).toFixed(1)} from below`;
      for (const [key, value] of Object.entries({
        cx: x, cy: y, r: chosen ? 0.8 : 0.4, fill: colour, "stroke-width": chosen ? 0.25 : 0.12,
        "aria-label": `point ${n + 1} of ${points.length}, ${at}; arrow keys move it, ` +
          "plus adds a point after it, minus removes it",
      })) dot.setAttribute(key, value);
    });
    draw(points, true);
  };
  const save = (chosen, places = points) => {
    const [left, top, width, height] = model.get("window");
    points = places.map(([x, y]) => [
      Math.min(left + width, Math.max(left, x)), Math.min(top + height, Math.max(top, y)),
    ]);
    model.set({ contour: points, chosen });
    model.save_changes();
    redraw();
  };
  const moved = (n, x, y) => points.map((point, k) => (k === n ? [x, y] : point));
  const added = (n, place) => [...points.slice(0, n + 1), place, ...points.slice(n + 1)];

  const press = (event, n) => {
    const [x, y] = points[n], next = points[(n + 1) % points.length];
    if (event.key in KEYS) {
      const [right, down] = KEYS[event.key];
      save(n, moved(n, x + STEP * right, y + STEP * down));
    } else if (event.key === "+" || event.key === "=") {
      save(n + 1, added(n, [(x + next[0]) / 2, (y + next[1]) / 2]));
      dots[n + 1].focus();
    } else if (["-", "Delete", "Backspace"].includes(event.key)) {
      if (points.length > FEWEST) {
        save(Math.max(0, n - 1), points.filter((_, k) => k !== n));
        dots[Math.max(0, n - 1)].focus();
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const place = (event) => {
    const [left, top, width, height] = model.get("window");
    const box = svg.getBoundingClientRect();
    return [
      left + ((event.clientX - box.left) / box.width) * width,
      top + ((event.clientY - box.top) / box.height) * height,
    ];
  };
  svg.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    const at = place(event), far = points.map((point) => distance(point, at));
    const nearest = far.indexOf(Math.min(...far));
    if (far[nearest] < GRIP) dots[(held = nearest)].focus();
    else stroke = [at];
  });
  svg.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (held !== null) save(held, moved(held, ...at));
    else if (stroke) {
      if (distance(stroke.at(-1), at) >= SPACING) stroke.push(at);
      draw([...stroke, at], false);
    }
  });
  svg.addEventListener("pointerup", () => {
    if (stroke && stroke.length >= FEWEST) save(0, stroke);
    else if (stroke) {
      const far = points.map((point, n) => fromSide(stroke[0], point, points[(n + 1) % points.length]));
      const side = far.indexOf(Math.min(...far));
      save(side + 1, added(side, stroke[0]));
    }
    stroke = held = null;
  });

  const take = () => {
    points = model.get("contour");
    redraw();
  };
  const show = () => {
    el.innerHTML = model.get("picture");
    el.firstChild.append(svg);
    take();
  };
  model.on("change:picture", show);
  model.on("change:contour change:chosen change:window", take);
  show();
}

export default { render };
