// Linked panels: zoom, pan and window together, as people who read images expect.
//
// Gradio runs this once for the component, with `element`; every new value is new HTML in it,
// which an observer notices. The picture arrives as numbers (see viewer.py), so that values can
// be read, windowed and scored here.

const LARGEST_ZOOM = 40;
const STEP = 1.25; // of zoom, for one turn of the wheel or one press of a key
const VIEWS = {}; // zoom and centre, shared by panels of one domain: image or k-space
let model = null;
let loaded = null; // key of the content that is drawn

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

async function load() {
  const holder = element.querySelector('.viewer');
  // Gradio puts new elements in place of the old ones, or changes the old ones in place.
  if (!holder || (holder.dataset.state && holder.dataset.key === loaded)) return;
  loaded = holder.dataset.key;
  holder.dataset.state = 'loading';
  const mine = loaded;
  const content = JSON.parse(holder.querySelector('.viewer-data').textContent);
  const panels = await Promise.all(content.panels.map(unpack));
  for (const panel of panels) if (panel.same) panel.values = panels.find(p => p.name === panel.same).values;
  if (!holder.isConnected || holder.dataset.key !== mine) return;
  const scale = content.scale;
  const old = model;
  model = {holder, panels, scale, range: content.range, largest: content.largest,
           colors: bytes(content.colors), home: content.window,
           low: 0, high: content.window, flicker: null, pointers: new Map(), drag: null,
           region: null, marking: false, hover: null};
  const shape = JSON.stringify(panels.map(p => [p.domain, p.width, p.height]));
  if (!old || old.shape !== shape) for (const key in VIEWS) delete VIEWS[key];
  else if (old.low !== 0 || old.high !== old.home) { // keep a window that somebody set
    model.low = old.low / old.home * model.home;
    model.high = old.high / old.home * model.home;
  }
  model.shape = shape;
  for (const panel of panels) {
    VIEWS[panel.domain] = VIEWS[panel.domain] || {zoom: 1, x: 0.5, y: 0.5};
    panel.canvas = holder.querySelector(`canvas[data-panel="${panel.name}"]`);
    panel.readout = panel.canvas.closest('figure').querySelector('.readout');
    listen(panel);
  }
  holder.querySelector('.viewer-reset').onclick = reset;
  const mark = holder.querySelector('.viewer-region');
  mark.onclick = () => { model.marking = !model.marking; show(); };
  for (const button of holder.querySelectorAll('.viewer-enlarge')) button.onclick = enlarge;
  new ResizeObserver(() => requestAnimationFrame(show)).observe(holder);
  paint();
  show();
  holder.dataset.state = 'ready';
}

function bytes(text) {
  return Uint8Array.from(atob(text), c => c.charCodeAt(0));
}

async function unpack(panel) {
  if (!panel.data) return panel;
  const stream = new Blob([bytes(panel.data)]).stream();
  const buffer = await new Response(stream.pipeThrough(new DecompressionStream('deflate'))).arrayBuffer();
  panel.values = panel.kind === 'image' ? new Uint16Array(buffer) : new Uint8Array(buffer);
  delete panel.data;
  return panel;
}

// ---- values -----------------------------------------------------------------------------

const named = name => model.panels.find(panel => panel.name === name);

// In units of the image; errors as a share of the reference's maximum; levels as they are.
function valueAt(panel, row, column) {
  if (panel.kind === 'error') {
    const index = row * panel.width + column;
    const difference = named(panel.of).values[index] - named(panel.against).values[index];
    return Math.abs(difference) * model.scale / 65535 / model.largest;
  }
  const value = panel.values[row * panel.width + column];
  if (panel.kind === 'share') return value / 255 * panel.limit;
  return panel.kind === 'image' ? value * model.scale / 65535 : value;
}

function describe(panel, row, column) {
  const value = valueAt(panel, row, column);
  if (panel.kind === 'image') return `${(100 * value / model.largest).toFixed(1)} %`;
  if (panel.kind === 'error' || panel.kind === 'share') return `${(100 * value).toFixed(1)} %`;
  if (panel.kind === 'decibels') return value ? `${(value / 255 * panel.span - panel.span).toFixed(0)} dB` : `below -${panel.span} dB`;
  return value ? 'measured' : 'not measured';
}

