// Projector mode: full screen, two or three chosen panels, large words, no controls. The choice of
// panels comes up while the pointer moves or something in it has the focus.

const MOST = 3;
const AWAKE = 2500; // ms that the choice stays after the pointer came to rest

const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

/** The choice of panels, put at the end of a viewer. */
export function chips() {
  const place = make('div', {className: 'viewer-chips'});
  place.setAttribute('role', 'group');
  place.setAttribute('aria-label', 'Panels to show');
  return place;
}

/** The way out where Escape is not at hand: with neither full screen nor a keyboard. */
export function leave(viewer) {
  const button = make('button', {type: 'button', className: 'viewer-leave', textContent: '×'});
  button.setAttribute('aria-label', 'Leave the projector');
  button.onclick = () => present(viewer);
  return button;
}

/** Fit the choice to the panels there are; at first the pictures, the reference among them. */
export function choose(viewer) {
  const {panels} = viewer.model, names = panels.map(p => p.name);
  viewer.chosen = (viewer.chosen ?? []).filter(name => names.includes(name));
  if (viewer.chosen.length < Math.min(2, panels.length)) {
    const pictures = panels.filter(p => p.kind === 'image' && p.name !== 'reference').slice(0, MOST - 1);
    const reference = panels.filter(p => p.name === 'reference');
    viewer.chosen = [...pictures, ...reference].map(p => p.name);
    for (const name of names) if (viewer.chosen.length < 2 && !viewer.chosen.includes(name)) viewer.chosen.push(name);
  }
  viewer.querySelector('.viewer-chips').replaceChildren(...panels.map(panel => {
    const label = make('label'), box = make('input', {type: 'checkbox'});
    box.dataset.chip = panel.name;
    label.append(box, panel.title);
    return label;
  }));
  apply(viewer);
}

function apply(viewer) {
  for (const box of viewer.querySelectorAll('[data-chip]')) box.checked = viewer.chosen.includes(box.dataset.chip);
  viewer.model.panels.forEach(({name}, n) => {
    viewer.querySelectorAll('.panels figure')[n].classList.toggle('chosen', viewer.chosen.includes(name));
  });
  viewer.style.setProperty('--chosen', viewer.chosen.length);
}

/** A panel in or out; a fourth takes the place of the one that was chosen first. */
export function toggleChip(viewer, box) {
  const {chip} = box.dataset, {chosen} = viewer;
  if (box.checked) viewer.chosen = [...chosen, chip].slice(-MOST);
  else if (chosen.length > 1) viewer.chosen = chosen.filter(name => name !== chip);
  apply(viewer);
}

/** It has begun or ended: the focus goes to the first picture, and back to where it came from. */
export function presenting(viewer, on) {
  if (on === viewer.classList.contains('presenting')) return;
  if (on) viewer.opener = document.activeElement; // is hidden with the controls, and would lose the focus
  viewer.classList.toggle('presenting', on);
  const first = viewer.model?.panels.find(({name}) => viewer.chosen.includes(name));
  (on ? first?.canvas : viewer.opener)?.focus({preventScroll: true});
}

/** Into projector mode and out of it. */
export async function present(viewer) {
  if (document.fullscreenElement === viewer) await document.exitFullscreen();
  else if (viewer.classList.contains('presenting')) presenting(viewer, false);
  else {
    try {
      await viewer.requestFullscreen(); // some phones have none, some pages may not
    } catch {
      presenting(viewer, true);
    }
    wake(viewer);
  }
  viewer.show();
}

/** Show the choice for a moment. */
export function wake(viewer) {
  viewer.classList.add('awake');
  clearTimeout(viewer.asleep);
  viewer.asleep = setTimeout(() => viewer.classList.remove('awake'), AWAKE);
}
