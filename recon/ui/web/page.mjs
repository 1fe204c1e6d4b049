// <recon-bar>: what is open, on every tab. <recon-about>: which question a result answers, and a
// mark on results whose question has changed.

const OPEN = 'recon-open'; // event on the document: something else is open now
const now = {}; // which question of each kind is open: see Choice.questions in recon/ui/session.py

const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

class Bar extends HTMLElement {
  set value(value) {
    if (!value?.questions) return;
    Object.assign(now, value.questions);
    const parts = value.parts.map(([label, text]) => {
      const part = make('span', {className: 'bar-part'});
      part.append(make('span', {className: 'bar-label', textContent: `${label} `}), make('b', {textContent: text}));
      return part;
    });
    if (value.simulated) parts.splice(1, 0, make('span', {className: 'badge', textContent: 'simulated k-space'}));
    this.replaceChildren(...parts);
    document.dispatchEvent(new CustomEvent(OPEN));
  }
}

class About extends HTMLElement {
  connectedCallback() {
    this.gone = new AbortController();
    const {signal} = this.gone, place = this.closest('.experiment');
    document.addEventListener(OPEN, () => this.look(), {signal});
    const rail = place?.querySelector('.rail');
    // Own controls: whatever is moved makes the result an old one. Live ones and buttons ask
    // themselves; whoever is quicker than the tab has asked already, and what opens by itself must
    // not come after it.
    rail?.addEventListener('input', event => {
      if (event.target.closest('.live')) this.ask();
      this.move();
    }, {signal, capture: true}); // before Gradio hands on what it asks with
    rail?.addEventListener('click', event => {
      const button = event.target.closest('button');
      if (button?.matches('.reset-button')) this.move();
      else if (button) this.ask();
    }, {signal, capture: true});
    this.resize = new ResizeObserver(() => this.look());
    if (place) this.resize.observe(place);
    this.look();
  }

  disconnectedCallback() {
    this.gone.abort();
    this.resize.disconnect();
    clearTimeout(this.timer);
  }

  set value(value) {
    if (!value) return;
    const late = value.question && value.answers < this.content?.answers; // overtaken on its way to the server
    this.content = value;
    this.moves ??= value.moves ?? 0; // of the controls beside it
    this.count();
    this.show();
    if (late) this.again();
  }

  ask() { // somebody else does
    clearTimeout(this.timer);
    this.asked = now[this.content?.of];
  }

  move() { // a control of its own
    this.moves = (this.moves ?? 0) + 1;
    this.count();
    this.show();
  }

  count() { // what is asked says how often something was moved before it, and the answer repeats it
    if ((this.content?.moves ?? 0) === this.moves) return;
    this.content = {...this.content, moves: this.moves};
    this.store?.(this.content);
  }

  get moved() { return (this.content.answers ?? 0) !== this.moves; }

  get answered() { return this.content?.question === now[this.content?.of]; }

  again() { // what has answered does so again
    const {action} = this.content, place = this.closest('.experiment');
    const own = action && place.querySelector(`.rail [id$='-${action}']`);
    (own || place.querySelector('.main-action button, button.main-action'))?.click();
  }

  look() { // when the tab opens, and when something else is opened
    this.show();
    const wish = now[this.content?.of], hidden = !this.closest('.experiment').offsetParent;
    if (hidden && this.content?.again) this.asked = null; // looked at every time
    if (!this.content?.opens || !wish || this.answered || this.asked === wish) return;
    if (hidden) return; // in a tab that is not shown
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.asked = wish;
      this.send?.('focus', {});
    }, 150);
  }

  show() {
    const {content} = this;
    if (!content) return;
    const old = !!content.question && (!this.answered || this.moved), place = this.closest('.experiment');
    place?.classList.toggle('stale', old);
    if (!old) { this.replaceChildren(); return; }
    if (this.firstChild) return;
    const words = this.moved && this.answered ? 'These results are from before you moved a control.'
      : `These results are about ${content.words}.`;
    const button = make('button', {type: 'button', textContent: 'Compute again'});
    button.onclick = () => this.again();
    const note = make('p', {className: 'stale-note'});
    note.setAttribute('role', 'status');
    note.append(`${words} `, button);
    this.replaceChildren(note);
  }
}