// SSIM over a region as scikit-image computes it: uniform 7x7 window, sample covariance.
function ssim(panel, reference, region) {
  const size = 7, half = 3, n = size * size, sample = n / (n - 1);
  const c1 = (0.01 * model.range) ** 2, c2 = (0.03 * model.range) ** 2, unit = model.scale / 65535;
  const {width, height} = panel;
  const top = clamp(region.top, half, height - half - 1), left = clamp(region.left, half, width - half - 1);
  const bottom = clamp(region.bottom, top, height - half - 1), right = clamp(region.right, left, width - half - 1);
  let total = 0, count = 0;
  for (let row = top; row <= bottom; row++) for (let column = left; column <= right; column++) {
    let x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (let r = row - half; r <= row + half; r++) {
      for (let c = column - half, i = r * width + c; c <= column + half; c++, i++) {
        const a = panel.values[i] * unit, b = reference.values[i] * unit;
        x += a; y += b; xx += a * a; yy += b * b; xy += a * b;
      }
    }
    x /= n; y /= n;
    const vx = sample * (xx / n - x * x), vy = sample * (yy / n - y * y), vxy = sample * (xy / n - x * y);
    total += (2 * x * y + c1) * (2 * vxy + c2) / ((x * x + y * y + c1) * (vx + vy + c2));
    count++;
  }
  return total / count;
}

// ---- drawing ----------------------------------------------------------------------------

// Numbers to colours, once for every change of the window.
function paint() {
  const gray = palette(Uint8Array.from({length: 768}, (_, i) => i / 3)), colors = palette(model.colors);
  for (const panel of model.panels) {
    const {width, height} = panel;
    const picture = panel.picture || Object.assign(document.createElement('canvas'), {width, height});
    const context = picture.getContext('2d'), image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer), shown = levels(panel);
    const shades = panel.kind === 'error' || panel.kind === 'share' ? colors : gray;
    for (let i = 0; i < pixels.length; i++) pixels[i] = shades[shown[i]];
    context.putImageData(image, 0, 0);
    panel.picture = picture;
  }
}

function palette(colors) { // 256 colours, red, green and blue, as whole pixels
  const shades = new Uint8Array(1024).fill(255);
  for (let i = 0; i < 768; i++) shades[Math.floor(i / 3) * 4 + i % 3] = colors[i];
  return new Uint32Array(shades.buffer);
}

function levels(panel) { // what to show of every pixel, from 0 to 255
  if (panel.kind !== 'image' && panel.kind !== 'error') return panel.values;
  const result = new Uint8ClampedArray(panel.width * panel.height), unit = 255 * model.scale / 65535;
  if (panel.kind === 'image') {
    const span = Math.max(1e-12, model.high - model.low), gain = unit / span, offset = 255 * model.low / span;
    for (let i = 0; i < result.length; i++) result[i] = panel.values[i] * gain - offset;
  } else {
    const of = named(panel.of).values, against = named(panel.against).values;
    const gain = unit / model.largest / panel.limit;
    for (let i = 0; i < result.length; i++) result[i] = Math.abs(of[i] - against[i]) * gain;
  }
  return result;
}

function geometry(panel) {
  const view = VIEWS[panel.domain], {clientWidth: w, clientHeight: h} = panel.canvas;
  const scale = Math.min(w / panel.width, h / panel.height) * view.zoom;
  return {scale, left: w / 2 - view.x * panel.width * scale, top: h / 2 - view.y * panel.height * scale};
}

function show() {
  const ratio = window.devicePixelRatio || 1;
  for (const panel of model.panels) {
    const {canvas} = panel, {clientWidth: w, clientHeight: h} = canvas;
    if (!w) continue; // in a tab that is not shown
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    const context = canvas.getContext('2d'), {scale, left, top} = geometry(panel);
    const other = model.flicker && model.flicker.on === panel ? model.flicker.panel : panel;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, w, h);
    context.imageSmoothingEnabled = scale * ratio < 1;
    context.drawImage(other.picture, left, top, panel.width * scale, panel.height * scale);
    if (model.hover && model.hover.domain === panel.domain && model.hover.panel !== panel) {
      const x = left + (model.hover.column + 0.5) * scale, y = top + (model.hover.row + 0.5) * scale;
      context.strokeStyle = '#4dabf7';
      context.strokeRect(x - 5, y - 5, 10, 10);
    }
    const box = model.drag && model.drag.box && model.drag.panel.domain === panel.domain && model.drag.box;
    if (box) {
      context.strokeStyle = '#ffd43b';
      context.lineWidth = 2;
      context.strokeRect(left + box.left * scale, top + box.top * scale,
                         (box.right - box.left + 1) * scale, (box.bottom - box.top + 1) * scale);
    }
    canvas.dataset.shows = other.name;
  }
  const {holder} = model, image = VIEWS.image;
  holder.classList.toggle('zoomed', Object.values(VIEWS).some(view => view.zoom > 1));
  holder.classList.toggle('marking', model.marking);
  holder.querySelector('.viewer-region').setAttribute('aria-pressed', model.marking);
  const parts = [];
  if (image && image.zoom > 1.001) parts.push(`zoom ${image.zoom.toFixed(1)}x`);
  if (model.low !== 0 || model.high !== model.home) {
    const percent = value => `${Math.round(100 * value / model.largest)} %`;
    parts.push(`window ${percent(model.low)} to ${percent(model.high)} of the maximum`);
  }
  holder.querySelector('.viewer-status').textContent = parts.join(' · ');
  for (const panel of model.panels) {
    let text = '';
    const {hover, region} = model;
    if (hover && hover.domain === panel.domain) {
      const place = hover.panel === panel ? `row ${hover.row}, column ${hover.column}: ` : '';
      text = place + describe(panel, hover.row, hover.column);
    } else if (region && region.scores[panel.name] !== undefined) {
      text = `region SSIM ${region.scores[panel.name].toFixed(3)}`;
    }
    panel.readout.textContent = text;
  }
}

