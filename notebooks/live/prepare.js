"use strict";
/* From a scan to what the networks see, and back: ivdlib.preprocessing in JavaScript.

   Volumes are Float32Arrays (slices, AP, SI), the last index quickest; a shape is their three
   sides. Constants come from the library, see LIVE.settings. */
const Prepare = (() => {
  /* Round half to even, as Python does. */
  const round = (x) => {
    const near = Math.round(x);
    return near - x === 0.5 && near % 2 !== 0 ? near - 1 : near;
  };

  // --- pixels that the network knows (resampling.py) ------------------------------------------

  function planeFor(shape, spacing, known, stretch) {
    return [1, 2].map((axis) => {
      const near = Math.min(Math.max(spacing[axis], known[axis][0]), known[axis][1]);
      const alike = Math.abs(spacing[axis] / near - 1) <= stretch;
      return alike ? shape[axis] : Math.max(1, round(shape[axis] * spacing[axis] / near));
    });
  }

  /* Rows of the matrix of linear interpolation: for each new pixel, old pixels and weights. */
  function interpolation(size, wanted) {
    const step = size / wanted;
    const reach = Math.max(step, 1);
    return Array.from({length: wanted}, (_, i) => {
      const centre = Math.min(Math.max((i + 0.5) * step - 0.5, 0), size - 1);
      const row = [];
      for (let k = Math.max(0, Math.floor(centre - reach)); k <= Math.min(size - 1, Math.ceil(centre + reach)); k++) {
        const weight = 1 - Math.abs(k - centre) / reach;
        if (weight > 0) row.push([k, weight]);
      }
      const sum = row.reduce((total, [, weight]) => total + weight, 0);
      return row.map(([k, weight]) => [k, weight / sum]);
    });
  }

  function resample(volume, shape, plane) {
    const [n, h, w] = shape;
    const rows = interpolation(h, plane[0]);
    const columns = interpolation(w, plane[1]);
    const out = new Float32Array(n * plane[0] * plane[1]);
    const line = new Float64Array(w);
    for (let s = 0; s < n; s++) {
      rows.forEach((row, r) => {
        line.fill(0);
        for (const [k, weight] of row) {
          for (let c = 0; c < w; c++) line[c] += weight * volume[(s * h + k) * w + c];
        }
        columns.forEach((column, c) => {
          let sum = 0;
          for (const [k, weight] of column) sum += weight * line[k];
          out[(s * plane[0] + r) * plane[1] + c] = sum;
        });
      });
    }
    return out;
  }

  // --- fusion (fusion.py) ----------------------------------------------------------------------

  /* Bring a volume linearly to [0, 1]; null where it is constant. */
  function minMax(volume) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of volume) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return high > low ? volume.map((value) => (value - low) / (high - low)) : null;
  }

  /* Add contrasts with weights, then min-max over the scan; null where nothing is left. */
  function fuse(contrasts, weights) {
    const names = Object.keys(weights).filter((name) => weights[name] > 0);
    if (!names.length) return null;
    const total = new Float32Array(contrasts[names[0]].length);
    for (const name of names) {
      const [image, weight] = [contrasts[name], weights[name]];
      for (let i = 0; i < total.length; i++) total[i] += weight * image[i];
    }
    return minMax(total);
  }

  /* Noise of a given spread on a slice in [0, 1]: the same grains each time, only stronger. */
  function addNoise(plane, spread) {
    if (!spread) return plane;
    let seed = 20270;
    const uniform = () => {  // mulberry32
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    return plane.map((value) => {
      const grain = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
      return Math.min(1, Math.max(0, value + spread * grain));
    });
  }

  // --- tiles (tiles.py) ------------------------------------------------------------------------

  function tileStarts(length, tile, overlap) {
    if (length <= tile) return [-Math.floor((tile - length) / 2)];
    const count = 1 + Math.ceil((length - tile) / (tile * (1 - overlap)));
    return Array.from({length: count}, (_, i) => round(i * (length - tile) / (count - 1)));
  }

  /* First pixels [AP, SI] of the tiles of a slice. */
  function tilePlaces([h, w], tile, [first, last] = [0, h], overlap = 0) {
    const rows = tileStarts(last - first, tile[0], overlap);
    return rows.flatMap((r) => tileStarts(w, tile[1], overlap).map((c) => [first + r, c]));
  }

  /* Cut a tile out of a slice; beyond the slice stand zeros. `any`: whether it holds anything. */
  function cut(plane, [h, w], tile, [top, left]) {
    const out = new Float32Array(tile[0] * tile[1]);
    let any = false;
    for (let r = Math.max(0, -top); r < Math.min(tile[0], h - top); r++) {
      for (let c = Math.max(0, -left); c < Math.min(tile[1], w - left); c++) {
        const value = plane[(top + r) * w + left + c];
        out[r * tile[1] + c] = value;
        any = any || value !== 0;
      }
    }
    return {tile: out, any};
  }

  /* Put tiles back to a slice; mean where they overlap, zero where none lies. */
  function splice(tiles, places, tile, [h, w]) {
    const [total, count] = [new Float32Array(h * w), new Uint8Array(h * w)];
    places.forEach(([top, left], k) => {
      for (let r = Math.max(0, -top); r < Math.min(tile[0], h - top); r++) {
        for (let c = Math.max(0, -left); c < Math.min(tile[1], w - left); c++) {
          total[(top + r) * w + left + c] += tiles[k][r * tile[1] + c];
          count[(top + r) * w + left + c] += 1;
        }
      }
    });
    return total.map((sum, i) => sum / Math.max(count[i], 1));
  }

  // --- region of interest (region.py) ----------------------------------------------------------

  /* Average over factor x factor pixels of each slice; edges are repeated. */
  function shrink(volume, [n, h, w], factor) {
    const small = [n, Math.ceil(h / factor), Math.ceil(w / factor)];
    const out = new Float32Array(small[0] * small[1] * small[2]);
    let place = 0;
    for (let s = 0; s < n; s++) {
      for (let r = 0; r < small[1]; r++) {
        for (let c = 0; c < small[2]; c++) {
          let sum = 0;
          for (let i = 0; i < factor; i++) {
            for (let j = 0; j < factor; j++) {
              const [row, column] = [Math.min(h - 1, r * factor + i), Math.min(w - 1, c * factor + j)];
              sum += volume[(s * h + row) * w + column];
            }
          }
          out[place++] = sum / (factor * factor);
        }
      }
    }
    return {volume: out, shape: small};
  }

  function enlarge(mask, small, factor, [n, h, w]) {
    const out = new Uint8Array(n * h * w);
    let place = 0;
    for (let s = 0; s < n; s++) {
      for (let r = 0; r < h; r++) {
        for (let c = 0; c < w; c++) {
          const row = (s * small[1] + Math.floor(r / factor)) * small[2];
          out[place++] = mask[row + Math.floor(c / factor)];
        }
      }
    }
    return out;
  }

  /* Squared distance in mm of each voxel from a mask, exact: parabolas along one axis after another
     (Felzenszwalb and Huttenlocher, Theory of Computing 8, 2012). */
  function squaredDistance(mask, shape, spacing) {
    const far = Float64Array.from(mask, (inside) => (inside ? 0 : Infinity));
    const steps = [shape[1] * shape[2], shape[2], 1];
    for (let axis = 0; axis < 3; axis++) {
      const [n, step, edge] = [shape[axis], steps[axis], spacing[axis]];
      const line = new Float64Array(n);
      for (let start = 0; start < far.length; start++) {
        if (Math.floor(start / step) % n) continue;  // no first voxel of a line
        for (let i = 0; i < n; i++) line[i] = far[start + i * step];
        alongLine(line, edge * edge).forEach((value, i) => { far[start + i * step] = value; });
      }
    }
    return far;
  }

  function alongLine(line, square) {
    const n = line.length;
    const [feet, from] = [[], []];  // lowest parabolas, and where each begins to be the lowest
    for (let q = 0; q < n; q++) {
      if (line[q] === Infinity) continue;
      let cross = -Infinity;
      while (feet.length) {
        const v = feet[feet.length - 1];
        cross = (line[q] - line[v] + square * (q * q - v * v)) / (2 * square * (q - v));
        if (cross > from[from.length - 1]) break;
        feet.pop();
        from.pop();
        cross = -Infinity;
      }
      feet.push(q);
      from.push(cross);
    }
    const out = new Float64Array(n).fill(Infinity);
    for (let q = 0, k = 0; feet.length && q < n; q++) {
      while (k + 1 < feet.length && from[k + 1] < q) k++;
      out[q] = line[feet[k]] + square * (q - feet[k]) ** 2;
    }
    return out;
  }

  /* Number the parts of a mask that hang together by faces, from 1; and their sizes. */
  function parts(mask, shape) {
    const [labels, sizes, stack] = [new Int32Array(mask.length), [0], []];
    const steps = [shape[1] * shape[2], shape[2], 1];
    for (let start = 0; start < mask.length; start++) {
      if (!mask[start] || labels[start]) continue;
      labels[start] = sizes.length;
      sizes.push(0);
      stack.push(start);
      while (stack.length) {
        const voxel = stack.pop();
        sizes[sizes.length - 1]++;
        steps.forEach((step, axis) => {
          const at = Math.floor(voxel / step) % shape[axis];
          for (const [there, next] of [[at > 0, voxel - step], [at < shape[axis] - 1, voxel + step]]) {
            if (there && mask[next] && !labels[next]) {
              labels[next] = sizes.length - 1;
              stack.push(next);
            }
          }
        });
      }
    }
    return {labels, sizes};
  }

  /* Keep the largest part of a mask; what lies at most `gap` mm from it belongs to it. */
  function largestPart(mask, shape, spacing, gap, tolerance) {
    const {labels, sizes} = parts(mask, shape);
    if (sizes.length === 1) return mask;
    const kept = new Set([sizes.indexOf(Math.max(...sizes))]);
    for (let before = 0; before < kept.size;) {  // what is found may lie near other parts
      before = kept.size;
      const far = squaredDistance(labels.map((part) => kept.has(part)), shape, spacing);
      labels.forEach((part, i) => { if (part && far[i] <= (gap + tolerance) ** 2) kept.add(part); });
    }
    return Uint8Array.from(labels, (part) => kept.has(part));
  }

  /* Height of a spine in mm, and its mean depth in the slice that shows most of it. */
  function sizeOfSpine(mask, [n, h, w], spacing) {
    let [first, last, most] = [w, -1, 0];
    for (let s = 0; s < n; s++) {
      let pixels = 0;
      for (let i = 0; i < h * w; i++) {
        if (!mask[s * h * w + i]) continue;
        pixels++;
        first = Math.min(first, i % w);
        last = Math.max(last, i % w);
      }
      most = Math.max(most, pixels);
    }
    const high = last < 0 ? 0 : (last + 1 - first) * spacing[2];
    return {high, wide: high ? most * spacing[1] * spacing[2] / high : 0};
  }

  /* The band of a slice that holds the spine, at least a tile wide. */
  function spineBand(mask, [n, h, w], tile) {
    let [first, last] = [h, -1];
    for (let i = 0; i < mask.length; i++) {
      if (!mask[i]) continue;
      const row = Math.floor(i / w) % h;
      first = Math.min(first, row);
      last = Math.max(last, row);
    }
    const width = Math.min(Math.max(tile, last + 1 - first), h);
    const start = Math.min(Math.max(Math.floor((first + last + 1 - width) / 2), 0), h - width);
    return [start, start + width];
  }

  /* What the disc network gets to see: the spine widened by a margin, and a band of the image. */
  function regionOf(spine, shape, spacing, tile, {margin, tolerance, mask}) {
    const small = shape[1] <= tile[0] && shape[2] <= tile[1];
    if (!spine || small || !spine.some(Boolean)) return {mask: null, window: [0, shape[1]]};
    const window = spineBand(spine, shape, tile[0]);
    if (!mask) return {mask: null, window};
    const far = squaredDistance(spine, shape, spacing);
    return {mask: Uint8Array.from(far, (square) => Math.sqrt(square) <= margin + tolerance), window};
  }

  return {
    planeFor, resample, minMax, fuse, addNoise, tilePlaces, cut, splice,
    shrink, enlarge, squaredDistance, largestPart, sizeOfSpine, regionOf,
  };
})();
