// <recon-lab>: masks drawn by hand or by a family, and at once what they do to a point and to the
// slice. The picture goes into the linked panels beside it; the server is asked for the network's
// reconstruction when the hand rests.

import {onTurn} from './language.mjs';
import {draw, known, defaultCenterFraction, fullWidth, pointSpread, sidelobeLevel} from './masks.mjs';
import {inflate, transposed, unpackSlice} from './slice.mjs';
import {axes, sharp} from './plot.mjs';

const REST = 200; // milliseconds without a change, after which the network is asked
const FINGER = 11, MOUSE = 2.5; // pixels a line should be wide to be hit
const PARTS = `
  <div class="lab-lines">
    <canvas class="lab-overview" aria-hidden="true"></canvas>
    <canvas class="lab-mask" tabindex="0" role="slider" aria-valuenow="0" aria-label="Mask: click or drag lines on and
      off; with the keyboard arrows move and space switches"></canvas>
    <p><b class="mask-used"></b> <span class="lab-hint">Click or drag in the mask to take lines away
      or add some.</span> <span>Blue marks the middle of k-space.</span></p>
    <p class="message" role="alert" hidden></p>
  </div>
  <p class="lab-words" role="status"></p>
  <div class="lab-plots">
    <figure><canvas class="lab-spread" role="img" aria-label="Point spread"></canvas>
      <figcaption>Point spread along the phase-encode direction</figcaption></figure>
    <figure><canvas class="lab-square" role="img" aria-label="Point spread in two dimensions"></canvas>
      <figcaption>The same in two dimensions</figcaption></figure>
    <figure><canvas class="lab-wave" role="img" aria-label="What one line adds to the image"></canvas>
      <figcaption class="lab-line">What one line adds: point at a line</figcaption></figure>
  </div>`;

class Lab extends HTMLElement {
  constructor() {
    super();
    Object.assign(this, {lines: [], slice: null, budget: 1, cursor: null, painting: null, locked: false, from: 0});
  }

  connectedCallback() {
    if (!this.firstElementChild) {
      this.innerHTML = PARTS;
      this.strip = this.find('lab-mask');
      this.listen();
    }
    this.gone = new AbortController();
    const {signal} = this.gone;
    window.addEventListener('pointermove', event => this.drag(event), {signal});
    window.addEventListener('pointerup', () => this.release(), {signal});
    onTurn(() => this.show(), signal);
    this.resize = new ResizeObserver(() => this.show());
    this.resize.observe(this);
  }

  disconnectedCallback() {
    this.gone.abort();
    this.resize.disconnect();
    clearTimeout(this.timer);
  }

  find(name) { return this.querySelector(`.${name}`); }

  // ---- what arrives -----------------------------------------------------------------------

  set value(value) {
    this.wish = value;
    this.load(value);
  }

  async load(value) {
    if (!value || !value.lines) return;
    this.dataset.state = 'loading';
    if (value.slice && value.slice.key !== this.key) {
      const slice = await unpackSlice(value.slice), kspace = await inflate(value.kspace);
      if (this.wish !== value) return;
      Object.assign(this, {slice, kspace, key: value.slice.key});
    }
    if (!value.slice && value.about !== this.about) Object.assign(this, {slice: null, key: null});
    this.about = value.about;
    Object.assign(this, {budget: value.budget, locked: !!value.locked, rows: value.rows});
    this.lines = Uint8Array.from(value.lines, Number);
    this.find('lab-square').setAttribute('aria-label',
      `Point spread in two dimensions: one ${this.rows ? 'column' : 'row'}, since only one direction is undersampled`);
    this.say(value.message ?? '');
    this.classList.toggle('locked', this.locked);
    this.follow(false); // the panels come with it from the server
    this.dataset.state = 'ready';
  }

  /** A wish of the controls; the answer is the centre fraction they should show. */
  ask(changed, family, acceleration, fraction, seed) {
    if (changed === 'acceleration') fraction = Math.round(1000 * defaultCenterFraction(acceleration)) / 1000;
    if (this.locked || !this.lines.length || family === 'hand') return fraction;
    if (!known(family)) {
      this.rest('');
      return fraction;
    }
    try {
      this.lines = draw(family, this.lines.length, acceleration, fraction, seed ?? 0);
      this.budget = Math.max(1, Math.round(this.lines.length / acceleration), this.used);
      this.say('');
      this.follow();
      this.rest('');
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.say(error.message);
    }
    return fraction;
  }

  get used() { return this.lines.reduce((sum, line) => sum + line, 0); }

  get text() { return [...this.lines].join(''); }

  say(words) {
    const place = this.querySelector('.message');
    place.textContent = words;
    place.hidden = !words;
  }

