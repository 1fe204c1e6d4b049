// <recon-viewer>: linked panels, zoomed, panned and windowed together.
//
// The picture arrives as numbers (see viewer.py), so that values can be read, windowed and scored
// here. This file holds the element; gestures.mjs says what people do to it.

import {across, drawPlots, plots} from './curves.mjs';
import {listen} from './gestures.mjs';
import * as geometry from './geometry.mjs';
import {onTurn} from './language.mjs';
import {GRAY, SIGNED, difference, dialled, paint, palette, windowed} from './levels.mjs';
import {said} from './marking.mjs';
import {draw} from './overlay.mjs';
import {choose, chips, leave, present} from './projector.mjs';
import {score, table} from './regions.mjs';
import {inflate} from './slice.mjs';

const HOME = {zoom: 1, x: 0.5, y: 0.5};
const BAR = `
  <button type="button" data-do="reset" title="Back to the whole picture (0)">Reset</button>
  <button type="button" data-do="region" aria-pressed="false" class="viewer-region"
    title="Draw a rectangle: it is magnified and scored in every panel (r)">Region</button>
  <button type="button" data-do="wipe" aria-pressed="false"
    title="A line to wipe between two pictures (w)">Wipe</button>
  <span class="viewer-wiper" hidden><select aria-label="Left of the line"></select>
    <input type="range" min="0" max="100" value="50" aria-label="Place of the line"></span>
  <button type="button" data-do="research" aria-pressed="false"
    title="Line profile, histogram, colours, signed errors, phase, coils, figures">Research</button>
  <span class="viewer-research" hidden>
    <label>Colours <select data-set="map"><option value="gray">gray</option>
      <option>viridis</option><option>magma</option></select></label>
    <label class="viewer-errors">Errors <select data-set="signed"><option value="">size</option><option value="1">signed</option></select></label>
    <label class="viewer-errors">up to <select data-set="limit"><option value="0.02">2 %</option><option value="0.05">5 %</option><option value="0.1">10 %</option>
      <option value="0.2">20 %</option><option value="0.4">40 %</option></select></label>
  </span>
  <button type="button" data-do="present" title="Full screen: chosen panels, large words (p)">Projector</button>
  <span class="viewer-status" role="status"></span>
  <details class="viewer-help"><summary>How to look</summary>
    <p>Click a picture, then: the wheel zooms (elsewhere with Ctrl), drag pans, right or Shift drag
    sets the window, double click resets. Hold a number to see that panel's picture under the
    pointer; Shift and a number for panels from 10. Keys: + - arrows [ ] { } 0, r region, w wipe,
    p projector, Enter enlarges, Page Up and Page Down another slice. Drag the edge of a region to
    move it. With Research on, drag the green line or its ends, Alt drag draws another, and the
    wheel turns slices of a volume.</p></details>`;

async function unpack(panel) {
  if (!panel.data) return;
  const raw = await inflate(panel.data);
  panel.values = panel.kind === 'image' ? new Uint16Array(raw.buffer) : raw;
  delete panel.data;
}

const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

class Viewer extends HTMLElement {
  constructor() {
    super();
    this.views = {}; // zoom and centre, shared by panels of one domain: image or k-space
    this.model = null;
    this.settings = {signed: false, limit: null, map: 'gray'};
  }

  connectedCallback() {
    this.classList.add('viewer');
    this.gone = new AbortController(); // listeners outside of this element go with it
    this.resize = new ResizeObserver(() => requestAnimationFrame(() => this.show()));
    this.resize.observe(this);
    listen(this, this.gone.signal);
    onTurn(() => this.show(), this.gone.signal);
    if (this.model) this.show();
  }

  disconnectedCallback() {
    this.gone.abort();
    this.resize.disconnect();
  }

  set value(content) {
    this.wish = content;
    this.load(content);
  }

