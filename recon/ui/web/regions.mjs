// Regions of linked panels: their scores, and the table below the pictures.

import {Similarity, statistics} from './scores.mjs';

const HEAD = ['', 'mean', 'SD', 'mean / SD', 'SSIM', 'PSNR', 'NMSE'];
const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

/** SSIM and statistics of a region in every image: sets its `scores` and `rows`. */
export function score(viewer, region) {
  const {panels, scale, range, largest} = viewer.model, unit = scale / 65535;
  const reference = viewer.named('reference');
  const exact = reference && Float64Array.from(reference.values, v => v * unit);
  region.scores = {};
  region.rows = [];
  for (const panel of panels) {
    if (panel.kind !== 'image' || panel.domain !== 'image') continue;
    const image = panel === reference ? exact : Float64Array.from(panel.values, v => v * unit);
    const compare = exact && panel !== reference && panel.width === reference.width && panel.height === reference.height;
    const found = statistics(image, compare ? exact : null, panel.width, region.box, range);
    if (compare && Math.min(panel.width, panel.height) >= 7) {
      viewer.similarity ??= {};
      if (viewer.similarity.of !== reference) {
        viewer.similarity = {of: reference, it: new Similarity(exact, panel.width, panel.height, range)};
      }
      region.scores[panel.name] = viewer.similarity.it.mean(image, region.box);
    }
    const percent = value => `${(100 * value / largest).toFixed(1)} %`;
    region.rows.push([panel.title, percent(found.mean), percent(found.sd), (found.mean / found.sd).toFixed(1),
      ...(compare ? [region.scores[panel.name]?.toFixed(3) ?? '', `${found.psnr.toFixed(1)} dB`, found.nmse.toFixed(4)] : ['', '', ''])]);
  }
}

/** A table for every region, drawn again only where something has changed. */
export function table(place, regions) {
  const key = JSON.stringify(regions.map(r => r.rows));
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.replaceChildren();
  regions.forEach((region, n) => {
    const {top, left, bottom, right} = region.box, table = make('table', {className: 'scores'});
    table.createCaption().textContent = `Region ${n + 1}: rows ${top} to ${bottom}, columns ${left} to ${right}`;
    const head = table.createTHead().insertRow();
    for (const word of HEAD) head.append(make('th', {textContent: word, scope: 'col'}));
    const body = table.createTBody();
    for (const row of region.rows) {
      const line = body.insertRow();
      row.forEach((cell, i) => line.append(make(i ? 'td' : 'th', {textContent: cell})));
    }
    place.append(table);
  });
}
