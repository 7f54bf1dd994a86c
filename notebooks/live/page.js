"use strict";
/* The controls of the live page: what was chosen, what is computed from it, what is said. */
(() => {
  const byId = (id) => document.getElementById(id);
  const NAMES = {wat: "water", fat: "fat", inn: "in phase", opp: "opposed phase", t2: "T2", image: "the image"};
  const WAIT = 120;  // milliseconds after the last move of a slider
  const SAME_GRID_MM = 0.1;
  const state = {scan: null, weights: {}, answer: null, wish: 0, timer: 0};

  // --- scans -----------------------------------------------------------------------------------

  /* Put volumes together to one scan, on the pixels that the network knows. */
  function scanOf(volumes) {
    const contrasts = {};
    const first = volumes.find(({contrast}) => contrast !== "labels");
    if (!first) throw new Nifti.FileError("There is no image among these files, only labels; give the scan, too.");
    for (const volume of volumes) {
      const off = Math.max(...volume.affine.flat().map((v, i) => Math.abs(v - first.affine.flat()[i])));
      if (volume.shape.join() !== first.shape.join() || off > SAME_GRID_MM) {
        throw new Nifti.FileError(`${volume.name} lies on another grid than ${first.name}; give files of one scan, on one grid.`);
      }
      if (contrasts[volume.contrast]) {
        throw new Nifti.FileError(`${volume.name} and another file are both taken for ${volume.contrast}; let the names of several files end in _wat, _fat, _inn, _opp or _t2.`);
      }
      contrasts[volume.contrast] = volume.data;
    }
    const {labels, ...own} = contrasts;
    if (labels?.some((value) => value !== 0 && value !== 1)) {
      throw new Nifti.FileError("The labels hold other values than 0 and 1; save the discs alone, as 1.");
    }
    return seenScan({shape: first.shape, spacing: first.spacing, truth: labels, contrasts: own});
  }

  function seenScan(scan) {
    const {settings, networks: {fds_cnn: {spacing: known}}} = LIVE;
    const {shape, spacing, contrasts} = scan;
    const plane = Prepare.planeFor(shape, spacing, known, settings.stretch);
    if (Math.max(...plane) > settings.most_pixels) {
      throw new Nifti.FileError("By its header a slice of this scan is larger than any scanner makes; look at the voxel sizes of the file.");
    }
    const changed = plane.join() !== shape.slice(1).join();
    const seen = changed
      ? {
        shape: [shape[0], ...plane],
        spacing: [spacing[0], spacing[1] * shape[1] / plane[0], spacing[2] * shape[2] / plane[1]],
        contrasts: Object.fromEntries(Object.entries(contrasts).map(([name, image]) => [name, Prepare.resample(image, shape, plane)])),
      }
      : {shape, spacing, contrasts};
    return {...scan, seen: {...seen, region: null}, changed};
  }

  async function shipped(number) {
    const {files} = LIVE.scans[number];
    const read = ([name, text]) => Nifti.read(name, Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
    return scanOf(await Promise.all(Object.entries(files).map(read)));
  }

  async function take(promise) {
    const wish = ++state.wish;
    busy(true);
    try {
      const scan = await promise;
      if (wish !== state.wish) return;
      Object.assign(state, {scan, answer: null});
      controlsFor(scan);
      await answer();
    } catch (error) {
      complain(error);
    }
  }

  async function takeFiles(files) {
    if (!files.length) return;
    byId("scan").value = "own";
    const read = async (file) => Nifti.read(file.name, new Uint8Array(await file.arrayBuffer()));
    await take((async () => scanOf(await Promise.all([...files].map(read))))());
  }

  // --- controls --------------------------------------------------------------------------------

  function controlsFor({contrasts, shape, truth}) {
    const names = Object.keys(contrasts);
    const start = names.includes("wat") ? "wat" : names[0];
    state.weights = Object.fromEntries(names.map((name) => [name, Number(name === start)]));
    byId("weights").replaceChildren(...names.map((name) => slider(name, state.weights[name])));
    Object.assign(byId("slice"), {max: shape[0], value: Math.floor(shape[0] / 2) + 1});
    byId("swap").checked = false;
    byId("swap").disabled = !(names.includes("wat") && names.includes("fat"));
    byId("noise").value = 0;
    byId("threshold").value = LIVE.settings.half;
    byId("truth-key").hidden = !truth;
    told();
  }

  function slider(name, value) {
    const row = byId("weight").content.cloneNode(true).firstElementChild;
    const [label, input] = [row.querySelector("label"), row.querySelector("input")];
    input.id = label.htmlFor = `weight-${name}`;
    row.querySelector("output").htmlFor = input.id;
    label.textContent = NAMES[name] || name;
    input.value = value;
    input.addEventListener("input", () => { state.weights[name] = Number(input.value); });
    return row;
  }

  /* Write beside each slider where it stands. */
  function told() {
    for (const input of document.querySelectorAll('input[type="range"]')) {
      const value = Number(input.value);
      const words = {slice: `${value} of ${input.max}`, noise: `${Math.round(100 * value)} %`}[input.id] || value.toFixed(2);
      document.querySelector(`output[for="${input.id}"]`).textContent = words;
      input.setAttribute("aria-valuetext", words);
    }
  }

  const chosen = () => ({
    slice: Number(byId("slice").value) - 1,
    swap: byId("swap").checked,
    noise: Number(byId("noise").value),
    threshold: Number(byId("threshold").value),
  });

  // --- the answer ------------------------------------------------------------------------------

  /* What the network sees of the slice; null if no contrast is left. */
  function planeSeen({contrasts, shape}, {slice, swap, noise}) {
    const shown = swap ? {...contrasts, wat: contrasts.fat, fat: contrasts.wat} : contrasts;
    const image = Prepare.fuse(shown, state.weights);
    const size = shape[1] * shape[2];
    return image && Prepare.addNoise(image.slice(slice * size, (slice + 1) * size), noise);
  }

  async function answer() {
    const [wish, now, {scan}] = [++state.wish, chosen(), state];
    const wanted = () => wish === state.wish;
    if (!scan) return;
    const {threshold, ...rest} = now;
    const key = JSON.stringify([rest, state.weights]);
    if (state.answer?.key === key) { show(now); return; }
    busy(true);
    try {
      const begun = performance.now();
      const image = planeSeen(scan.seen, now);
      if (!image) throw new Nifti.FileError("Nothing is left to look at: give one contrast a weight above 0.");
      showImage(image, scan, null, now);
      scan.seen.region = scan.seen.region || await Network.region(scan.seen, say, wanted);
      const ready = performance.now();
      const seen = wanted() && await Network.discs(image, now.slice, scan.seen, wanted);
      if (!seen) return;
      const probability = scan.changed ? Prepare.resample(seen, [1, ...scan.seen.shape.slice(1)], scan.shape.slice(1)) : seen;
      const [first, seconds] = [(ready - begun) / 1000, (performance.now() - ready) / 1000];
      state.answer = {key, image, probability, first, seconds};
      show(now);
    } catch (error) {
      if (wanted()) complain(error);
    }
  }

  function show({slice, threshold}) {
    const {scan, answer: {image, probability, seconds}} = state;
    const size = probability.length;
    const mask = probability.map((value) => value >= threshold);
    const truth = scan.truth?.subarray(slice * size, (slice + 1) * size);
    showImage(image, scan, {truth, found: mask});
    Draw.plane(byId("probability"), probability, scan.shape.slice(1), scan.spacing, Draw.heat);
    if (mask.some(Boolean)) Draw.outline(byId("probability"), mask, scan.shape.slice(1), "found");
    Draw.letters(byId("probability"));
    Draw.bar(byId("bar"), threshold);
    const ml = (some) => some.reduce((sum, value) => sum + (value ? 1 : 0), 0) * scan.spacing.reduce((a, b) => a * b) / 1000;
    const numbers = {found: ml(mask), truth: truth && ml(truth), dice: truth && dice(mask, truth), most: Math.max(...probability)};
    state.answer.numbers = numbers;
    say(sentence(slice, scan.shape[0], threshold, numbers), `The network took ${seconds.toFixed(2)} s for this slice.`);
    busy(false);
  }

  function showImage(image, {shape, spacing, seen}, masks) {
    const canvas = byId("picture");
    Draw.plane(canvas, image, seen.shape.slice(1), seen.spacing, Draw.grey);
    for (const kind of masks ? ["truth", "found"] : []) {
      if (masks[kind]?.some(Boolean)) Draw.outline(canvas, masks[kind], shape.slice(1), kind);
    }
    Draw.letters(canvas);
  }

  function dice(mask, truth) {
    let [both, sum] = [0, 0];
    mask.forEach((value, i) => { both += value && truth[i] ? 1 : 0; sum += (value ? 1 : 0) + (truth[i] ? 1 : 0); });
    return sum ? 2 * both / sum : 1;
  }

  function sentence(slice, count, threshold, {found, truth, dice: score, most}) {
    const where = `Slice ${slice + 1} of ${count}`;
    const what = found
      ? `the network finds ${found.toFixed(2)} ml of disc in it`
      : `the network finds no disc (its highest probability is ${most.toFixed(2)}, the threshold ${threshold.toFixed(2)})`;
    const beside = truth === undefined ? "What is true, nobody has told the page." : `The truth holds ${truth.toFixed(2)} ml: Dice ${score.toFixed(3)}.`;
    return `${where}: ${what}. ${beside}`;
  }

  // --- what is said ----------------------------------------------------------------------------

  function say(text, beside = "") {
    byId("result").textContent = text;
    byId("result").classList.remove("wrong");
    byId("seconds").textContent = beside;
    byId("picture").setAttribute("aria-label", `A sagittal slice. ${text}`);
    byId("probability").setAttribute("aria-label", `The probability of disc in each pixel. ${text}`);
  }

  function busy(is) {
    byId("pictures").setAttribute("aria-busy", is);
  }

  /* One sentence for whoever sits there; what nobody foresaw goes to the console, too. */
  function complain(error) {
    const known = error instanceof Nifti.FileError || error instanceof Network.NoSpine;
    if (!known) console.error(error);
    say(known ? error.message : `The page failed: ${error.message}. Reload it.`);
    byId("result").classList.add("wrong");
    byId("probability").getContext("2d").clearRect(0, 0, 9999, 9999);
    busy(false);
  }

  // --- from the start --------------------------------------------------------------------------

  function listen() {
    const choices = LIVE.scans.map(({title}, number) => new Option(title, number));
    byId("scan").replaceChildren(...choices, new Option("A scan of my own", "own"));
    byId("scan").addEventListener("change", ({target: {value}}) => (value === "own" ? byId("file").focus() : take(shipped(value))));
    byId("file").addEventListener("change", ({target}) => takeFiles(target.files));
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
    byId("controls").addEventListener("input", ({target}) => {
      if (!target.matches('input[type="range"], input[type="checkbox"]')) return;
      told();
      clearTimeout(state.timer);
      state.timer = setTimeout(answer, WAIT);
    });
    byId("reset").addEventListener("click", () => { if (state.scan) { controlsFor(state.scan); answer(); } });
    for (const kind of ["dragover", "drop"]) {  // anywhere: else the browser leaves for the file
      document.addEventListener(kind, (event) => {
        event.preventDefault();
        document.body.classList.toggle("dropping", kind === "dragover");
        if (kind === "drop") takeFiles(event.dataTransfer.files);
      });
    }
    document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  }

  async function start() {
    try {
      await Network.start();
    } catch (error) {
      console.error(error);
      byId("why").textContent = `This browser cannot run the network (${error.message}), so here is a still picture. Chromium, Firefox and Safari of 2023 or newer can.`;
      return;
    }
    document.body.classList.add("running");
    listen();
    await take(shipped(0));
  }

  window.live = {state, start: start()};  // for tests and for the curious
})();
