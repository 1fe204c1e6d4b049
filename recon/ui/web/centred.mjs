// One coil, measured with one mask, and what the exported network takes: recon/training/export.py.

import {Fourier, toOrigin, toMiddle} from './fourier.mjs';

const MULTIPLE = 4; // sides of what the network takes are multiples of it
const CROP = 320;

/** Image of centred k-space, or the other way round: both orthonormal, as recon/fourier.py. */
export function transform(re, im, height, width, inverse = true) {
  const rows = new Fourier(width, height), columns = new Fourier(height, width), gain = 1 / Math.sqrt(height * width);
  const xr = new Float32Array(re.length), xi = new Float32Array(re.length);
  for (let r = 0; r < height; r++) for (let c = 0; c < width; c++) {
    const from = r * width + c, to = toOrigin(c, width) * height + toOrigin(r, height);
    xr[to] = re[from] * gain;
    xi[to] = im ? im[from] * gain : 0;
  }
  rows.run(xr, xi, inverse);
  const yr = new Float32Array(re.length), yi = new Float32Array(re.length);
  for (let c = 0; c < width; c++) for (let r = 0; r < height; r++) {
    yr[r * width + c] = xr[c * height + r];
    yi[r * width + c] = xi[c * height + r];
  }
  columns.run(yr, yi, inverse);
  for (let r = 0; r < height; r++) for (let c = 0; c < width; c++) {
    const from = r * width + c, to = toMiddle(r, height) * width + toMiddle(c, width);
    xr[to] = yr[from];
    xi[to] = yi[from];
  }
  return {re: xr, im: xi};
}

/** The middle of a magnitude image, at most `size` large. */
export function cropped({re, im}, height, width, size = [CROP, CROP]) {
  const h = Math.min(height, size[0]), w = Math.min(width, size[1]), top = (height - h) >> 1, left = (width - w) >> 1;
  const values = new Float32Array(h * w);
  for (let r = 0; r < h; r++) for (let c = 0; c < w; c++) {
    const at = (r + top) * width + c + left;
    values[r * w + c] = Math.hypot(re[at], im[at]);
  }
  return {values, height: h, width: w};
}

/** K-space of which only the columns of a mask are left. */
export function measured({re, im}, mask, width) {
  const keep = values => values.map((value, i) => mask[i % width] ? value : 0);
  return {re: keep(re), im: im ? keep(im) : new Float32Array(re.length)};
}

/** Inputs of the network, filled up to whole cells, and the scale of its result. */
export function networkInputs(image, mask, height, width) {
  const H = Math.ceil(height / MULTIPLE) * MULTIPLE, W = Math.ceil(width / MULTIPLE) * MULTIPLE;
  const scale = cropped(image, height, width).values.reduce((a, b) => Math.max(a, b), 0) || 1;
  const zeroFilled = new Float32Array(2 * H * W), valid = new Float32Array(H * W), projection = new Float32Array(2 * W * W);
  for (let r = 0; r < height; r++) for (let c = 0; c < width; c++) {
    zeroFilled[r * W + c] = image.re[r * width + c] / scale;
    zeroFilled[H * W + r * W + c] = image.im[r * width + c] / scale;
    valid[r * W + c] = 1;
  }
  const spread = Array.from({length: width}, (_, d) => { // what a bright point becomes, d pixels on
    let re = 0, im = 0;
    for (let j = 0; j < width; j++) if (mask[j]) {
      const turn = 2 * Math.PI * (((j - (width >> 1)) * d) % width) / width;
      re += Math.cos(turn);
      im += Math.sin(turn);
    }
    return [re / width, im / width];
  });
  for (let j = 0; j < width; j++) for (let k = 0; k < width; k++) {
    const [re, im] = spread[(k - j + width) % width];
    projection[j * W + k] = re;
    projection[W * W + j * W + k] = im;
  }
  const share = Float32Array.of(mask.reduce((sum, line) => sum + line, 0) / width);
  return {H, W, scale, values: [
    ['zero_filled', zeroFilled, [1, 2, H, W]], ['projection', projection, [2, W, W]],
    ['valid', valid, [1, 1, H, W]], ['share', share, [1, 1, 1, 1]],
  ]};
}

/** The part of the network's result that was not filled up, on the image's own scale. */
export function networkImage(values, {H, W, scale}, height, width) {
  const re = new Float32Array(height * width), im = new Float32Array(height * width);
  for (let r = 0; r < height; r++) for (let c = 0; c < width; c++) {
    re[r * width + c] = values[r * W + c] * scale;
    im[r * width + c] = values[H * W + r * W + c] * scale;
  }
  return {re, im};
}
