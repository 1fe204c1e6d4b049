// What people do to linked panels: wheel, drag, fingers, keys. Listeners sit on the viewer and find
// the panel an event is about, so panels come and go without them.

import * as geometry from './geometry.mjs';
import {mark} from './marking.mjs';
import {present, presenting, toggleChip, wake} from './projector.mjs';
import {score} from './regions.mjs';

const STEP = 1.25; // of zoom, for one turn of the wheel or one press of a key
const NEAR = 8; // pixels of the screen from which a line is caught
const NOTCH = 60; // of the wheel, for another slice

/** Connect a viewer; listeners that sit outside of it end with `signal`. */
export function listen(viewer, signal) {
  if (!viewer.dataset.listening) {
    viewer.dataset.listening = 'yes'; // those on the viewer itself go with it
    const pointers = new Map();
    const on = (type, react) => viewer.addEventListener(type, event => {
      const canvas = event.target.closest?.('canvas[data-panel]');
      const panel = canvas && viewer.model?.panels.find(p => p.canvas === canvas);
      if (panel) react(event, panel, point(event, canvas), pointers);
    }, {passive: false});
    const deeds = {wheel, pointerdown: down, pointermove: move, pointerup: up, pointercancel: up, keydown: key};
    for (const [type, react] of Object.entries(deeds)) on(type, (...about) => react(viewer, ...about));
    viewer.addEventListener('pointermove', () => wake(viewer));
    on('dblclick', () => viewer.reset());
    on('contextmenu', event => event.preventDefault());
    on('pointerout', () => { viewer.model.hover = null; viewer.show(); });
    on('pointerover', (event, panel) => { viewer.under = panel.name; });
    on('focusin', (event, panel) => focus(viewer, panel));
    viewer.addEventListener('click', event => {
      const button = event.target.closest('button');
      if (button?.dataset.do) viewer.toggle(button.dataset.do);
      else if (button?.classList.contains('viewer-enlarge')) viewer.enlarge(button.closest('figure'));
    });
    viewer.addEventListener('input', event => {
      event.stopPropagation();
      const {wipe} = viewer.model ?? {};
      if (event.target.dataset.end) typed(viewer, event.target);
      else if (event.target.dataset.chip) toggleChip(viewer, event.target);
      else if (event.target.dataset.set) viewer.set(event.target.dataset.set, event.target.value);
      else if (wipe && event.target.type === 'range') wipe.at = event.target.value / 100;
      else if (wipe) wipe.other = event.target.value;
      viewer.show();
    });
  }
  document.addEventListener('keydown', event => flick(viewer, event), {signal});
  document.addEventListener('keyup', event => flick(viewer, event), {signal});
  document.addEventListener('keydown', event => projector(viewer, event), {signal});
  document.addEventListener('fullscreenchange', () => {
    presenting(viewer, document.fullscreenElement === viewer);
    requestAnimationFrame(() => viewer.show());
  }, {signal});
}

function point(event, canvas) {
  const box = canvas.getBoundingClientRect();
  return {x: event.clientX - box.left, y: event.clientY - box.top};
}

function zoom(viewer, panel, factor, at) {
  viewer.views[panel.domain] = geometry.zoomAt(viewer.view(panel), panel, viewer.frame(panel), factor, at);
}

function pan(viewer, panel, dx, dy) {
  viewer.views[panel.domain] = geometry.pan(viewer.view(panel), panel, viewer.frame(panel), dx, dy);
}

const pixel = (viewer, panel, at) => geometry.pixelAt(viewer.view(panel), panel, viewer.frame(panel), at);

function wheel(viewer, event, panel, at) { // the page scrolls, unless this picture was asked for
  if (document.activeElement !== panel.canvas && !event.ctrlKey && !event.metaKey) return;
  if (viewer.researching && viewer.model.slices && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    viewer.turned = (viewer.turned ?? 0) + event.deltaY;
    if (Math.abs(viewer.turned) >= NOTCH) {
      viewer.turn(Math.sign(viewer.turned));
      viewer.turned = 0;
    }
    return;
  }
  if (event.deltaY > 0 && viewer.view(panel).zoom === 1 && !event.ctrlKey) return;
  event.preventDefault();
  zoom(viewer, panel, event.deltaY < 0 ? STEP : 1 / STEP, at);
  viewer.show();
}

function edge(viewer, panel, at) { // the region whose edge is under the pointer
  if (panel.domain !== 'image') return null;
  const {scale, left, top} = geometry.place(viewer.view(panel), panel, viewer.frame(panel));
  return [...viewer.model.regions].reverse().find(({box}) => {
    const l = left + box.left * scale, r = left + (box.right + 1) * scale;
    const t = top + box.top * scale, b = top + (box.bottom + 1) * scale;
    const inside = at.x > l - NEAR && at.x < r + NEAR && at.y > t - NEAR && at.y < b + NEAR;
    return inside && Math.min(Math.abs(at.x - l), Math.abs(at.x - r), Math.abs(at.y - t), Math.abs(at.y - b)) < NEAR;
  }) ?? null;
}

