"use strict";
/* Run the two networks by ONNX Runtime Web, as ivdlib.training.inference and spine_of_scan do.

   Everything comes from scripts that lie beside the page: a page that was opened from disk may not
   fetch files. LIVE.engine holds the runtime, LIVE.networks the networks, packed. */
const Network = (() => {
  const sessions = {};
  let stopwatch = 0;  // milliseconds inside the runtime

  class NoSpine extends Error {}

  async function unpacked(text) {
    return Nifti.unpack("the page", Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  }

  /* Start the runtime on one thread (several need headers that a file from disk does not have). */
  async function start() {
    const {wasm, glue} = LIVE.engine;
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.proxy = false;
    ort.env.wasm.wasmBinary = (await unpacked(wasm)).buffer;
    const script = new Blob([await unpacked(glue)], {type: "text/javascript"});
    ort.env.wasm.wasmPaths = {mjs: URL.createObjectURL(script)};
    for (const [name, {onnx}] of Object.entries(LIVE.networks)) {
      const options = {executionProviders: ["wasm"], graphOptimizationLevel: "all"};
      sessions[name] = await ort.InferenceSession.create(await unpacked(onnx), options);
    }
  }

  async function run(name, tile) {
    const shape = [1, ...LIVE.networks[name].tile, 1];
    const begun = performance.now();
    const answer = await sessions[name].run({image: new ort.Tensor("float32", tile, shape)});
    stopwatch += performance.now() - begun;
    return answer.probability.data;
  }

  /* Let the page draw and answer between two tiles, and stop where nobody waits any more. */
  async function breathe(wanted) {
    await new Promise((done) => setTimeout(done));
    return wanted();
  }

  /* Probability of one slice by a network: cut, predict, splice; null if it was not `wanted`. */
  async function slice(name, plane, sides, window, overlap, wanted) {
    const {tile} = LIVE.networks[name];
    const places = Prepare.tilePlaces(sides, tile, window, overlap);
    const answers = [];
    for (const place of places) {
      const found = Prepare.cut(plane, sides, tile, place);
      if (found.any && !(await breathe(wanted))) return null;
      answers.push(found.any ? await run(name, found.tile) : found.tile);
    }
    return Prepare.splice(answers, places, tile, sides);
  }

  /* Find the spine of a scan, the whole of it once: the mean over the contrasts is cut at a half.
     Gives the region of interest for the disc network. */
  async function region(scan, tell, wanted = () => true) {
    const {settings, networks: {fds_cnn: discs, spine}} = LIVE;
    const {shape, spacing, contrasts} = scan;
    const sides = [shape[1] * spacing[1], shape[2] * spacing[2]];
    const fits = shape[1] <= discs.tile[0] && shape[2] <= discs.tile[1];
    if (fits && Math.max(...sides) <= settings.crop_mm) return {mask: null, window: [0, shape[1]]};
    const known = Object.keys(contrasts).filter((name) => spine.images.includes(name));
    const names = known.length ? known : Object.keys(contrasts);
    let [mean, small] = [null, null];
    for (const [k, name] of names.entries()) {
      const less = Prepare.shrink(Prepare.minMax(contrasts[name]), shape, spine.factor);
      small = less.shape;
      mean = mean || new Float32Array(less.volume.length);
      const size = small[1] * small[2];
      for (let s = 0; s < small[0]; s++) {
        tell(`Looking for the spine, ${Math.round(100 * (k + s / small[0]) / names.length)} %`);
        const plane = less.volume.subarray(s * size, (s + 1) * size);
        const found = await slice("spine", plane, small.slice(1), undefined, settings.spine_overlap, wanted);
        if (!found) return null;
        found.forEach((value, i) => { mean[s * size + i] += value / names.length; });
      }
    }
    const coarse = mean.map((value) => value >= settings.half);
    const mask = Prepare.largestPart(
      Prepare.enlarge(coarse, small, spine.factor, shape), shape, spacing, discs.gap, discs.tolerance);
    const {high, wide} = Prepare.sizeOfSpine(mask, shape, spacing);
    if (high < Math.min(spine.least_spine, 0.5 * sides[1]) || wide < settings.least_width_mm) {
      throw new NoSpine(`No spine was found in this scan (what looks most like one is ${high.toFixed(0)} mm high and ${wide.toFixed(0)} mm deep), so no disc is looked for. Is it a sagittal scan of the back, and are its axes right?`);
    }
    return Prepare.regionOf(mask, shape, spacing, discs.tile, discs);
  }

  /* Probability of disc in slice `number` of a scan, from a plane in [0, 1]; null if unwanted. */
  async function discs(plane, number, {shape, region: {mask, window}}, wanted = () => true) {
    const size = plane.length;
    const inside = mask ? mask.subarray(number * size, (number + 1) * size) : null;
    const seen = inside ? plane.map((value, i) => (inside[i] ? value : 0)) : plane;
    const found = await slice("fds_cnn", seen, shape.slice(1), window, 0, wanted);
    return found && inside ? found.map((value, i) => (inside[i] ? value : 0)) : found;
  }

  const milliseconds = () => stopwatch;
  return {start, region, discs, milliseconds, NoSpine};
})();
