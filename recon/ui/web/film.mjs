// <recon-film>: the replay of a scan. K-space arrives once; lines are added to the image here.

import {onTurn} from './language.mjs';
import {axes} from './plot.mjs';
import {Random} from './random.mjs';
import {unpackSlice} from './slice.mjs';

const FRAMES = 60;
const CURVES = 'SSIM and share of the energy against lines measured';
const CURVE = 'Share of the measured energy against lines measured'; // where there is nothing to judge by
const PARTS = `
  <div class="film-pictures">
    <figure><canvas class="film-kspace" role="img" aria-label="K-space as it fills"></canvas>
      <figcaption>k-space</figcaption></figure>
    <figure><canvas class="film-image" role="img" aria-label="Image so far"></canvas>
      <figcaption>Image so far</figcaption></figure>
    <figure><canvas class="film-curve" role="img" aria-label="${CURVES}"></canvas>
      <figcaption><span class="film-key"></span></figcaption></figure>
  </div>
  <div class="film-bar">
    <button type="button" class="film-play">Play</button>
    <input type="range" class="film-scrub" min="0" max="0" value="0" aria-label="Moment">
    <label>Speed <select class="film-speed"><option value="3">slow</option>
      <option value="20" selected>normal</option><option value="60">fast</option></select></label>
    <label>TR <input type="number" class="film-tr" value="500" min="1" step="50"> ms</label>
  </div>
  <p class="film-words" role="status" aria-live="off"></p>
  <p class="message" role="alert" hidden></p>`;

/** The measured lines, first to last: from one edge to the other, from the middle outwards with
    both sides in turn, or at random. */
function lineOrder(mask, order, seed = 0) {
  const lines = [...mask.keys()].filter(i => mask[i]), half = mask.length >> 1;
  if (order === 'centric') lines.sort((a, b) => Math.abs(a - half) - Math.abs(b - half));
  if (order === 'random') new Random(seed).shuffle(lines);
  return lines;
}

/** Numbers of lines at evenly spaced moments, the last with all. */
export function moments(lines, frames = FRAMES) {
  const n = Math.min(frames, lines);
  return Array.from({length: n}, (_, i) => Math.ceil((i + 1) * lines / n - 1e-9));
}

class Film extends HTMLElement {
  connectedCallback() {
    if (!this.firstElementChild) {
      this.innerHTML = PARTS;
      this.classList.add('film');
      this.find('play').onclick = () => (this.playing ? this.pause() : this.play());
      this.find('scrub').oninput = event => { this.pause(); this.show(Number(event.target.value)); };
      this.find('tr').oninput = () => this.show(this.frame);
      this.addEventListener('input', event => event.stopPropagation());
    }
    const again = () => { if (this.ready) this.show(this.frame); };
    this.resize = new ResizeObserver(again);
    this.resize.observe(this);
    this.gone = new AbortController();
    onTurn(again, this.gone.signal);
  }

  disconnectedCallback() {
    this.gone.abort();
    this.resize.disconnect();
    this.playing = false;
  }

  find(name) { return this.querySelector(`.film-${name}`); }

  set value(value) {
    this.wish = value;
    this.load(value);
  }

  async load(value) {
    if (!value || !value.slice) return;
    this.dataset.state = 'loading';
    if (value.slice.key !== this.key) {
      const slice = await unpackSlice(value.slice);
      const kspace = await createImageBitmap(await (await fetch(`data:image/png;base64,${value.kspace}`)).blob());
      if (this.wish !== value) return;
      Object.assign(this, {slice, kspace, key: value.slice.key, white: value.white});
    }
    this.pause();
    this.judged = value.judged; // or the data arrived undersampled
    this.find('curve').setAttribute('aria-label', this.judged ? CURVES : CURVE);
    this.find('key').innerHTML = this.judged
      ? '<i style="background:#4dabf7"></i>SSIM <i style="background:#ffb454"></i>share of the energy'
      : '<i style="background:#ffb454"></i>share of the measured energy';
    this.rows = value.rows; // of the picture are phase-encode lines: columns here all the same
    const mask = value.lines ? Uint8Array.from(value.lines, Number) : new Uint8Array(this.slice.width).fill(1);
    this.order = lineOrder(mask, value.order, value.seed);
    this.counts = moments(this.order.length);
    this.pictures = [];
    this.ssim = [];
    this.energy = [];
    this.ready = false;
    const job = this.job = {};
    for (let n = 0, measured = new Uint8Array(this.slice.width); n < this.counts.length; n++) {
      for (let i = n ? this.counts[n - 1] : 0; i < this.counts[n]; i++) measured[this.order[i]] = 1;
      const image = this.slice.image(measured);
      if (this.judged) this.ssim.push(this.slice.ssim(image));
      this.energy.push(this.slice.energy.reduce((sum, share, j) => sum + (measured[j] ? share : 0), 0));
      this.pictures.push(this.picture(image));
      if (n % 4 === 3) await new Promise(then => setTimeout(then)); // the page stays alive
      if (this.job !== job) return;
    }
    this.find('scrub').max = this.counts.length - 1;
    this.ready = true;
    this.show(this.counts.length - 1);
    this.dataset.state = 'ready';
  }