function down(viewer, event, panel, at, pointers) {
  const {model} = viewer, touch = event.pointerType === 'touch';
  const line = viewer.wipeAt(panel), wiping = line !== null && Math.abs(at.x - line) < (touch ? 3 : 1) * NEAR;
  pointers.set(event.pointerId, at);
  // one finger scrolls the page, unless the picture is magnified and was asked for
  const quiet = touch && !model.marking && !wiping && document.activeElement !== panel.canvas;
  if (quiet && pointers.size === 1) return;
  panel.canvas.setPointerCapture(event.pointerId);
  model.drawn = null; // by keyboard
  const region = edge(viewer, panel, at), part = held(viewer, panel, at);
  const lining = viewer.researching && panel.domain === 'image';
  const mode = event.button === 2 || event.shiftKey ? 'window' : wiping ? 'wipe'
    : lining && event.altKey ? 'line' : model.marking || event.ctrlKey || event.metaKey ? 'mark'
    : part ? 'profile' : region ? 'region' : 'pan';
  viewer.drag = {panel, mode, at, origin: at, start: pixel(viewer, panel, at), region, from: region && {...region.box},
                 part, line: model.line};
  panel.canvas.focus({preventScroll: true});
}

function move(viewer, event, panel, at, pointers) {
  const {drag} = viewer;
  if (pointers.size === 2 && pointers.has(event.pointerId)) pinch(viewer, event, panel, at, pointers);
  else if (drag && drag.panel.name === panel.name && pointers.has(event.pointerId)) {
    const dx = at.x - drag.at.x, dy = at.y - drag.at.y, here = pixel(viewer, panel, at);
    drag.at = at;
    if (drag.mode === 'pan') pan(viewer, panel, dx, dy);
    else if (drag.mode === 'window') viewer.setWindow(dx, dy);
    else if (drag.mode === 'wipe') wipe(viewer, geometry.clamp(at.x / viewer.frame(panel).width, 0, 1));
    else if (drag.mode === 'region') carry(viewer, drag, panel, here);
    else if (drag.mode === 'line') viewer.model.line = {from: within(panel, drag.start), to: within(panel, here)};
    else if (drag.mode === 'profile') {
      viewer.model.line = geometry.carry(panel, drag.line, drag.part, here.row - drag.start.row, here.column - drag.start.column);
    }
    else viewer.model.drawn = {domain: panel.domain, box: geometry.boxBetween(panel, drag.start, here)};
  }
  const here = pixel(viewer, panel, at);
  viewer.model.hover = geometry.inside(panel, here) ? {panel, domain: panel.domain, ...here} : null;
  viewer.show();
}

function held(viewer, panel, at) { // the part of the profile's line that is under the pointer
  if (!viewer.researching || !viewer.model.line || panel.domain !== 'image') return null;
  return geometry.grip(viewer.view(panel), panel, viewer.frame(panel), viewer.model.line, at, NEAR);
}

const within = ({width, height}, {row, column}) => ({
  row: geometry.clamp(row, 0, height - 1), column: geometry.clamp(column, 0, width - 1),
});

function typed(viewer, input) { // an end of the line, as a number
  const {line, panels} = viewer.model, {end, axis} = input.dataset;
  const picture = panels.find(p => p.kind === 'image' && p.domain === 'image');
  if (!line || input.value === '') return;
  viewer.model.line = {...line, [end]: within(picture, {...line[end], [axis]: Math.round(Number(input.value)) || 0})};
}

function pinch(viewer, event, panel, at, pointers) {
  const other = [...pointers].find(([id]) => id !== event.pointerId)[1], before = pointers.get(event.pointerId);
  const distance = (a, b) => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
  pan(viewer, panel, (at.x - before.x) / 2, (at.y - before.y) / 2);
  const middle = {x: (at.x + other.x) / 2, y: (at.y + other.y) / 2};
  zoom(viewer, panel, distance(at, other) / distance(before, other), middle);
  pointers.set(event.pointerId, at);
  viewer.drag = null;
}

function wipe(viewer, at) {
  viewer.model.wipe.at = at;
  viewer.querySelector('.viewer-wiper input').value = Math.round(100 * at);
}