// ---- what people do ---------------------------------------------------------------------

function zoomAt(panel, factor, x, y) { // keeps what is under (x, y) where it is
  const view = VIEWS[panel.domain], before = geometry(panel);
  const column = (x - before.left) / before.scale, row = (y - before.top) / before.scale;
  view.zoom = clamp(view.zoom * factor, 1, LARGEST_ZOOM);
  const after = geometry(panel);
  view.x += (column - (x - after.left) / after.scale) / panel.width;
  view.y += (row - (y - after.top) / after.scale) / panel.height;
  settle(view);
}

function settle(view) { // nothing to see beyond the edge
  if (view.zoom === 1) view.x = view.y = 0.5;
  view.x = clamp(view.x, 0, 1);
  view.y = clamp(view.y, 0, 1);
}

function pan(panel, dx, dy) {
  const view = VIEWS[panel.domain], {scale} = geometry(panel);
  view.x -= dx / scale / panel.width;
  view.y -= dy / scale / panel.height;
  settle(view);
}

function setWindow(dx, dy) { // right for more contrast, down for brighter, as in viewers of scans
  const width = (model.high - model.low) * Math.exp(-dx / 150);
  const level = (model.high + model.low) / 2 - dy / 300 * model.home;
  model.low = level - width / 2;
  model.high = level + width / 2;
  paint();
}

function reset() {
  for (const view of Object.values(VIEWS)) Object.assign(view, {zoom: 1, x: 0.5, y: 0.5});
  Object.assign(model, {low: 0, high: model.home, region: null, marking: false});
  paint();
  show();
}

function magnify(panel, box) {
  const view = VIEWS[panel.domain], {clientWidth: w, clientHeight: h} = panel.canvas;
  const fit = Math.min(w / panel.width, h / panel.height);
  const width = box.right - box.left + 1, height = box.bottom - box.top + 1;
  view.zoom = clamp(Math.min(w / width, h / height) / fit, 1, LARGEST_ZOOM);
  view.x = (box.left + width / 2) / panel.width;
  view.y = (box.top + height / 2) / panel.height;
  settle(view);
  const reference = named('reference'), scores = {};
  if (reference && panel.domain === 'image') {
    for (const other of model.panels) {
      if (other.kind === 'image' && other !== reference) scores[other.name] = ssim(other, reference, box);
    }
  }
  model.region = {box, scores};
}

function pixel(panel, x, y) {
  const {scale, left, top} = geometry(panel);
  return {row: Math.floor((y - top) / scale), column: Math.floor((x - left) / scale)};
}

function inside(panel, {row, column}) {
  return row >= 0 && column >= 0 && row < panel.height && column < panel.width;
}

