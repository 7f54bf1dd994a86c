// A picture that tells Python where it is clicked, and which arrow keys are pressed on it.
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const FAR = 10; // steps at once, with the shift key

function render({ model, el }) {
  const box = document.createElement("div");
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Click a place in the picture, or move there by the arrow keys");
  box.style.width = "fit-content";
  box.style.cursor = "crosshair";
  // else JupyterLab would take the arrow keys and go to the next cell
  box.setAttribute("data-lm-suppress-shortcuts", "true");
  const draw = () => { box.innerHTML = model.get("value"); };

  // One question at a time: keys that come while Python answers are added up.
  let busy = false;
  let waiting = null;
  const tell = (said) => {
    if (!busy) {
      busy = true;
      model.send(said);
    } else if (waiting && "right" in waiting && "right" in said) {
      waiting = { right: waiting.right + said.right, up: waiting.up + said.up };
    } else {
      waiting = said;
    }
  };
  const next = () => {
    const said = waiting;
    busy = false;
    waiting = null;
    if (said) tell(said);
  };

  box.addEventListener("click", (event) => {
    const image = box.querySelector("img").getBoundingClientRect();
    const [x, y] = [event.clientX - image.left, event.clientY - image.top];
    tell({ x: x / image.width, y: y / image.height });
  });
  box.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const far = event.shiftKey ? FAR : 1;
    tell({ right: far * step[0], up: far * step[1] });
  });
  model.on("change:value", draw);
  model.on("msg:custom", next);
  draw();
  el.appendChild(box);
  return () => {
    model.off("change:value", draw);
    model.off("msg:custom", next);
  };
}

export default { render };