function carry(viewer, {region, from, start}, panel, here) {
  const rows = geometry.clamp(here.row - start.row, -from.top, panel.height - 1 - from.bottom);
  const columns = geometry.clamp(here.column - start.column, -from.left, panel.width - 1 - from.right);
  region.box = {top: from.top + rows, bottom: from.bottom + rows, left: from.left + columns, right: from.right + columns};
  score(viewer, region);
}

function up(viewer, event, panel, at, pointers) {
  pointers.delete(event.pointerId);
  const {drag, model} = viewer, box = model.drawn?.box;
  viewer.drag = null;
  model.drawn = null;
  if (event.type === 'pointerup' && !drag && event.pointerType === 'touch') panel.canvas.focus({preventScroll: true});
  const still = drag && Math.hypot(at.x - drag.origin.x, at.y - drag.origin.y) < 3;
  if (still && drag.mode === 'pan' && event.button === 0) {
    const here = pixel(viewer, panel, at);
    if (panel.domain === 'image' && geometry.inside(panel, here)) viewer.send?.('select', here);
  }
  if (box && box.right - box.left > 1 && box.bottom - box.top > 1) viewer.addRegion(panel, box);
  viewer.show();
}

function focus(viewer, panel) {
  viewer.under = panel.name;
  for (const other of viewer.model.panels) other.canvas.tabIndex = other === panel ? 0 : -1;
}

function step(viewer, panel, by) { // to another panel, as long as nothing is magnified
  const panels = viewer.model.panels.filter(({canvas}) => canvas.checkVisibility());
  const next = panels[panels.indexOf(panel) + by];
  if (next) next.canvas.focus();
}

function key(viewer, event, panel) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (mark(viewer, panel, event)) {
    event.preventDefault();
    viewer.show();
    return;
  }
  const {width, height} = viewer.frame(panel), middle = {x: width / 2, y: height / 2}, far = width / 10;
  const magnified = viewer.view(panel).zoom > 1;
  const columns = Number(getComputedStyle(viewer.querySelector('.panels')).getPropertyValue('--shown')) || 4;
  const arrow = (dx, dy, by) => () => (magnified ? pan(viewer, panel, dx * far, dy * far) : step(viewer, panel, by));
  const deeds = {
    '+': () => zoom(viewer, panel, STEP, middle), '=': () => zoom(viewer, panel, STEP, middle),
    '-': () => zoom(viewer, panel, 1 / STEP, middle), '0': () => viewer.reset(),
    ...(!viewer.classList.contains('presenting') && {Escape: () => viewer.reset()}), // it leaves that one first
    ArrowLeft: arrow(1, 0, -1), ArrowRight: arrow(-1, 0, 1), ArrowUp: arrow(0, 1, -columns), ArrowDown: arrow(0, -1, columns),
    '[': () => viewer.setWindow(-15, 0), ']': () => viewer.setWindow(15, 0),
    '{': () => viewer.setWindow(0, -15), '}': () => viewer.setWindow(0, 15),
    Enter: () => viewer.enlarge(panel.canvas.closest('figure')),
    r: () => viewer.toggle('region'), w: () => viewer.toggle('wipe'),
    ...(viewer.model.slices && {PageUp: () => viewer.turn(-1), PageDown: () => viewer.turn(1)}),
  };
  if (!deeds[event.key]) return;
  event.preventDefault();
  deeds[event.key]();
  viewer.show();
}

const WRITTEN = 'input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, [contenteditable]';
const typing = event => event.target.closest?.(WRITTEN)
  || event.ctrlKey || event.metaKey || event.altKey;

// Whoever speaks to the computer says letters by accident: they mean something to a viewer only while
// the focus is within it or the pointer above it.
const attended = viewer => viewer.contains(document.activeElement) || viewer.matches(':hover')
  || viewer.classList.contains('presenting');

function projector(viewer, event) {
  if (!viewer.model || typing(event)) return;
  const chosen = document.activeElement.closest('recon-viewer') ?? viewer; // before one below the pointer
  if (event.key === 'p' && chosen === viewer && attended(viewer)) present(viewer);
  else if (event.key === 'Escape') presenting(viewer, false);
  else return;
  viewer.show();
}

// While a number key is down, the panel under the pointer shows that panel's picture in place.
function flick(viewer, event) {
  const {model} = viewer, digit = /^Digit([1-9])$/.exec(event.code);
  if (!model || !digit || !viewer.offsetParent) return;
  if (typing(event)) return;
  if (event.type === 'keyup') { model.flicker = null; viewer.show(); return; }
  const panel = model.panels[Number(digit[1]) - 1 + (event.shiftKey ? 9 : 0)];
  const on = model.hover?.panel ?? model.panels.find(p => p.name === viewer.under);
  if (!panel || !on || !attended(viewer) || panel.domain !== on.domain) return;
  event.preventDefault();
  model.flicker = {panel, on};
  viewer.show();
}
