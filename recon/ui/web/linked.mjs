// How linked panels are looked at, as a short text for a link: zoom, window, regions, wipe line.
// Whatever a link says is a stranger's word: what is not understood is left out.

const MOST = 8; // regions in a link
const finite = values => Array.isArray(values) && values.every(Number.isFinite);
const short = value => Math.round(value * 1e4) / 1e4;
const whole = (value, below) => Number.isInteger(value) && value >= 0 && value < below;

/** A viewer's state as text; empty while everything is as it was at first. */
export function pack({model, views, settings}) {
  const said = {};
  for (const domain of ['image', 'kspace']) {
    const view = views[domain];
    if (view && view.zoom > 1) said[domain] = [view.zoom, view.x, view.y].map(short);
  }
  if (model.low !== 0 || model.high !== model.home) said.window = [model.low / model.home, model.high / model.home].map(short);
  if (model.regions.length) said.regions = model.regions.slice(0, MOST).map(({box}) => [box.top, box.left, box.bottom, box.right]);
  if (model.wipe) said.wipe = [model.wipe.other, short(model.wipe.at)];
  if (settings.signed || settings.limit) said.errors = [settings.signed ? 1 : 0, settings.limit ?? 0];
  return Object.keys(said).length ? JSON.stringify(said) : '';
}

/** What a text says, made safe for a model; null where it says nothing. */
export function unpack(text, {panels, home}) {
  let said;
  try { said = JSON.parse(text); } catch { return null; }
  if (!said || typeof said !== 'object' || Array.isArray(said)) return null;
  const found = {views: {}, regions: []}, image = panels.find(p => p.kind === 'image');
  for (const domain of ['image', 'kspace']) {
    const view = said[domain];
    if (!finite(view) || view.length !== 3) continue;
    const [zoom, x, y] = view;
    if (zoom >= 1 && zoom <= 64 && x >= 0 && x <= 1 && y >= 0 && y <= 1) found.views[domain] = {zoom, x, y};
  }
  if (finite(said.window) && said.window.length === 2 && said.window[0] < said.window[1]
    && said.window.every(level => Math.abs(level) < 100)) {
    [found.low, found.high] = said.window.map(level => level * home);
  }
  for (const box of Array.isArray(said.regions) && image ? said.regions.slice(0, MOST) : []) {
    if (!Array.isArray(box) || box.length !== 4) continue;
    const [top, left, bottom, right] = box;
    const inside = whole(top, image.height) && whole(bottom, image.height) && whole(left, image.width) && whole(right, image.width);
    if (inside && top <= bottom && left <= right) found.regions.push({box: {top, left, bottom, right}});
  }
  const [other, at] = Array.isArray(said.wipe) ? said.wipe : [];
  if (panels.some(p => p.kind === 'image' && p.name === other) && at >= 0 && at <= 1) found.wipe = {other, at: Number(at)};
  if (finite(said.errors) && said.errors.length === 2) {
    const limit = [0.02, 0.05, 0.1, 0.2, 0.4].includes(said.errors[1]) ? said.errors[1] : null;
    found.settings = {signed: said.errors[0] === 1, limit};
  }
  return found;
}
