"use strict";
/* Read NIfTI files (.nii, .nii.gz), by the rules of ivdlib.data.nifti, header and orientation.

   A volume is {name, contrast, shape, affine, spacing, data}: axes run to the right, to the front
   and up (RAS+, axis 0 = sagittal slices); the voxel (x, y, z) is data[(x * ny + y) * nz + z].
   Whatever is wrong with a file is one sentence, thrown as a FileError. */
const Nifti = (() => {
  class FileError extends Error {}

  const MOST_VOXELS = 1 << 26;  // a browser's page has less memory than ivdlib asks for
  const KINDS = {  // of numbers, by their NIfTI code: how a DataView reads them, and bytes
    2: ["getUint8", 1], 256: ["getInt8", 1], 4: ["getInt16", 2], 512: ["getUint16", 2],
    8: ["getInt32", 4], 768: ["getUint32", 4], 1024: ["getBigInt64", 8],
    1280: ["getBigUint64", 8], 16: ["getFloat32", 4], 64: ["getFloat64", 8],
  };
  const ROUNDING = 3 * 2 ** -23;  // of the numbers of a qform, as nibabel allows it
  const MM_PER_UNIT = {1: 1e3, 3: 1e-3};  // metres and microns; else lengths are millimetres

  /* "01_wat.nii.gz" is the contrast wat; a name that holds no word is "image". */
  function contrastInName(name) {
    const bare = /^(wat|fat|inn|opp|labels)\.nii(\.gz)?$/i.exec(name);
    const found = bare || /^.+[-_]([a-z][a-z0-9]*)\.nii(?:\.gz)?$/i.exec(name);
    return found ? found[1].toLowerCase() : "image";
  }

  const packed = (bytes) => bytes[0] === 0x1f && bytes[1] === 0x8b;

  async function unpack(name, bytes) {
    if (typeof DecompressionStream === "undefined") {
      throw new FileError(`${name} is compressed, and this browser cannot unpack it; unpack it first.`);
    }
    const most = MOST_VOXELS * 8 + 1e6;
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
    const parts = [];
    let length = 0;
    try {
      for (let step = await reader.read(); !step.done; step = await reader.read()) {
        parts.push(step.value);
        length += step.value.length;
        if (length > most) break;
      }
    } catch {
      throw new FileError(`${name} is compressed, and the compression is cut off or damaged; copy it from its source again.`);
    }
    if (length > most) throw new FileError(`${name} unpacks to more than this page can hold; crop it to the spine.`);
    const whole = new Uint8Array(length);
    let place = 0;
    for (const part of parts) { whole.set(part, place); place += part.length; }
    return whole;
  }

  /* Header: NIfTI-1 (348 bytes) or NIfTI-2 (540), in either order of bytes. */
  function header(name, bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = (little) => (bytes.length >= 540 || bytes.length >= 348 ? view.getInt32(0, little) : 0);
    const little = [348, 540].includes(size(true));
    const two = size(little) === 540;
    const text = (start) => String.fromCharCode(...bytes.subarray(start, start + 3));
    const magic = size(little) ? text(two ? 4 : 344) : "";
    if (![348, 540].includes(size(little)) || magic !== (two ? "n+2" : "n+1")) {
      throw new FileError(`${name} is not a NIfTI file (.nii or .nii.gz); convert the scan to one, for example with dcm2niix.`);
    }
    const float = (at, n) => Array.from({length: n}, (_, i) => two
      ? view.getFloat64(at[1] + 8 * i, little) : view.getFloat32(at[0] + 4 * i, little));
    const dims = Array.from({length: 8}, (_, i) => two
      ? Number(view.getBigInt64(16 + 8 * i, little)) : view.getInt16(40 + 2 * i, little));
    const code = (at) => (two ? view.getInt32(at[1], little) : view.getInt16(at[0], little));
    return {
      view, little, dims,
      kind: two ? view.getInt16(12, little) : view.getInt16(70, little),
      pixdim: float([76, 104], 8),
      offset: (two ? Number(view.getBigInt64(168, little)) : view.getFloat32(108, little)) || (two ? 544 : 352),
      slope: float([112, 176], 1)[0], intercept: float([116, 184], 1)[0],
      unit: (two ? view.getInt32(500, little) : bytes[123]) & 7,
      qformCode: code([252, 344]), sformCode: code([254, 348]),
      quatern: float([256, 352], 3), qoffset: float([268, 376], 3),
      srow: float([280, 400], 12),
    };
  }

  function shapeOf(name, head) {
    const shape = head.dims.slice(1, 1 + head.dims[0]);
    const words = shape.join(" x ");
    if (shape.length < 3 || shape.slice(0, 3).some((n) => n < 1) || shape.slice(3).some((n) => n !== 1)) {
      throw new FileError(`${name} has the shape ${words}, but one 3-D volume is needed; split it into one file a contrast.`);
    }
    if (!KINDS[head.kind]) {
      throw new FileError(`${name} holds colours or complex numbers, not one real number a voxel; export the magnitude image.`);
    }
    if (shape[0] * shape[1] * shape[2] > MOST_VOXELS) {
      throw new FileError(`${name} has ${words} voxels, more than this page can hold; crop it to the spine.`);
    }
    if (head.pixdim.slice(1, 4).some((edge) => !(edge > 0 && Number.isFinite(edge)))) {
      throw new FileError(`${name} has a spacing in its header that is not above zero; write the file's geometry again.`);
    }
    return shape.slice(0, 3);
  }

  /* Rotation and spacing of the qform: three numbers of a quaternion, and the side of axis 3. */
  function qform(name, head) {
    const [b, c, d] = head.quatern;
    const rest = 1 - (b * b + c * c + d * d);
    if (!(rest > -ROUNDING)) throw new FileError(`${name} has a qform that is no rotation; write the file's geometry again.`);
    const a = rest < ROUNDING ? 0 : Math.sqrt(rest);
    const whole = a * a + b * b + c * c + d * d;
    const side = head.pixdim[0] < 0 ? -1 : 1;
    const turn = [
      [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
      [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
      [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
    ];
    const edges = [head.pixdim[1], head.pixdim[2], head.pixdim[3] * side];
    return turn.map((row, i) => [...row.map((value, j) => value / whole * edges[j]), head.qoffset[i]]);
  }

  /* Three rows of the affine, voxels -> mm: the sform where it is set, else the qform. */
  function affineOf(name, head) {
    if (head.sformCode <= 0 && head.qformCode <= 0) {
      throw new FileError(`${name} has neither an sform nor a qform, so nothing says how its axes lie; export the scan again with its geometry.`);
    }
    const rows = head.sformCode > 0 ? [0, 4, 8].map((i) => head.srow.slice(i, i + 4)) : qform(name, head);
    const scale = MM_PER_UNIT[head.unit] || 1;
    const affine = rows.map((row) => row.map((value) => value * scale));
    const edges = spacingOf(affine);
    const volume = Math.abs(determinant(affine));
    const product = edges[0] * edges[1] * edges[2];
    if (!affine.flat().every(Number.isFinite) || !(volume >= 1e-6 * product) || product === 0) {
      throw new FileError(`${name} has an affine that spans no volume; write the file's geometry again.`);
    }
    if (Math.min(...edges) < 0.01 || Math.max(...edges) > 100) {
      throw new FileError(`${name} has voxels of ${edges.map((e) => e.toPrecision(3)).join(" x ")} mm, as no scan of a body has; write lengths and unit into the header again.`);
    }
    const cosines = [[0, 1], [0, 2], [1, 2]].map(([i, j]) =>
      affine.reduce((sum, row) => sum + row[i] * row[j], 0) / (edges[i] * edges[j]));
    if (Math.max(...cosines.map(Math.abs)) > Math.sin(SHEARED * Math.PI / 180)) {
      throw new FileError(`${name} has axes that are not at right angles (sheared); resample it onto a straight grid.`);
    }
    return affine;
  }

  const SHEARED = 5;  // degrees, as ivdlib.data.geometry
  const OBLIQUE = 30;  // degrees; beyond, a slice that is called sagittal is as much another

  const spacingOf = (affine) => [0, 1, 2].map((j) => Math.hypot(...affine.map((row) => row[j])));

  function determinant([[a, b, c], [d, e, f], [g, h, i]]) {
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  }

  /* For each world axis (right, front, up) the file's axis along it, and its direction. */
  function orientation(name, affine) {
    const edges = spacingOf(affine);
    const cosine = (world, axis) => affine[world][axis] / edges[axis];
    let best = null;
    for (const axes of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
      const sum = axes.reduce((total, axis, world) => total + Math.abs(cosine(world, axis)), 0);
      if (!best || sum > best.sum) best = {axes, sum};
    }
    const along = best.axes.map((axis, world) => cosine(world, axis));
    const off = Math.acos(Math.min(...along.map(Math.abs), 1)) * 180 / Math.PI;
    if (off > OBLIQUE) {
      throw new FileError(`${name} is oblique: its axes lie ${off.toFixed(0)} degrees off those of the body, so it has no sagittal slice to show; resample it onto straight axes.`);
    }
    return best.axes.map((axis, world) => ({axis, sign: Math.sign(along[world])}));
  }

  /* Numbers of the file in canonical order, with the header's scaling applied. */
  function voxels(name, head, fileShape, turned) {
    const [getter, size] = KINDS[head.kind];
    const count = fileShape[0] * fileShape[1] * fileShape[2];
    const end = head.offset + count * size;
    if (!(head.offset >= 0 && end <= head.view.byteLength)) {
      throw new FileError(`${name} is cut off: its header declares ${fileShape.join(" x ")} voxels, and fewer are there; copy it from its source again.`);
    }
    const scaled = Number.isFinite(head.slope) && head.slope !== 0;
    const [slope, intercept] = scaled ? [head.slope, head.intercept] : [1, 0];
    const steps = [1, fileShape[0], fileShape[0] * fileShape[1]];
    const [x, y, z] = turned.map(({axis, sign}) => ({
      n: fileShape[axis], step: steps[axis] * sign, start: sign < 0 ? (fileShape[axis] - 1) * steps[axis] : 0,
    }));
    const data = new Float32Array(count);
    const first = x.start + y.start + z.start;
    let [place, low, high, sound] = [0, Infinity, -Infinity, true];
    for (let i = 0; i < x.n; i++) {
      for (let j = 0; j < y.n; j++) {
        for (let k = 0; k < z.n; k++) {
          const at = head.offset + size * (first + i * x.step + j * y.step + k * z.step);
          const value = Number(head.view[getter](at, head.little)) * slope + intercept;
          data[place] = value;
          const kept = data[place++];
          if (kept < low) low = kept;
          if (kept > high) high = kept;
          if (!Number.isFinite(kept)) sound = false;
        }
      }
    }
    if (!sound) throw new FileError(`${name} holds NaN or infinite numbers; convert it from its source again.`);
    return {data, low, high};
  }

  function canonicalAffine(affine, fileShape, turned) {
    return affine.map((row) => {
      const columns = turned.map(({axis, sign}) => row[axis] * sign);
      const moved = turned.reduce((sum, {axis, sign}) =>
        sum + (sign < 0 ? row[axis] * (fileShape[axis] - 1) : 0), row[3]);
      return [...columns, moved];
    });
  }

  /* Read the bytes of a file. */
  async function read(name, bytes) {
    const whole = packed(bytes) ? await unpack(name, bytes) : bytes;
    if (packed(whole)) throw new FileError(`${name} is compressed twice; unpack it once.`);
    const head = header(name, whole);
    const fileShape = shapeOf(name, head);
    const fileAffine = affineOf(name, head);
    const turned = orientation(name, fileAffine);
    const {data, low, high} = voxels(name, head, fileShape, turned);
    const contrast = contrastInName(name);
    if (low === high && contrast !== "labels") {
      throw new FileError(`${name} is constant (every voxel is ${low}); convert it from its source again.`);
    }
    const affine = canonicalAffine(fileAffine, fileShape, turned);
    const shape = turned.map(({axis}) => fileShape[axis]);
    return {name, contrast, shape, affine, spacing: spacingOf(affine), data};
  }

  return {read, unpack, FileError};
})();