  picture(image) {
    const {shown: width, height} = this.slice, canvas = Object.assign(document.createElement('canvas'), {width, height});
    const context = canvas.getContext('2d'), pixels = context.createImageData(width, height), gain = 255 / this.white;
    for (let i = 0; i < image.length; i++) {
      pixels.data[4 * i] = pixels.data[4 * i + 1] = pixels.data[4 * i + 2] = image[i] * gain;
      pixels.data[4 * i + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  play() {
    if (!this.ready) return;
    if (this.frame >= this.counts.length - 1) this.frame = 0;
    Object.assign(this, {playing: true, since: null, from: this.frame, drawn: 0});
    this.find('play').textContent = 'Pause';
    requestAnimationFrame(now => this.tick(now));
  }

  pause() {
    this.playing = false;
    this.find('play').textContent = 'Play';
  }

  tick(now) {
    if (!this.playing || !this.isConnected) return;
    this.since ??= now; // not the time of the click: a frame's own time may lie before it
    const speed = Number(this.find('speed').value), last = this.counts.length - 1; // frames a second
    const frame = Math.min(last, this.from + Math.floor((now - this.since) / 1000 * speed));
    if (frame !== this.frame) this.drawn += 1;
    this.show(frame);
    this.find('play').dataset.rate = (this.drawn / Math.max(0.001, (now - this.since) / 1000)).toFixed(1);
    if (frame >= last) this.pause();
    else requestAnimationFrame(then => this.tick(then));
  }

  show(frame) {
    if (!this.ready) return;
    this.frame = frame;
    const {slice, kspace, order} = this, count = this.counts[frame];
    this.fill(this.find('image'), slice.shown, slice.height, context => context.drawImage(this.pictures[frame], 0, 0));
    this.fill(this.find('kspace'), kspace.width, kspace.height, context => {
      for (const line of order.slice(0, count)) context.drawImage(kspace, line, 0, 1, kspace.height, line, 0, 1, kspace.height);
      context.fillStyle = '#ffd43b';
      if (count < order.length) context.fillRect(order[count - 1], 0, 1, kspace.height);
    });
    this.curve(frame);
    this.find('scrub').value = frame;
    const energy = (100 * this.energy[frame]).toFixed(1);
    this.find('words').textContent = `${count} of ${slice.width} lines · ${this.time(count)} · ${this.judged
      ? `SSIM ${this.ssim[frame].toFixed(3)} · ${energy} % of the energy` : `${energy} % of the measured energy`}`;
  }

  time(count) {
    const tr = Number(this.find('tr').value), wrong = !(tr > 0), place = this.querySelector('.message');
    place.hidden = !wrong;
    place.textContent = wrong ? 'The repetition time TR is a number of milliseconds above 0.' : '';
    if (wrong) return 'scan time unknown';
    const seconds = count * tr / 1000;
    return `scan time ${seconds >= 60 ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s` : `${seconds.toFixed(1)} s`}`;
  }

  fill(canvas, width, height, draw) {
    if (this.rows) [width, height] = [height, width];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext('2d');
    context.resetTransform();
    context.fillStyle = '#000';
    context.fillRect(0, 0, width, height);
    if (this.rows) context.setTransform(0, 1, 1, 0, 0, 0); // rows become columns
    draw(context);
  }

  curve(frame) {
    const canvas = this.find('curve'), {counts, ssim, energy} = this;
    if (!canvas.clientWidth) return;
    const plot = axes(canvas, {x: [0, this.slice.width], y: [Math.min(0, ...ssim), 1], xLabel: 'lines measured', yLabel: ''});
    plot.line(counts, energy, '#ffb454', 2);
    plot.dot(counts[frame], energy[frame], '#ffb454');
    if (!this.judged) return;
    plot.line(counts, ssim, '#4dabf7', 1.5, 0.5);
    plot.line(counts.slice(0, frame + 1), ssim, '#4dabf7', 3);
    plot.dot(counts[frame], ssim[frame], '#4dabf7');
  }
}

customElements.define('recon-film', Film);
