// <recon-private>: the network in the browser. Files are read here and go nowhere; once the mode
// is on, this element asks for nothing over the network any more.

import {FileError, npy, npz, hdf5, picture} from './arrays.mjs';
import {transform, cropped, measured, networkInputs, networkImage} from './centred.mjs';
import {draw, defaultCenterFraction} from './masks.mjs';
import {Similarity, statistics} from './scores.mjs';
import {GRAY, paint, windowed} from './levels.mjs';

const TRIAL = 64; // pixels on a side of what the time is estimated from
const PICTURES = {'zero-filled': 'what the measured lines alone give', 'ResNet-DC': 'what the network makes of them, with its scores', reference: 'what all lines give, to judge by'};
const NONE = 'No file chosen yet';
const STEPS = ['Switch the mode on: the network and what runs it come to this browser.', 'Choose a file. From here on nothing is sent; you may even go offline.',
  'Reconstruct: of one coil, mask, ResNet-DC and scores are those of the first tab; several coils go through it one by one. Your own processor does the work.'];

// The runtime works beside the page, so that the page goes on and can stop it.
const WORKER = `
let session, ort;
onmessage = async ({data: {runtime, wasm, model, inputs}}) => {
  try {
    if (runtime) {
      ort = await import(runtime);
      Object.assign(ort.env.wasm, {wasmBinary: wasm, numThreads: 1});
      session = await ort.InferenceSession.create(model, {executionProviders: ['wasm']});
      postMessage({ready: true});
      return;
    }
    const feeds = Object.fromEntries(inputs.map(([name, data, shape]) => [name, new ort.Tensor('float32', data, shape)]));
    const {image} = await session.run(feeds);
    postMessage({image: image.data});
  } catch (error) { postMessage({error: String(error.message ?? error)}); }
};`;

const make = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

/** A file from the network, as it was when its hash was written down; progress in bytes. */
async function fetched({url, integrity, bytes}, progress) {
  const answer = await fetch(url, integrity ? {integrity, mode: 'cors', credentials: 'omit'} : {})
    .catch(() => { throw new FileError('A part of the private mode could not be loaded; it comes from the internet.'); });
  if (!answer.ok) throw new FileError('A part of the private mode could not be loaded.');
  const reader = answer.body.getReader(), pieces = [];
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return new Blob(pieces);
    pieces.push(value);
    progress(value.length, bytes);
  }
}

const script = async (blob, more = '') => URL.createObjectURL(new Blob([await blob.text(), more], {type: 'text/javascript'}));

class Private extends HTMLElement {
  set value(value) {
    if (!value?.parts || this.parts) return;
    this.parts = value.parts;
    this.build();
  }

  disconnectedCallback() { this.worker?.terminate(); }

  build() {
    const megabytes = Math.round(Object.values(this.parts).reduce((sum, part) => sum + part.bytes, 0) / 1e6);
    this.switch = make('button', {className: 'private-switch', textContent: `Switch private mode on (loads ${megabytes} MB)`, onclick: () => this.start()});
    this.file = make('input', {type: 'file', accept: '.npy,.npz,.h5,.hdf5,.png,.jpg,.jpeg', disabled: true, onchange: () => this.open()});
    this.chosen = make('span', {className: 'private-chosen', textContent: NONE});
    this.rate = make('select', {disabled: true, onchange: () => this.moved()}, ...[4, 8].map(r => make('option', {value: r, textContent: `${r}x`})));
    this.seed = make('input', {type: 'number', min: 0, step: 1, value: 0, disabled: true, oninput: () => this.moved()});
    this.run = make('button', {textContent: 'Reconstruct here', disabled: true, onclick: () => this.reconstruct()});
    this.stop = make('button', {textContent: 'Cancel', hidden: true, onclick: () => this.cancel()});
    this.bar = make('progress', {max: 1, value: 0, hidden: true, ariaLabel: 'Progress'});
    this.words = make('p', {className: 'private-words', role: 'status'});
    this.steps = make('ol', {className: 'steps'}, ...STEPS.map(textContent => make('li', {textContent})));
    this.old = make('p', {className: 'stale-note', hidden: true, textContent: 'These results are from before you moved a control.'});
    this.pictures = make('div', {className: 'private-pictures'});
    const labelled = (text, control) => make('label', {}, `${text} `, control);
    const file = labelled('File', this.file);
    file.className = 'private-file';
    file.append(make('span', {className: 'private-choose', textContent: 'Choose a file'}), this.chosen);
    this.replaceChildren(
      make('div', {className: 'private-rail'},
        make('p', {textContent: 'Your file stays on your machine: it is read, reconstructed with ResNet-DC and scored in this browser. Nothing is sent after the switch.'}),
        this.switch, file,
        make('p', {textContent: 'Files: .npy and .npz with k-space, HDF5 as fastMRI stores it (.h5), or a picture (.png, .jpg), of which k-space is simulated. Of several slices the middle one is taken.'}),
        make('div', {className: 'private-row'}, labelled('Acceleration', this.rate), labelled('Mask seed', this.seed)), this.run, this.stop),
      make('div', {className: 'private-stage'}, this.steps, this.bar, this.words, this.old, this.pictures));
    this.clear();
  }

