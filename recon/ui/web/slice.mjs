// One slice, measured with any mask, in the browser: recon/probes/many_masks.py.
//
// K-space arrives once, transformed along its columns already (see instant.py); what is left for a
// mask is a transform along the rows. Magnitudes are combined over coils by root-sum-of-squares.

import {Fourier, toOrigin} from './fourier.mjs';
import {Similarity} from './scores.mjs';

export class Slice {
  /**
   * @param {Int16Array|Float32Array} data (coils, width, height, 2): real and imaginary parts of every column
   * @param {Float32Array} scales (coils, width): what a 1 stands for in each column
   */
  constructor({coils, height, width, shown, range}, data, scales) {
    Object.assign(this, {coils, height, width, shown, data, scales});
    this.fourier = new Fourier(width, height);
    this.re = new Float32Array(width * height);
    this.im = new Float32Array(width * height);
    this.power = new Float32Array(shown * height);
    this.energy = this.energies();
    this.reference = this.image(new Uint8Array(width).fill(1));
    this.range = range ?? this.reference.reduce((a, b) => Math.max(a, b), 0);
    this.similarity = new Similarity(this.reference, shown, height, this.range);
  }

  /** Zero-filled magnitude image of a mask: (height, shown), row by row. */
  image(mask) {
    const {coils, width, height, shown, re, im, power} = this;
    power.fill(0);
    const left = Math.floor((width - shown) / 2), gain = 1 / Math.sqrt(width);
    for (let coil = 0; coil < coils; coil++) {
      for (let j = 0; j < width; j++) {
        const at = toOrigin(j, width) * height;
        if (mask[j]) this.column(coil, j, re, im, at, gain);
        else { re.fill(0, at, at + height); im.fill(0, at, at + height); }
      }
      this.fourier.run(re, im);
      for (let c = 0; c < shown; c++) {
        const from = toOrigin(left + c, width) * height, to = c * height;
        for (let r = 0; r < height; r++) power[to + r] += re[from + r] ** 2 + im[from + r] ** 2;
      }
    }
    const image = new Float32Array(shown * height);
    for (let c = 0; c < shown; c++) for (let r = 0; r < height; r++) image[r * shown + c] = Math.sqrt(power[c * height + r]);
    return image;
  }

  column(coil, j, re, im, at, gain) {
    const scale = gain * this.scales[coil * this.width + j];
    for (let r = 0, from = 2 * (coil * this.width + j) * this.height; r < this.height; r++, from += 2) {
      re[at + r] = this.data[from] * scale;
      im[at + r] = this.data[from + 1] * scale;
    }
  }

  ssim(image) { return this.similarity.mean(image); }

  energies() { // of every line, as a share of all
    const {coils, width, height} = this, lines = new Float64Array(width);
    const re = new Float32Array(height), im = new Float32Array(height);
    for (let coil = 0; coil < coils; coil++) for (let j = 0; j < width; j++) {
      this.column(coil, j, re, im, 0, 1);
      for (let r = 0; r < height; r++) lines[j] += re[r] ** 2 + im[r] ** 2;
    }
    const total = lines.reduce((a, b) => a + b, 0) || 1;
    return lines.map(value => value / total);
  }

  /** What line j adds to the image of the first coil: the real part of its wave, -1 to 1. */
  wave(j) {
    const {width, height, shown} = this, left = Math.floor((width - shown) / 2), half = width >> 1;
    const re = new Float32Array(height), im = new Float32Array(height), wave = new Float32Array(shown * height);
    this.column(0, j, re, im, 0, 1);
    let largest = 0;
    for (let c = 0; c < shown; c++) {
      const turn = 2 * Math.PI * ((j - half) * (left + c - half) % width) / width, x = Math.cos(turn), y = Math.sin(turn);
      for (let r = 0; r < height; r++) {
        const value = re[r] * x - im[r] * y;
        wave[r * shown + c] = value;
        largest = Math.max(largest, Math.abs(value));
      }
    }
    return wave.map(value => value / (largest || 1));
  }
}

/** Bytes of base64 text of a zlib stream. */
export async function inflate(text) {
  const raw = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A slice as instant.py packs it. */
export async function unpackSlice(packed) {
  const data = new (packed.exact ? Float32Array : Int16Array)((await inflate(packed.data)).buffer);
  return new Slice(packed, data, new Float32Array((await inflate(packed.scales)).buffer));
}

/** Rows of so many values as columns. */
export function transposed(values, width) {
  const height = values.length / width, turned = new values.constructor(values.length);
  for (let r = 0; r < height; r++) for (let c = 0; c < width; c++) turned[c * height + r] = values[r * width + c];
  return turned;
}
