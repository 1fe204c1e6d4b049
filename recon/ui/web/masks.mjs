// Which lines are measured, and what that does to a point: recon/masks and recon/probes/psf.py.

import {Fourier, toOrigin, toMiddle} from './fourier.mjs';
import {Random} from './random.mjs';

const PARTIAL_FOURIER = 5 / 8, DENSITY_POWER = 3, FINE = 32; // as in Python

/** Half to even, as Python rounds. */
export function round(value) {
  const low = Math.floor(value), rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}

export const defaultCenterFraction = acceleration => 0.32 / acceleration;

function middle(width, lines) {
  const mask = new Uint8Array(width), start = (width - lines + 1) >> 1;
  return mask.fill(1, start, start + lines);
}

const count = mask => mask.reduce((sum, line) => sum + line, 0);

const FAMILIES = {
  random(width, acceleration, block, seed) {
    const random = new Random(seed);
    const probability = block < width ? (width / acceleration - block) / (width - block) : 1;
    return middle(width, block).map(line => (random.random() < probability) | line);
  },
  equispaced(width, acceleration, block, seed) {
    const mask = middle(width, block);
    if (width > acceleration * block) {
      const distance = acceleration * (width - block) / (width - acceleration * block);
      const offset = new Random(seed).integer(round(distance));
      const last = distance > 1 ? width - 1 : width, total = Math.ceil((last - offset) / distance);
      for (let i = 0; i < total; i++) mask[round(offset + i * distance)] = 1;
    }
    return mask;
  },
  calibrated(width, acceleration, block, seed) {
    const mask = middle(width, Math.min(block, width)), distance = round(acceleration);
    for (let i = new Random(seed).integer(distance); i < width; i += distance) mask[i] = 1;
    return mask;
  },
  'variable-density'(width, acceleration, block, seed) {
    const mask = middle(width, block), half = width >> 1, missing = round(width / acceleration) - count(mask);
    if (missing <= 0) return mask;
    const density = Float64Array.from(mask, (line, i) => line ? 0 : (1 - Math.abs(i - half) / (half + 1)) ** DENSITY_POWER);
    const total = density.reduce((sum, value) => sum + value, 0);
    for (const line of new Random(seed).weighted(density.map(value => value / total), missing)) mask[line] = 1;
    return mask;
  },
  'partial-fourier'(width, acceleration, block, seed) {
    const mask = middle(width, block), lines = round(width / acceleration), random = new Random(seed);
    const reach = Math.max(lines, round(PARTIAL_FOURIER * width)), back = random.random() < 0.5;
    const free = [];
    for (let i = 0; i < width; i++) if ((back ? width - 1 - i : i) < reach && !mask[i]) free.push(i);
    const missing = Math.min(lines - count(mask), free.length);
    if (missing > 0) for (const at of random.sample(free.length, missing)) mask[free[at]] = 1;
    return mask;
  },
  'low-pass': (width, acceleration) => middle(width, round(width / acceleration)),
};

/** Whether the browser can draw a family; those it cannot, the server draws. */
export const known = family => family in FAMILIES;

/** A mask of a family, 1 where a line is measured; a sentence where the wish is impossible. */
export function draw(family, width, acceleration, fraction, seed) {
  const block = round(width * fraction);
  if (family !== 'calibrated' && block > Math.ceil(width / acceleration)) {
    throw new RangeError(`A centre fraction of ${fraction} alone keeps ${block} of ${width} lines, more than `
      + `${acceleration}x allows; choose at most ${Number((1 / acceleration).toPrecision(3))}.`);
  }
  const mask = FAMILIES[family](width, acceleration, block, seed);
  if (!count(mask)) mask[width >> 1] = 1;
  return mask;
}

/** |h(d)|, the point spread along the phase-encode axis, d = 0 at index W >> 1. */
export function pointSpread(mask) {
  const n = mask.length, re = new Float32Array(n), im = new Float32Array(n), size = new Float64Array(n);
  for (let i = 0; i < n; i++) re[toOrigin(i, n)] = mask[i];
  new Fourier(n).run(re, im);
  for (let i = 0; i < n; i++) size[toMiddle(i, n)] = Math.hypot(re[i], im[i]) / n;
  return size;
}

/** Largest value outside the main lobe, as a share of the peak. */
export function sidelobeLevel(mask) {
  const size = pointSpread(mask), half = mask.length >> 1;
  const side = Array.from({length: half + 1}, (_, d) => size[half - d] / size[half]);
  let edge = 1;
  while (edge < side.length && side[edge] < side[edge - 1]) edge++;
  return Math.max(0, ...side.slice(Math.max(1, edge - 1)));
}

/** Full width of the main lobe at half of its maximum, in pixels. */
export function fullWidth(mask) {
  const n = FINE * mask.length, re = new Float32Array(n), im = new Float32Array(n);
  re.set(mask);
  new Fourier(n).run(re, im);
  const lines = count(mask), fine = i => Math.hypot(re[i], im[i]) / lines;
  let below = 0;
  while (below < n >> 1 && fine(below) >= 0.5) below++;
  if (below === n >> 1) return mask.length;
  const before = fine(below - 1), after = fine(below);
  return 2 * (below - (0.5 - after) / (before - after)) / FINE;
}