  rest(hand) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send?.('input', {hand}), REST);
  }

  // ---- what follows from a mask -----------------------------------------------------------

  follow(live = true) {
    const start = performance.now(), {slice, lines} = this, measured = this.used;
    let words = `Point spread: largest sidelobe ${(100 * sidelobeLevel(lines)).toFixed(1)}% of the peak, main lobe `
      + `${fullWidth(lines).toFixed(1)} pixels wide; ${measured} of ${lines.length} lines (${(lines.length / measured).toFixed(2)}x)`;
    if (slice) {
      const image = slice.image(lines);
      this.ssim = slice.ssim(image);
      words += `; zero-filled SSIM ${this.ssim.toFixed(3)}`;
      if (live) this.share(image);
    }
    this.find('lab-words').textContent = `${words}.`;
    this.show();
    this.dataset.milliseconds = (performance.now() - start).toFixed(1);
  }

  share(image) { // what is known at once goes into the linked panels
    const panels = document.querySelector('#lab-panels recon-viewer'), unit = panels?.model?.scale / 65535;
    if (!unit || !panels.named('zero_filled')) return;
    const {lines, kspace, slice: {width, shown}} = this, measured = this.used;
    const masked = kspace.map((value, i) => (lines[i % width] ? value : 0));
    const mask = masked.map((_, i) => 255 * lines[i % width]);
    panels.update({
      mask: {values: this.upright(mask, width), caption: `${measured} of ${lines.length} lines, ${(lines.length / measured).toFixed(2)}x`},
      kspace: {values: this.upright(masked, width), caption: panels.named('kspace')?.caption ?? ''},
      zero_filled: {values: this.upright(image.map(value => value / unit), shown), caption: `SSIM ${this.ssim.toFixed(3)}`},
    }, ['reconstruction']);
  }

  /** Values of a picture of so many columns, lines as columns, as the person's array has them. */
  upright(values, width) { return this.rows ? transposed(values, width) : values; }

  show() {
    if (!this.lines.length || !this.clientWidth) return;
    this.showLines();
    this.showSpread();
    this.showSquare();
    const used = this.find('mask-used'), measured = this.used;
    used.textContent = this.locked ? `${measured} of ${this.lines.length} lines: the file's own mask`
      : measured > this.budget ? `${measured} lines, more than the budget of ${this.budget}` : `${measured} lines of at most ${this.budget}`;
    used.classList.toggle('over', measured > this.budget);
    this.strip.setAttribute('aria-valuetext', used.textContent);
    this.strip.setAttribute('aria-valuemin', 0);
    this.strip.setAttribute('aria-valuemax', this.lines.length - 1);
    this.strip.setAttribute('aria-valuenow', this.cursor ?? this.lines.length >> 1);
  }

  get seen() { // lines in the strip: all of them, where there is room to hit one
    const wish = matchMedia('(pointer: coarse)').matches ? FINGER : MOUSE;
    return Math.min(this.lines.length, Math.floor(this.strip.clientWidth / wish));
  }

  showLines() {
    const {lines, seen} = this, whole = seen >= lines.length, overview = this.find('lab-overview');
    this.from = Math.max(0, Math.min(lines.length - seen, whole ? 0 : this.from || (lines.length - seen) >> 1));
    overview.hidden = whole;
    const strip = (canvas, from, count) => {
      const {context, width, height} = sharp(canvas, '#000'), edge = i => Math.round(i / count * width);
      context.fillStyle = '#fff';
      for (let i = 0; i < count; i++) {
        const wide = edge(i + 1) - edge(i), gap = wide > 6 ? 1 : 0; // no gap where lines are narrow
        if (lines[from + i]) context.fillRect(edge(i), 0, wide - gap, height);
      }
      context.fillStyle = '#4dabf7';
      context.fillRect(edge((lines.length >> 1) - from), 0, Math.max(2, edge(1)), 6);
      return {context, edge, height};
    };
    if (!whole) {
      const {context, edge, height} = strip(overview, 0, lines.length);
      context.strokeStyle = '#ffd43b';
      context.lineWidth = 3;
      context.strokeRect(edge(this.from), 1, edge(this.from + seen) - edge(this.from), height - 2);
    }
    const {context, edge, height} = strip(this.strip, this.from, seen);
    if (this.cursor !== null) {
      context.strokeStyle = '#ffd43b';
      context.lineWidth = 2;
      context.strokeRect(edge(this.cursor - this.from), 1, Math.max(3, edge(1)), height - 2);
    }
  }

  showSpread() {
    const size = pointSpread(this.lines), half = size.length >> 1, peak = size[half];
    const decibels = size.map(value => 20 * Math.log10(Math.max(value / peak, 1e-3)));
    const plot = axes(this.find('lab-spread'), {x: [-half, size.length - half - 1], y: [-60, 0], xLabel: 'pixels', yLabel: 'dB'});
    plot.line(decibels.map((_, i) => i - half), decibels, '#4dabf7', 1.5);
    this.find('lab-spread').setAttribute('aria-label', this.find('lab-words').textContent);
    this.decibels = decibels;
  }

  showSquare() {
    const {context, width, height} = sharp(this.find('lab-square'), '#000'), {decibels, rows} = this, n = decibels.length;
    const [along, across] = rows ? [height, width] : [width, height];
    if (rows) context.setTransform(0, 1, 1, 0, 0, 0); // rows become columns
    for (let i = 0; i < n; i++) {
      const level = Math.round(255 * (decibels[i] + 60) / 60);
      context.fillStyle = `rgb(${level} ${level} ${level})`;
      context.fillRect(Math.floor(i / n * along), across / 2 - 2, Math.ceil(along / n), 4);
    }
  }

  showWave(index) {
    const {slice} = this;
    if (!slice || index < 0 || index >= this.lines.length) return;
    const canvas = this.find('lab-wave');
    const wave = this.upright(slice.wave(index), slice.shown), {rows} = this;
    canvas.width = rows ? slice.height : slice.shown;
    canvas.height = rows ? slice.shown : slice.height;
    const context = canvas.getContext('2d'), image = context.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < wave.length; i++) {
      image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = 127.5 * (1 + wave[i]);
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    const away = index - (this.lines.length >> 1);
    this.find('lab-line').textContent = `Line ${away > 0 ? '+' : ''}${away} adds this wave: `
      + `${(100 * slice.energy[index]).toPrecision(2)} % of the energy${this.lines[index] ? '' : ', not measured'}`;
  }

  // ---- drawing by hand --------------------------------------------------------------------

  listen() {
    this.strip.addEventListener('pointerdown', event => {
      if (this.locked) return;
      this.last = this.at(event);
      this.painting = this.lines[this.last] ? 0 : 1;
      this.put(this.last, this.painting);
      event.preventDefault();
      this.strip.focus({preventScroll: true});
    });
    this.strip.addEventListener('pointermove', event => {
      const index = this.at(event);
      if (index !== this.pointed) { this.pointed = index; this.showWave(index); }
    });
    this.strip.addEventListener('keydown', event => this.press(event));
    this.strip.addEventListener('blur', () => { this.cursor = null; this.show(); });
    const look = event => {
      if (!event.buttons && event.type === 'pointermove') return;
      const box = event.currentTarget.getBoundingClientRect();
      this.from = Math.max(1, Math.round((event.clientX - box.left) / box.width * this.lines.length - this.seen / 2));
      this.showLines();
    };
    for (const type of ['pointerdown', 'pointermove']) this.find('lab-overview').addEventListener(type, look);
  }

  at(event) {
    const box = this.strip.getBoundingClientRect();
    return this.from + Math.floor((event.clientX - box.left) / box.width * this.seen);
  }

  drag(event) {
    if (this.painting === null) return;
    const here = this.at(event), way = Math.sign(here - this.last) || 1;
    let changed = false;
    for (let i = this.last; i !== here + way; i += way) changed = this.put(i, this.painting, true) || changed;
    this.last = here;
    if (changed) requestAnimationFrame(() => this.follow());
  }

  release() {
    if (this.painting === null) return;
    this.painting = null;
    this.rest(this.text);
  }

  put(index, state, quiet = false) {
    const {lines} = this;
    if (this.locked || index < 0 || index >= lines.length || lines[index] === state) return false;
    if (state && this.used >= this.budget) {
      this.say(`All ${this.budget} lines are used; take one away before you add another.`);
      return false;
    }
    if (!state && this.used === 1) {
      this.say('One line has to stay.');
      return false;
    }
    this.lines = lines.slice();
    this.lines[index] = state;
    this.say('');
    if (!quiet) this.follow();
    return true;
  }

  press(event) {
    const last = this.lines.length - 1;
    this.cursor ??= this.lines.length >> 1;
    const moves = {ArrowLeft: -1, ArrowRight: 1, PageUp: 10, PageDown: -10};
    if (moves[event.key]) this.cursor = Math.max(0, Math.min(last, this.cursor + moves[event.key]));
    else if (event.key === ' ' || event.key === 'Enter') {
      if (this.put(this.cursor, this.lines[this.cursor] ? 0 : 1)) this.rest(this.text);
    } else return;
    event.preventDefault();
    if (this.cursor < this.from || this.cursor >= this.from + this.seen) this.from = Math.max(1, this.cursor - (this.seen >> 1));
    this.showWave(this.cursor);
    this.show();
  }
}

customElements.define('recon-lab', Lab);