  /** No results: in the place of every picture, what will stand there. */
  clear() {
    this.result = null;
    this.old.hidden = true;
    this.pictures.replaceChildren(...Object.entries(PICTURES).map(([name, what]) => make('figure', {},
      make('div', {className: 'private-empty', textContent: what}), make('figcaption', {textContent: name}))));
  }

  moved() {
    this.old.hidden = !this.result;
    this.estimate();
  }

  /** While it computes nothing else can be asked for. */
  set busy(on) {
    for (const control of [this.file, this.rate, this.seed, this.run]) control.disabled = on;
    this.stop.hidden = this.bar.hidden = !on;
  }

  say(text, state = 'idle') { this.words.textContent = text; this.dataset.state = state; }

  async guarded(work) {
    try { await work(); } catch (error) {
      this.bar.hidden = this.stop.hidden = true;
      if (error.name !== 'AbortError') this.say(error instanceof FileError ? error.message : `This browser cannot do it: ${error.message ?? error}`, 'error');
    }
  }

  start() {
    return this.guarded(async () => {
      if (typeof WebAssembly !== 'object' || typeof DecompressionStream !== 'function') throw new FileError('This browser is too old for the private mode: it lacks WebAssembly or DecompressionStream.');
      this.switch.disabled = true;
      this.bar.hidden = false;
      this.say('Loading the network and its runtime…', 'loading');
      const total = Object.values(this.parts).reduce((sum, part) => sum + part.bytes, 0);
      let loaded = 0;
      const progress = length => { this.bar.value = Math.min(1, (loaded += length) / total); };
      try {
        const [runtime, wasm, h5wasm, model] = await Promise.all(['runtime', 'wasm', 'h5wasm', 'model'].map(name => fetched(this.parts[name], progress)));
        this.loaded = {runtime: await script(runtime), wasm: await wasm.arrayBuffer(), model: new Uint8Array(await model.arrayBuffer())};
        this.h5wasm = (await import(await script(h5wasm, '\nexport default h5wasm;'))).default;
        await this.launch();
      } catch (error) { this.switch.disabled = false; throw error; }
      this.bar.hidden = this.steps.hidden = true;
      this.switch.textContent = 'Private mode is on';
      for (const control of [this.file, this.rate, this.seed]) control.disabled = false;
      const mask = new Uint8Array(TRIAL).fill(1), flat = {re: new Float32Array(TRIAL ** 2).fill(1), im: new Float32Array(TRIAL ** 2)};
      const trial = networkInputs(flat, mask, TRIAL, TRIAL);
      await this.ask({inputs: trial.values}); // the first run also prepares
      const paces = [];
      for (let i = 0; i < 3; i++) {
        const before = performance.now();
        await this.ask({inputs: trial.values});
        paces.push((performance.now() - before) / 1000 / TRIAL ** 2);
      }
      this.pace = paces.sort((a, b) => a - b)[1]; // seconds a pixel, until a slice tells better
      this.say('Private mode is on. Choose a file.', 'on');
    });
  }

  async launch() {
    this.worker = new Worker(URL.createObjectURL(new Blob([WORKER], {type: 'text/javascript'})), {type: 'module'});
    await this.ask({...this.loaded});
  }

  ask(message) {
    return new Promise((resolve, reject) => {
      this.giveUp = () => reject(new DOMException('cancelled', 'AbortError'));
      this.worker.onmessage = ({data}) => data.error ? reject(new Error(data.error)) : resolve(data);
      this.worker.onerror = () => reject(new Error('the runtime stopped'));
      this.worker.postMessage(message);
    });
  }

  open() {
    return this.guarded(async () => {
      const [file] = this.file.files;
      this.chosen.textContent = file?.name ?? NONE;
      this.scan = null;
      this.run.disabled = true;
      this.clear();
      if (!file) return;
      this.say('Reading the file…', 'reading');
      const scan = await read(file, this.h5wasm).catch(error => ({error}));
      if (file !== this.file.files[0]) return; // another one was chosen meanwhile
      if (scan.error) throw scan.error;
      this.scan = scan;
      this.run.disabled = false;
      this.estimate();
    });
  }

  estimate() {
    if (!this.scan) return;
    const {height, width, coils, simulated, slices, slice} = this.scan;
    this.expected = this.pace * height * width * coils;
    const which = slices > 1 ? `, slice ${slice} of ${slices}` : '';
    this.say(`${height} x ${width}${coils > 1 ? `, ${coils} coils, one after the other` : ''}${which}${simulated ? '; k-space is simulated from the picture' : ''}. `
      + `About ${this.expected.toFixed(this.expected < 10 ? 1 : 0)} s on this device.`, 'chosen');
  }

