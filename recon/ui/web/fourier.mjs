// Fourier transforms of any length, centred and orthonormal as in recon/fourier.py.
//
// Stockham's self-sorting transform in mixed radix, many sequences at once: element i of sequence
// k is at i * batch + k, so that the inner loops run over neighbours. Lengths with a large prime
// factor go through Bluestein's chirp (Bluestein 1970, doi 10.1109/TAU.1970.1162132).

const LARGEST_RADIX = 31; // above it Bluestein is quicker than a plain sum

function factors(n) {
  const found = [];
  for (const p of [4, 2, 3, 5]) while (n % p === 0) { found.push(p); n /= p; }
  for (let p = 7; p <= n; p += 2) while (n % p === 0) { found.push(p); n /= p; }
  return found;
}

function roots(n) { // exp(2 pi i k / n)
  const re = new Float64Array(n), im = new Float64Array(n);
  for (let k = 0; k < n; k++) { re[k] = Math.cos(2 * Math.PI * k / n); im[k] = Math.sin(2 * Math.PI * k / n); }
  return {re, im};
}

/** A transform of `batch` sequences of length `n`, with its tables and its scratch. */
export class Fourier {
  constructor(n, batch = 1) {
    Object.assign(this, {n, batch, radices: factors(n)});
    if (Math.max(1, ...this.radices) > LARGEST_RADIX) this.chirp = chirp(n, batch);
    else {
      this.roots = roots(n);
      this.re = new Float32Array(n * batch);
      this.im = new Float32Array(n * batch);
    }
  }

  /** Sum of x[j] exp(2 pi i j k / n), in place; `inverse` false has the other sign. No scaling. */
  run(re, im, inverse = true) {
    if (this.n === 1) return;
    if (!inverse) { this.run(im, re); return; } // swapping the parts conjugates on both sides
    if (this.chirp) { bluestein(this, re, im); return; }
    let [xr, xi, yr, yi] = [re, im, this.re, this.im], length = this.batch, rest = this.n;
    for (const p of this.radices) {
      rest /= p;
      (p === 2 ? two : p === 4 ? four : any)(this, p, length, rest, xr, xi, yr, yi);
      length *= p;
      [xr, xi, yr, yi] = [yr, yi, xr, xi];
    }
    if (xr !== re) { re.set(xr); im.set(xi); }
  }
}

function two({roots, n}, p, length, rest, xr, xi, yr, yi) {
  const step = n / (2 * rest), half = length * rest;
  for (let j = 0; j < rest; j++) {
    const c = roots.re[j * step], s = roots.im[j * step];
    let a = length * j, b = 2 * length * j;
    for (let k = 0; k < length; k++, a++, b++) {
      const ar = xr[a], ai = xi[a], br = xr[a + half], bi = xi[a + half], dr = ar - br, di = ai - bi;
      yr[b] = ar + br; yi[b] = ai + bi;
      yr[b + length] = dr * c - di * s; yi[b + length] = dr * s + di * c;
    }
  }
}

function four({roots, n}, p, length, rest, xr, xi, yr, yi) {
  const step = n / (4 * rest), part = length * rest;
  for (let j = 0; j < rest; j++) {
    const t = j * step, c1 = roots.re[t], s1 = roots.im[t], c2 = roots.re[2 * t], s2 = roots.im[2 * t];
    const c3 = roots.re[3 * t], s3 = roots.im[3 * t];
    let a = length * j, b = 4 * length * j;
    for (let k = 0; k < length; k++, a++, b++) {
      const ar = xr[a], ai = xi[a], br = xr[a + part], bi = xi[a + part];
      const cr = xr[a + 2 * part], ci = xi[a + 2 * part], dr = xr[a + 3 * part], di = xi[a + 3 * part];
      const sr = ar + cr, si = ai + ci, tr = ar - cr, ti = ai - ci;
      const ur = br + dr, ui = bi + di, vr = bi - di, vi = dr - br; // (v) is -i (b - d)
      yr[b] = sr + ur; yi[b] = si + ui;
      let r = tr - vr, i = ti - vi;
      yr[b + length] = r * c1 - i * s1; yi[b + length] = r * s1 + i * c1;
      r = sr - ur; i = si - ui;
      yr[b + 2 * length] = r * c2 - i * s2; yi[b + 2 * length] = r * s2 + i * c2;
      r = tr + vr; i = ti + vi;
      yr[b + 3 * length] = r * c3 - i * s3; yi[b + 3 * length] = r * s3 + i * c3;
    }
  }
}

function any({roots, n}, p, length, rest, xr, xi, yr, yi) {
  const step = n / (p * rest), part = length * rest, turn = n / p;
  const wr = new Float64Array(p), wi = new Float64Array(p);
  for (let j = 0; j < rest; j++) {
    for (let q = 0; q < p; q++) {
      for (let r = 0; r < p; r++) { // root of this sum, times the twiddle of its result
        const at = (q * r * turn + q * j * step) % n;
        wr[r] = roots.re[at]; wi[r] = roots.im[at];
      }
      const b = length * (p * j + q);
      for (let k = 0; k < length; k++) {
        let sr = 0, si = 0;
        for (let r = 0, a = length * j + k; r < p; r++, a += part) {
          sr += xr[a] * wr[r] - xi[a] * wi[r];
          si += xr[a] * wi[r] + xi[a] * wr[r];
        }
        yr[b + k] = sr; yi[b + k] = si;
      }
    }
  }
}

function chirp(n, batch) {
  let size = 1;
  while (size < 2 * n - 1) size *= 2;
  const {re: c, im: s} = roots(2 * n); // exp(pi i k^2 / n)
  const re = new Float64Array(n), im = new Float64Array(n);
  for (let k = 0; k < n; k++) { const at = (k * k) % (2 * n); re[k] = c[at]; im[k] = s[at]; }
  const fr = new Float32Array(size), fi = new Float32Array(size); // transform of the conjugate chirp
  for (let k = 0; k < n; k++) for (const at of [k, (size - k) % size]) { fr[at] = re[k]; fi[at] = -im[k]; }
  new Fourier(size).run(fr, fi, false);
  const space = size * batch;
  return {size, re, im, fr, fi, inner: new Fourier(size, batch), xr: new Float32Array(space), xi: new Float32Array(space)};
}

function bluestein({n, batch, chirp: {size, re, im, fr, fi, inner, xr, xi}}, yr, yi) {
  xr.fill(0);
  xi.fill(0);
  const times = (from, to, gain) => {
    for (let j = 0; j < n; j++) for (let k = j * batch, end = k + batch; k < end; k++) {
      const r = from[0][k], i = from[1][k];
      to[0][k] = gain * (r * re[j] - i * im[j]);
      to[1][k] = gain * (r * im[j] + i * re[j]);
    }
  };
  times([yr, yi], [xr, xi], 1);
  inner.run(xr, xi, false);
  for (let j = 0; j < size; j++) for (let k = j * batch, end = k + batch; k < end; k++) {
    const r = xr[k], i = xi[k];
    xr[k] = r * fr[j] - i * fi[j];
    xi[k] = r * fi[j] + i * fr[j];
  }
  inner.run(xr, xi, true);
  times([xr, xi], [yr, yi], 1 / size);
}

/** Where element `i` of a centred sequence belongs before a transform: NumPy's ifftshift. */
export const toOrigin = (i, n) => (i + n - (n >> 1)) % n;

/** Where element `i` of a transform belongs in the centred result: NumPy's fftshift. */
export const toMiddle = (i, n) => (i + (n >> 1)) % n;