  async load(content) {
    if (!content || !content.panels) {
      this.model = null;
      this.replaceChildren();
      delete this.dataset.key;
      delete this.dataset.state;
      return;
    }
    this.dataset.state = 'loading';
    this.dataset.key = content.key;
    const panels = content.panels.map(panel => ({...panel}));
    await Promise.all(panels.map(unpack));
    const colors = palette(await inflate(content.colors)), maps = {gray: GRAY};
    for (const [name, table] of Object.entries(content.maps)) maps[name] = palette(await inflate(table));
    maps.phase = dialled(maps.twilight);
    if (this.wish !== content) return; // something newer has arrived meanwhile
    for (const panel of panels) if (panel.same) panel.values = panels.find(p => p.name === panel.same).values;
    const old = this.model, {scale, range, largest, window: home} = content;
    const shape = JSON.stringify(panels.map(p => [p.domain, p.width, p.height]));
    this.model = {panels, scale, range, largest, home, colors, maps, shape, low: 0, high: home, slices: content.slices,
                  regions: [], line: null, wipe: null, flicker: null, hover: null, marking: false};
    if (!old || old.shape !== shape) this.views = {};
    else {
      this.model.regions = old.regions.map(({box}) => ({box}));
      this.model.line = old.line;
      if (old.low !== 0 || old.high !== old.home) { // keep a window that somebody set
        this.model.low = old.low / old.home * home;
        this.model.high = old.high / old.home * home;
      }
      if (old.wipe && this.named(old.wipe.other)) this.model.wipe = old.wipe;
    }
    this.build(content, old);
    this.dispatchEvent(new CustomEvent('recon-loaded', {bubbles: true})); // a link may say how to look
    const first = panels.find(p => p.kind === 'image' && p.domain === 'image');
    if (first) this.model.line ??= across(first);
    for (const region of this.model.regions) score(this, region);
    this.paint();
    this.show();
    this.dataset.state = 'ready';
  }

  // ---- elements ---------------------------------------------------------------------------

  build(content, old) {
    const {panels} = this.model, focused = document.activeElement?.dataset?.panel;
    if (!this.querySelector('.panels')) {
      this.replaceChildren(make('div', {className: 'viewer-bar', innerHTML: BAR}),
                           make('div', {className: 'panels'}), make('div', {className: 'viewer-table'}), plots(), chips(), leave(this));
      this.querySelector('.viewer-bar').setAttribute('role', 'group');
      this.querySelector('.viewer-bar').setAttribute('aria-label', 'Tools of the pictures');
    }
    const grid = this.querySelector('.panels');
    grid.style.setProperty('--columns', content.columns);
    const names = panels.map(p => p.name).join();
    if (!old || old.panels.map(p => p.name).join() !== names || !grid.childElementCount) {
      grid.replaceChildren(...panels.map((panel, n) => this.figure(panel, n)), ...this.legend(content));
    }
    panels.forEach((panel, n) => {
      const figure = grid.children[n];
      panel.canvas = figure.querySelector('canvas');
      panel.readout = figure.querySelector('.readout');
      panel.canvas.setAttribute('aria-label', panel.alt);
      figure.querySelector('.panel-title').textContent = panel.title;
      figure.querySelector('.viewer-enlarge').setAttribute('aria-label', `Enlarge: ${panel.title}`);
      const words = panel.caption.split(' · ').filter(Boolean).map(text => make('span', {textContent: text}));
      figure.querySelector('.panel-words').replaceChildren(...words);
      figure.classList.remove('old');
    });
    this.limit = this.settings.limit ?? Math.max(...panels.filter(p => p.kind === 'error').map(p => p.limit), 0);
    this.querySelector('[data-set=limit]').value = String(this.limit);
    const images = panels.filter(p => p.kind === 'image');
    const others = this.querySelector('.viewer-wiper select');
    others.replaceChildren(...images.map(p => make('option', {value: p.name, textContent: p.title})));
    this.querySelector('[data-do=wipe]').hidden = images.length < 2;
    this.querySelector('[data-do=research]').hidden = !images.length;
    for (const label of this.querySelectorAll('.viewer-errors')) label.hidden = !panels.some(p => p.kind === 'error');
    choose(this);
    if (this.model.wipe) others.value = this.model.wipe.other;
    if (focused && this.contains(document.activeElement)) this.named(focused)?.canvas.focus({preventScroll: true});
  }

  figure(panel, number) {
    const figure = make('figure', {innerHTML: `
      <div class="frame"><canvas role="img"></canvas>
        <button type="button" class="viewer-enlarge" tabindex="-1">⤢</button></div>
      <figcaption><b><span class="panel-title"></span><kbd aria-hidden="true"></kbd></b>
        <span class="panel-words"></span></figcaption>
      <output class="readout"></output>`});
    const canvas = figure.querySelector('canvas');
    canvas.dataset.panel = panel.name;
    canvas.tabIndex = number === 0 ? 0 : -1; // one Tab stop; arrows go on from there
    figure.dataset.kind = panel.kind;
    const key = figure.querySelector('kbd');
    if (number < 19) key.textContent = number < 9 ? number + 1 : `⇧${number - 9}`;
    else key.remove();
    return figure;
  }