  reconstruct() {
    return this.guarded(async () => {
      const {scan} = this, {height, width, coils, shown = [height, width]} = scan, size = height * width, rate = Number(this.rate.value);
      const mask = draw('random', width, rate, defaultCenterFraction(rate), Math.max(0, Math.floor(Number(this.seed.value))));
      this.busy = true;
      this.bar.value = 0;
      this.say('Reconstructing…', 'running');
      const start = performance.now(), seconds = () => (performance.now() - start) / 1000;
      const clock = setInterval(() => { this.bar.value = Math.min(0.99, seconds() / this.expected); }, 100);
      const sums = {}; // of squares over coils
      const add = (name, image) => {
        const part = cropped(image, height, width, shown);
        sums[name] ??= {...part, values: new Float32Array(part.values.length)};
        part.values.forEach((value, i) => { sums[name].values[i] += value * value; });
      };
      try {
        for (let coil = 0; coil < coils; coil++) {
          const of = values => values.subarray(coil * size, (coil + 1) * size), kspace = {re: of(scan.re), im: of(scan.im)};
          add('reference', transform(kspace.re, kspace.im, height, width));
          const kept = measured(kspace, mask, width), zeroFilled = transform(kept.re, kept.im, height, width);
          add('zero-filled', zeroFilled);
          const inputs = networkInputs(zeroFilled, mask, height, width);
          const {image} = await this.ask({inputs: inputs.values});
          add('ResNet-DC', networkImage(image, inputs, height, width));
        }
      } catch (error) {
        if (error.name !== 'AbortError') this.busy = false;
        throw error;
      } finally {
        clearInterval(clock);
      }
      this.busy = false;
      for (const one of Object.values(sums)) one.values = one.values.map(Math.sqrt);
      const took = seconds();
      this.pace = took / size / coils;
      this.show(sums, took, mask);
    });
  }

  show(images, seconds, mask) {
    const {values, width, height} = images.reference, highest = values.reduce((a, b) => Math.max(a, b), 0);
    const {maximum, coils} = this.scan, fits = highest <= 1.001 * maximum && maximum < 100 * highest;
    const range = fits ? maximum : highest, similarity = new Similarity(values, width, height, range);
    const box = {top: 0, left: 0, bottom: height - 1, right: width - 1}, sorted = Float32Array.from(values).sort();
    const upper = sorted[Math.floor(0.995 * (sorted.length - 1))] || 1;
    this.result = {seconds, coils, images, scores: {}, measured: mask.reduce((a, b) => a + b, 0)};
    this.old.hidden = true;
    this.pictures.replaceChildren(...Object.keys(PICTURES).map(name => {
      const canvas = make('canvas', {width, height}), caption = make('figcaption', {textContent: name});
      canvas.setAttribute('aria-label', name);
      canvas.setAttribute('role', 'img');
      paint(canvas, windowed(images[name].values, 0, upper), GRAY);
      if (name !== 'reference') {
        const {psnr, nmse} = statistics(images[name].values, values, width, box, range), ssim = similarity.mean(images[name].values);
        this.result.scores[name] = {ssim, psnr, nmse};
        caption.textContent += `: SSIM ${ssim.toFixed(3)}, PSNR ${psnr.toFixed(1)} dB`;
      }
      return make('figure', {}, canvas, caption);
    }));
    this.say(`${this.result.measured} of ${mask.length} lines measured; ${seconds.toFixed(1)} s in this browser. Nothing was sent.`, 'done');
  }

  cancel() {
    return this.guarded(async () => {
      this.worker.terminate();
      this.giveUp?.();
      this.say('Cancelled.', 'starting');
      await this.launch();
      this.busy = false;
      this.say('Cancelled.', 'chosen');
    });
  }
}

/** What a file of the visitor holds: k-space of one slice. */
async function read(file, h5wasm) {
  const bytes = new Uint8Array(await file.arrayBuffer()), name = file.name.toLowerCase();
  let array = name.endsWith('.npy') ? npy(bytes) : name.endsWith('.npz') ? await npz(bytes)
    : /\.(h5|hdf5)$/.test(name) ? await hdf5(bytes, h5wasm, -1) : await picture(file);
  if (array.shape.length === 3 && !array.slices) array = middle(array); // slices of one coil
  const [height, width] = array.shape.slice(-2), coils = array.shape.length > 2 ? array.shape[0] : 1;
  if (array.shape.length > 3 || array.shape.length < 2 || height < 8 || width < 8) throw new FileError('K-space of a slice is needed: (H, W), (slices, H, W) or fastMRI HDF5.');
  if (array.mask) throw new FileError('This file was undersampled already; the private mode takes fully sampled k-space.');
  const simulated = !array.im;
  if (simulated) array = {...array, ...transform(array.re, null, height, width, false)};
  return {...array, height, width, coils, simulated};
}

function middle({shape: [slices, height, width], re, im}) {
  const slice = slices >> 1, of = values => values && values.slice(slice * height * width, (slice + 1) * height * width);
  return {shape: [height, width], re: of(re), im: of(im), slices, slice};
}

if (!customElements.get('recon-private')) customElements.define('recon-private', Private);
