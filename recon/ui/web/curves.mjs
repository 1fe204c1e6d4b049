// The two plots below linked panels in the research view: a line profile and a histogram, every
// picture in a colour of its own.

import {spoken} from './language.mjs';
import {axes} from './plot.mjs';
import {histogram, profile} from './profile.mjs';

const BINS = 64;
// Okabe and Ito 2008, brightened for the dark surface; the reference is white.
const COLORS = ['#ffb454', '#4dabf7', '#3ddc97', '#ff8fc7', '#f0e442', '#9ad1ff', '#c9b1ff', '#ff9f7a'];

const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

/** The elements, put at the end of a viewer. */
export function plots() {
  const place = make('div', {className: 'viewer-curves', innerHTML: `
    <figure><figcaption>Line profile <span class="viewer-ends"></span></figcaption>
      <canvas class="viewer-profile" role="img"></canvas></figure>
    <figure><figcaption>Histogram <span class="viewer-where"></span></figcaption>
      <canvas class="viewer-histogram" role="img"></canvas></figure>
    <p class="viewer-key"></p>`});
  for (const [end, axis] of [['from', 'row'], ['from', 'column'], ['to', 'row'], ['to', 'column']]) {
    const label = make('label', {textContent: axis === 'row' ? `${end} row ` : 'column '});
    label.append(make('input', {type: 'number', min: 0, step: 1}));
    Object.assign(label.firstElementChild.dataset, {end, axis});
    label.firstElementChild.setAttribute('aria-label', `Line: ${end} ${axis}`);
    place.querySelector('.viewer-ends').append(label);
  }
  return place;
}

/** A line through the middle, for a start. */
export const across = ({width, height}) => ({
  from: {row: height >> 1, column: 0}, to: {row: height >> 1, column: width - 1},
});

/** Draw both plots for what a viewer shows. */
export function drawPlots(place, {panels, scale, largest, regions, line}) {
  const images = panels.filter(p => p.kind === 'image' && p.domain === 'image');
  if (!images.length || !line) return;
  const unit = 100 * scale / 65535 / largest, colors = coloured(images), region = regions[regions.length - 1];
  const {width, height} = images[0], alike = images.filter(p => p.width === width && p.height === height);
  const lines = alike.map(p => profile(p.values, width, height, line));
  const highest = Math.max(1, ...lines.map(one => Math.max(...one.values) * unit)), {distance} = lines[0];
  const canvas = place.querySelector('.viewer-profile');
  const along = axes(canvas, {x: [0, distance[distance.length - 1] || 1], y: [0, highest * 1.05],
    xLabel: 'distance along the line (pixels)', yLabel: '% of maximum'});
  lines.forEach((one, n) => along.line(one.distance, one.values.map(v => v * unit), ...colors[n]));
  const ends = alike.map((p, n) => [Math.min, Math.max].map(end => (end(...lines[n].values) * unit).toFixed(0)));
  const values = alike.map((p, n) => `${spoken(p.title)} ${ends[n].join(` ${spoken('to')} `)}`).join(', ');
  canvas.setAttribute('aria-label', spoken(`Values along the line, in percent of the maximum of the reference: ${values}`));

  const box = region?.box ?? {top: 0, left: 0, bottom: height - 1, right: width - 1}, top = largest / scale * 65535;
  const shares = alike.map(p => histogram(p.values, width, box, 0, top, BINS).map(v => 100 * v));
  // most pixels are air: the darkest stand above what is shown, as they would flatten the rest
  const tallest = Math.max(0.1, ...shares.map(s => Math.max(...s.slice(4)))) * 1.1;
  const counts = axes(place.querySelector('.viewer-histogram'), {x: [0, 100], y: [0, tallest],
    xLabel: 'value (% of maximum)', yLabel: '% of pixels'});
  const edges = Array.from({length: 2 * BINS}, (_, i) => 100 * ((i + 1) >> 1) / BINS);
  shares.forEach((s, n) => counts.line(edges, edges.map((_, i) => s[i >> 1]), ...colors[n]));
  const where = region ? `of region ${regions.length}` : 'of the whole picture';
  place.querySelector('.viewer-where').textContent = where;
  place.querySelector('.viewer-histogram').setAttribute('aria-label', `How often which value occurs, ${where}`);

  const key = place.querySelector('.viewer-key'), said = alike.map(p => p.title).join('\n');
  if (key.dataset.said !== said) {
    key.dataset.said = said;
    key.replaceChildren(...alike.map((p, n) => {
      const entry = make('span'), mark = make('i');
      mark.style.background = colors[n][0];
      entry.append(mark, p.title);
      return entry;
    }));
  }
  for (const input of place.querySelectorAll('[data-end]')) {
    const {end, axis} = input.dataset;
    input.max = (axis === 'row' ? height : width) - 1;
    if (document.activeElement !== input) input.value = Math.round(line[end][axis]);
  }
}

// Colour and width of every picture's curves.
const coloured = images => images.map((p, n) => (p.name === 'reference' ? ['#ffffff', 1.2] : [COLORS[n % COLORS.length], 1.8]));