  legend({legend}) { // the colour scale of the error maps, and what it means
    if (!legend.length) return [];
    const figure = make('figure', {className: 'scale', innerHTML: `
      <figcaption><b>Error scale</b><span class="panel-words"></span></figcaption>
      <div class="frame"><div class="bar" role="img"></div><div class="ticks"></div></div>`});
    figure.querySelector('.panel-words').replaceChildren(
      ...legend.map(text => make('span', {textContent: text})));
    return [figure];
  }

  named(name) { return this.model.panels.find(panel => panel.name === name); }

  // ---- values -----------------------------------------------------------------------------

  // In units of the image; errors as a share of the reference's maximum; levels as they are.
  valueAt(panel, row, column) {
    const index = row * panel.width + column, {scale, largest} = this.model;
    if (panel.kind === 'error') {
      const gap = this.named(panel.of).values[index] - this.named(panel.against).values[index];
      return (this.settings.signed ? gap : Math.abs(gap)) * scale / 65535 / largest;
    }
    const value = panel.values[index];
    if (panel.kind === 'share') return value / 255 * panel.limit;
    return panel.kind === 'image' ? value * scale / 65535 : value;
  }

  describe(panel, row, column) {
    const value = this.valueAt(panel, row, column);
    if (panel.kind === 'image') return `${(100 * value / this.model.largest).toFixed(1)} %`;
    if (panel.kind === 'error' || panel.kind === 'share') return `${(100 * value).toFixed(1)} ${panel.unit}`;
    if (panel.kind === 'phase') return value ? `${((value - 1) / 254 * 360 - 180).toFixed(0)}°` : 'no signal';
    if (panel.kind === 'decibels') return value ? `${(value / 255 * panel.span - panel.span).toFixed(0)} dB` : `below -${panel.span} dB`;
    return value ? 'measured' : 'not measured';
  }

  // ---- drawing ----------------------------------------------------------------------------

  // Numbers to colours, once for every change of the window.
  paint() {
    const {panels, scale, largest, low, high, colors, maps} = this.model, steps = 65535 / scale;
    for (const panel of panels) {
      const picture = panel.picture ?? make('canvas', {width: panel.width, height: panel.height});
      let shades = panel.values, shown = {share: colors, phase: maps.phase}[panel.kind] ?? GRAY;
      if (panel.kind === 'image') {
        shades = windowed(panel.values, low * steps, high * steps);
        shown = maps[this.settings.map];
      } else if (panel.kind === 'error') {
        const {signed} = this.settings;
        shades = difference(this.named(panel.of).values, this.named(panel.against).values, this.limit * largest * steps, signed);
        shown = signed ? SIGNED : colors;
      }
      paint(picture, shades, shown);
      panel.picture = picture;
    }
    this.scale();
  }

  scale() {
    const bar = this.querySelector('.scale .bar');
    if (!bar) return;
    const {signed} = this.settings, table = new Uint8Array((signed ? SIGNED : this.model.colors).buffer);
    const stops = Array.from({length: 9}, (_, i) => `rgb(${table.slice(Math.min(255, 32 * i) * 4, Math.min(255, 32 * i) * 4 + 3).join(' ')})`);
    bar.style.background = `linear-gradient(to top, ${stops.join(', ')})`;
    const low = signed ? -this.limit : 0, name = value => `${Math.round(1000 * value) / 10} %`;
    bar.setAttribute('aria-label', `Colour scale of the error maps, ${name(low)} to ${name(this.limit)}`);
    this.querySelector('.scale .ticks').replaceChildren(
      ...[1, 0.75, 0.5, 0.25, 0].map(t => make('span', {textContent: name(low + t * (this.limit - low))})));
  }

  view(panel) { return this.views[panel.domain] ??= HOME; }

  frame({canvas}) { return {width: canvas.clientWidth, height: canvas.clientHeight}; }

  show() {
    if (!this.model || !this.isConnected) return;
    for (const panel of this.model.panels) draw(this, panel);
    const {model} = this, zoomed = Object.values(this.views).some(view => view.zoom > 1);
    this.classList.toggle('zoomed', zoomed);
    this.classList.toggle('marking', model.marking);
    const pressed = {region: model.marking, wipe: !!model.wipe, research: this.researching};
    for (const [name, on] of Object.entries(pressed)) this.querySelector(`[data-do=${name}]`).setAttribute('aria-pressed', on);
    this.querySelector('.viewer-wiper').hidden = !model.wipe;
    this.querySelector('.viewer-research').hidden = !pressed.research;
    const parts = [], zoom = this.views.image?.zoom ?? 1;
    if (zoom > 1.001) parts.push(`zoom ${zoom.toFixed(1)}x`);
    if (model.low !== 0 || model.high !== model.home) {
      const percent = value => `${Math.round(100 * value / model.largest)} %`;
      parts.push(`window ${percent(model.low)} to ${percent(model.high)} of the maximum`);
    }
    const status = this.querySelector('.viewer-status'), text = model.marking ? said(model) : parts.join(' · ');
    if (status.textContent !== text) status.textContent = text;
    for (const panel of model.panels) this.say(panel);
    table(this.querySelector('.viewer-table'), model.regions);
    const curves = this.querySelector('.viewer-curves');
    curves.hidden = !this.researching;
    if (this.researching && curves.clientWidth) drawPlots(curves, model);
  }