function listen(panel) {
  const {canvas} = panel;
  const place = event => {
    const box = canvas.getBoundingClientRect();
    return {x: event.clientX - box.left, y: event.clientY - box.top};
  };
  canvas.onwheel = event => {
    if (event.deltaY > 0 && VIEWS[panel.domain].zoom === 1) return; // the page scrolls on
    event.preventDefault();
    const {x, y} = place(event);
    zoomAt(panel, event.deltaY < 0 ? STEP : 1 / STEP, x, y);
    show();
  };
  canvas.ondblclick = reset;
  canvas.oncontextmenu = event => event.preventDefault();
  canvas.onpointerdown = event => {
    const at = place(event);
    const touch = event.pointerType === 'touch';
    if (touch && !model.marking && VIEWS[panel.domain].zoom === 1 && model.pointers.size === 0) {
      model.pointers.set(event.pointerId, at); // alone it scrolls the page; a second finger zooms
      return;
    }
    canvas.setPointerCapture(event.pointerId);
    model.pointers.set(event.pointerId, at);
    const start = pixel(panel, at.x, at.y);
    const mode = event.button === 2 || event.shiftKey ? 'window'
      : model.marking || event.ctrlKey || event.metaKey ? 'region' : 'pan';
    model.drag = {panel, mode, at, origin: at, start, box: null};
    canvas.focus({preventScroll: true});
  };
  canvas.onpointermove = event => {
    const at = place(event), fingers = model.pointers;
    if (fingers.size === 2 && fingers.has(event.pointerId)) {
      const [id, other] = [...fingers].find(([key]) => key !== event.pointerId);
      const before = fingers.get(event.pointerId);
      const distance = (a, b) => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
      pan(panel, (at.x - before.x) / 2, (at.y - before.y) / 2);
      zoomAt(panel, distance(at, other) / distance(before, other), (at.x + other.x) / 2, (at.y + other.y) / 2);
      fingers.set(event.pointerId, at);
      model.drag = null;
      show();
      return;
    }
    const {drag} = model;
    if (drag && drag.panel === panel && fingers.has(event.pointerId)) {
      const dx = at.x - drag.at.x, dy = at.y - drag.at.y;
      drag.at = at;
      if (drag.mode === 'pan') pan(panel, dx, dy);
      else if (drag.mode === 'window') setWindow(dx, dy);
      else {
        const end = pixel(panel, at.x, at.y);
        const rows = [drag.start.row, end.row].map(v => clamp(v, 0, panel.height - 1)).sort((a, b) => a - b);
        const columns = [drag.start.column, end.column].map(v => clamp(v, 0, panel.width - 1)).sort((a, b) => a - b);
        drag.box = {top: rows[0], bottom: rows[1], left: columns[0], right: columns[1]};
      }
    }
    const here = pixel(panel, at.x, at.y);
    model.hover = inside(panel, here) ? {panel, domain: panel.domain, ...here} : null;
    show();
  };
  canvas.onpointerup = canvas.onpointercancel = event => {
    model.pointers.delete(event.pointerId);
    const {drag} = model;
    model.drag = null;
    const at = place(event), still = drag && Math.hypot(at.x - drag.origin.x, at.y - drag.origin.y) < 3;
    if (still && drag.mode === 'pan' && event.button === 0) {
      const here = pixel(panel, at.x, at.y);
      if (panel.domain === 'image' && inside(panel, here)) trigger('select', here);
    }
    if (drag && drag.box && drag.box.right - drag.box.left > 1 && drag.box.bottom - drag.box.top > 1) {
      magnify(panel, drag.box);
      model.marking = false;
      model.hover = null;
    }
    show();
  };
  canvas.onpointerleave = () => { model.hover = null; show(); };
  canvas.onpointerenter = () => { model.under = panel; };
  canvas.onfocus = () => { model.under = panel; };
  canvas.onkeydown = event => {
    const middle = [canvas.clientWidth / 2, canvas.clientHeight / 2], far = canvas.clientWidth / 10;
    const deeds = {
      '+': () => zoomAt(panel, STEP, ...middle), '=': () => zoomAt(panel, STEP, ...middle),
      '-': () => zoomAt(panel, 1 / STEP, ...middle), '0': reset, Escape: reset,
      ArrowLeft: () => pan(panel, far, 0), ArrowRight: () => pan(panel, -far, 0),
      ArrowUp: () => pan(panel, 0, far), ArrowDown: () => pan(panel, 0, -far),
      '[': () => setWindow(-15, 0), ']': () => setWindow(15, 0),
      '{': () => setWindow(0, -15), '}': () => setWindow(0, 15),
    };
    if (!deeds[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    deeds[event.key]();
    show();
  };
}

// While a number key is down, the panel under the pointer shows that panel's picture in place.
function flick(event) {
  if (!model || !model.holder.isConnected) return;
  const number = Number(event.key);
  const typing = event.target.closest && event.target.closest('input, textarea, select, [contenteditable]');
  if (!number || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.type === 'keyup') { model.flicker = null; show(); return; }
  const panel = model.panels[number - 1], on = (model.hover && model.hover.panel) || model.under;
  if (!panel || !on || panel.domain !== on.domain) return;
  event.preventDefault();
  model.flicker = {panel, on};
  show();
}

function enlarge(event) {
  const figure = event.currentTarget.closest('figure'), open = figure.classList.contains('enlarged');
  model.holder.querySelectorAll('.enlarged').forEach(other => other.classList.remove('enlarged'));
  figure.classList.toggle('enlarged', !open);
  if (!open) figure.scrollIntoView({block: 'nearest'});
  requestAnimationFrame(show);
}

document.addEventListener('keydown', flick);
document.addEventListener('keyup', flick);
new MutationObserver(load).observe(
  element, {childList: true, subtree: true, attributes: true, attributeFilter: ['data-key', 'data-state']});
load();
