// Links: what the address says of the pictures is done when they arrive, and a link to what is
// shown now is put together.

import {pack, unpack} from './linked.mjs';

const address = new URLSearchParams(location.search);
let wish = address.get('view'), where = address.get('viewer'); // until somebody moves something

const visible = viewer => viewer.offsetParent !== null && viewer.model;
const place = viewer => viewer.closest('.block[id]')?.id ?? '';

document.addEventListener('recon-loaded', event => {
  const viewer = event.target;
  if (!wish || place(viewer) !== where) return;
  const found = unpack(wish, viewer.model);
  if (!found) return;
  const {views, settings, regions, ...rest} = found;
  Object.assign(viewer.views, views);
  Object.assign(viewer.model, rest, {regions});
  if (settings) {
    viewer.settings = {...viewer.settings, ...settings};
    if (settings.limit) viewer.limit = settings.limit;
    viewer.classList.add('researching');
    viewer.querySelectorAll('[data-set]').forEach(menu => {
      menu.value = {signed: settings.signed ? '1' : '', limit: String(viewer.limit), map: viewer.settings.map}[menu.dataset.set];
    });
  }
  const other = viewer.querySelector('.viewer-wiper select');
  if (rest.wipe && other) other.value = rest.wipe.other;
});

// From then on it is theirs.
for (const type of ['pointerdown', 'keydown']) {
  document.addEventListener(type, event => {
    if (event.isTrusted && event.target.closest?.('recon-viewer')) wish = null;
  }, {capture: true});
}

const text = value => (Array.isArray(value) ? value.join() : value === true ? '1' : value === false ? '0' : String(value ?? ''));

/** The address of what is shown: values by name, open tabs, how the pictures are looked at. */
function link(names, usual, places, values) {
  const query = new URLSearchParams();
  names.forEach((name, n) => {
    const value = text(values[n]);
    if (value !== '' && value !== usual[name]) query.set(name, value);
    else if (Array.isArray(values[n]) && name in usual && value !== usual[name]) query.set(name, '');
  });
  for (const [name, selector] of Object.entries(places)) {
    const open = document.querySelector(`${selector} > .tab-wrapper button[aria-selected=true]`)
      ?? document.querySelector(`${selector} button[role=tab][aria-selected=true]`);
    if (open) query.set(name, open.dataset.tabId || open.id.replace(/-button$/, ''));
  }
  const viewer = [...document.querySelectorAll('recon-viewer')].find(visible), seen = viewer ? pack(viewer) : '';
  if (seen) {
    query.set('viewer', place(viewer));
    query.set('view', seen);
  }
  return `${location.origin}${location.pathname}?${query}`;
}

function copy(address) {
  history.replaceState(null, '', address);
  const said = document.querySelector('#link-message'), tell = words => { said.textContent = words; };
  const whole = new URL(address).searchParams.has('example');
  const copied = whole ? 'Copied. The address of this page has it too.'
    : 'Copied, with the settings only: an upload cannot be part of a link.';
  const here = whole ? 'The link is in the address of this page.'
    : 'An upload cannot be part of a link; it has the settings only.';
  if (navigator.clipboard) navigator.clipboard.writeText(address).then(() => tell(copied), () => tell(here));
  else tell(here);
}

const opened = () => document.querySelector('#share .share');

document.addEventListener('keydown', event => { if (event.key === 'Escape' && opened()) close(); });
document.addEventListener('click', event => { if (event.target.closest?.('[data-close-share]')) close(); });

function close() {
  const button = document.querySelector('#share-link');
  button.click(); // which takes away what is open
  button.focus();
}

globalThis.reconLinks = {link, copy, opened};