  get researching() { return this.classList.contains('researching'); }

  say(panel) {
    const {hover, regions} = this.model, last = regions[regions.length - 1];
    let text = '';
    if (hover && hover.domain === panel.domain && geometry.inside(panel, hover)) {
      const where = hover.panel === panel ? `row ${hover.row}, column ${hover.column}: ` : '';
      text = where + this.describe(panel, hover.row, hover.column);
    } else if (last && last.scores[panel.name] !== undefined) {
      text = `region SSIM ${last.scores[panel.name].toFixed(3)}`;
    }
    panel.readout.textContent = text;
  }

  /** Where the wipe line stands in a panel, in pixels of the screen; null where there is none. */
  wipeAt(panel) {
    const {wipe} = this.model;
    if (!wipe || panel.kind !== 'image' || panel.name === wipe.other) return null;
    return wipe.at * this.frame(panel).width;
  }

  // ---- what gestures ask for --------------------------------------------------------------

  reset() {
    for (const domain of Object.keys(this.views)) this.views[domain] = HOME;
    Object.assign(this.model, {low: 0, high: this.model.home, marking: false, drawn: null, regions: []});
    this.paint();
    this.show();
  }

  setWindow(dx, dy) { // right for more contrast, down for brighter, as in viewers of scans
    const {model} = this, width = (model.high - model.low) * Math.exp(-dx / 150);
    const level = (model.high + model.low) / 2 - dy / 300 * model.home;
    model.low = level - width / 2;
    model.high = level + width / 2;
    this.paint();
  }

  addRegion(panel, box) {
    const region = {box};
    this.views[panel.domain] = geometry.magnify(panel, this.frame(panel), box);
    if (panel.domain === 'image') {
      score(this, region);
      this.model.regions.push(region);
    }
    this.model.marking = false;
    this.model.hover = null;
  }

  /** Other numbers for some panels, {name: {values, caption}}, while `old` ones wait for theirs. */
  update(changes, old) {
    if (!this.model) return;
    for (const panel of this.model.panels) {
      const change = changes[panel.name], figure = panel.canvas.closest('figure');
      if (change) {
        panel.values = change.values;
        figure.querySelector('.panel-words').replaceChildren(make('span', {textContent: change.caption}));
      }
      figure.classList.toggle('old', old.includes(panel.name) || old.includes(panel.of));
    }
    for (const region of this.model.regions) score(this, region);
    this.paint();
    this.show();
  }

  toggle(name) {
    const {model} = this;
    if (name === 'reset') { this.reset(); return; }
    if (name === 'region') Object.assign(model, {marking: !model.marking, drawn: null});
    if (name === 'wipe') {
      const images = model.panels.filter(p => p.kind === 'image');
      model.wipe = model.wipe || images.length < 2 ? null : {other: images[0].name, at: 0.5};
      if (model.wipe) this.querySelector('.viewer-wiper select').value = model.wipe.other;
    }
    if (name === 'research') {
      this.classList.toggle('researching');
      this.dispatchEvent(new CustomEvent('recon-research', {bubbles: true, detail: this.researching}));
    }
    if (name === 'present') present(this);
    this.show();
  }

  set(name, value) {
    this.settings[name] = {signed: !!value, limit: Number(value), map: value}[name];
    if (name === 'limit') this.limit = Number(value);
    this.paint();
    this.show();
  }

  /** Another slice of what is open, so many further. */
  turn(by) { this.dispatchEvent(new CustomEvent('recon-turn', {bubbles: true, detail: by})); }

  enlarge(figure) {
    const open = figure.classList.contains('enlarged');
    this.querySelectorAll('.enlarged').forEach(other => other.classList.remove('enlarged'));
    figure.classList.toggle('enlarged', !open);
    if (!open) figure.scrollIntoView({block: 'nearest'});
    requestAnimationFrame(() => this.show());
  }
}

customElements.define('recon-viewer', Viewer);
