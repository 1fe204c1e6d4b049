// How far a picture is from its reference, as recon/metrics.py says it.

const WINDOW = 7, K1 = 0.01, K2 = 0.03;

// Sums over every whole 7x7 window: (height - 6) x (width - 6) of them.
function windows(values, width, height) {
  const w = width - WINDOW + 1, h = height - WINDOW + 1;
  const rows = new Float64Array(height * w), sums = new Float64Array(h * w);
  for (let r = 0; r < height; r++) {
    let sum = 0;
    const from = r * width, to = r * w;
    for (let c = 0; c < WINDOW; c++) sum += values[from + c];
    rows[to] = sum;
    for (let c = 1; c < w; c++) rows[to + c] = sum += values[from + c + WINDOW - 1] - values[from + c - 1];
  }
  for (let r = 0; r < WINDOW; r++) for (let c = 0; c < w; c++) sums[c] += rows[r * w + c];
  for (let r = 1; r < h; r++) for (let c = 0, i = r * w; c < w; c++, i++) {
    sums[i] = sums[i - w] + rows[i + (WINDOW - 1) * w] - rows[i - w];
  }
  return sums;
}

/** Local SSIM against one reference, which is looked at once. */
export class Similarity {
  constructor(reference, width, height, range) {
    Object.assign(this, {reference: Float64Array.from(reference), width, height});
    this.c1 = (K1 * range) ** 2;
    this.c2 = (K2 * range) ** 2;
    this.sum = windows(this.reference, width, height);
    this.squares = windows(this.reference.map(x => x * x), width, height);
    this.scratch = new Float64Array(width * height);
  }

  /** SSIM around every pixel that is at least three from the edge. */
  map(image) {
    const {width, height, reference, scratch} = this, n = WINDOW * WINDOW, sample = n / (n - 1);
    const sums = windows(image, width, height);
    for (let i = 0; i < scratch.length; i++) scratch[i] = image[i] * image[i];
    const squares = windows(scratch, width, height);
    for (let i = 0; i < scratch.length; i++) scratch[i] = image[i] * reference[i];
    const products = windows(scratch, width, height);
    for (let i = 0; i < sums.length; i++) {
      const x = this.sum[i] / n, y = sums[i] / n, both = x * y, powers = x * x + y * y;
      const covariance = sample * (products[i] / n - both);
      const variances = sample * ((this.squares[i] + squares[i]) / n - powers);
      sums[i] = (2 * both + this.c1) * (2 * covariance + this.c2) / ((powers + this.c1) * (variances + this.c2));
    }
    return sums;
  }

  /** Mean SSIM, of the whole picture or of a box {top, left, bottom, right}, both ends included. */
  mean(image, box = null) {
    const map = this.map(image);
    if (!box) return map.reduce((sum, value) => sum + value, 0) / map.length;
    const w = this.width - WINDOW + 1, h = this.height - WINDOW + 1, edge = WINDOW >> 1;
    const within = (value, low, high) => Math.min(high, Math.max(low, value));
    const top = within(box.top - edge, 0, h - 1), bottom = within(box.bottom - edge, top, h - 1);
    const left = within(box.left - edge, 0, w - 1), right = within(box.right - edge, left, w - 1);
    let sum = 0;
    for (let r = top; r <= bottom; r++) for (let c = left; c <= right; c++) sum += map[r * w + c];
    return sum / ((bottom - top + 1) * (right - left + 1));
  }
}

/** Mean, standard deviation, and, against a reference, PSNR (dB) and NMSE of a box of pixels. */
export function statistics(image, reference, width, box, range) {
  let n = 0, sum = 0, squares = 0, error = 0, energy = 0;
  for (let r = box.top; r <= box.bottom; r++) for (let c = box.left; c <= box.right; c++) {
    const value = image[r * width + c], exact = reference ? reference[r * width + c] : value;
    n++;
    sum += value;
    squares += value * value;
    error += (value - exact) ** 2;
    energy += exact * exact;
  }
  const mean = sum / n, sd = Math.sqrt(Math.max(0, squares / n - mean * mean));
  return {mean, sd, psnr: 10 * Math.log10(range * range / (error / n)), nmse: error / energy};
}