document.addEventListener('click', async event => { // a button before what it copies
  const button = event.target.closest?.('[data-copy]');
  if (!button) return;
  const said = button.dataset.copy ||= button.textContent;
  try {
    await navigator.clipboard.writeText(button.nextElementSibling.textContent);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Select the text below to copy it';
  }
  setTimeout(() => { button.textContent = said; }, 2000);
});

// ---- slices, and the research view below the pictures -------------------------------------------

/** Open a slice, as if somebody had moved the slider. */
export function openSlice(number) {
  const slider = document.querySelector('#slice input[type=range]');
  if (!slider || slider.disabled) return;
  const wish = Math.min(Number(slider.max), Math.max(Number(slider.min), number));
  if (wish === Number(slider.value)) return;
  slider.value = wish;
  slider.dispatchEvent(new Event('input', {bubbles: true}));
}

// What is no slice is not sent while it is typed, and gives way to the nearest one when it is left.
const noSlice = field => field.matches?.('#slice input[type=number]') && (!field.value || !field.checkValidity());
document.addEventListener('input', event => { if (noSlice(event.target)) event.stopImmediatePropagation(); }, true);
document.addEventListener('focusout', event => {
  const field = event.target;
  if (!noSlice(field)) return;
  const open = document.querySelector('#slice input[type=range]').value;
  const wish = field.value ? Math.min(field.max, Math.max(field.min, Math.round(field.value))) : open;
  field.value = open;
  openSlice(Number(wish));
}, true);

document.addEventListener('recon-turn', event => {
  openSlice(Number(document.querySelector('#slice input[type=range]')?.value) + event.detail);
});
document.addEventListener('recon-research', event => { // of the main view: more tools below it
  if (event.target.closest('#panels')) document.documentElement.classList.toggle('researching', event.detail);
});

// ---- the drawer of narrow screens: the controls of what is open ---------------------------------

const drawer = make('button', {id: 'drawer', type: 'button'});

function openDrawer(open) {
  document.documentElement.classList.toggle('drawer', open);
  drawer.setAttribute('aria-expanded', open);
  drawer.textContent = open ? 'Close' : 'Controls';
  if (open) rail()?.querySelector('input, button, select, textarea')?.focus({preventScroll: true});
}

const rail = () => [...document.querySelectorAll('.experiment > .rail:not(.wide-rail)')]
  .find(one => one.parentElement.checkVisibility());

drawer.onclick = () => openDrawer(!document.documentElement.classList.contains('drawer'));
document.addEventListener('keydown', event => {
  if (event.key !== 'Escape' || !document.documentElement.classList.contains('drawer')) return;
  openDrawer(false);
  drawer.focus();
});
document.addEventListener('click', event => { // what was asked for is behind it; another tab has others
  if (event.target.closest('.main-action, [role=tab]')) openDrawer(false);
});
const settle = () => {
  document.body.append(drawer);
  openDrawer(false);
  new ResizeObserver(() => { drawer.hidden = !rail(); }).observe(document.body); // other tabs have none
};
if (document.body) settle();
else document.addEventListener('DOMContentLoaded', settle);

// Gradio opens a list at any key, also at the one that leaves it; leaving it closes it.
document.addEventListener('keydown', event => {
  if (event.key === 'Tab' && event.target.matches?.('input[role=combobox]')) event.stopPropagation();
}, {capture: true});

// Of two keys in quick succession, the first may open the list after the second has left it.
document.addEventListener('focusout', event => {
  const menu = event.target;
  if (!menu.matches?.('input[role=combobox]')) return;
  const close = () => {
    if (menu !== document.activeElement && menu.ariaExpanded === 'true') menu.dispatchEvent(new FocusEvent('blur'));
  };
  for (const wait of [50, 250]) setTimeout(close, wait);
});

// Gradio tells of a slider that was let go by the pointer alone; keys let go of it too.
document.addEventListener('keyup', event => {
  if (event.target.matches?.('input[type=range]') && /^(Arrow|Page|Home|End)/.test(event.key)) {
    event.target.dispatchEvent(new PointerEvent('pointerup', {bubbles: true}));
  }
});

customElements.define('recon-bar', Bar);
customElements.define('recon-about', About);

if (new URLSearchParams(location.search).has('embed')) document.documentElement.classList.add('embed');
