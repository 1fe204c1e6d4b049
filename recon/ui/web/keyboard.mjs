// Groups as the keyboard and screen readers expect them: one Tab stop for each, arrows within. Gradio
// gives every radio button a name of its own, and every tab of a row a Tab stop.

// In the quiz a choice shows whether it is right, so arrows must not pass over all of them.
const RADIOS = 'fieldset:not(#quiz *):has(input[type=radio])', ROW = '[role=tablist]';
let groups = 0;

/** One name for all options; the browser then does the rest, as if they had been clicked. */
function join(group) {
  const options = group.querySelectorAll('input[type=radio]'), title = group.querySelector('[data-testid=block-info]');
  group.dataset.group ??= `group-${++groups}`;
  group.role = 'radiogroup';
  for (const option of options) if (option.name !== group.dataset.group) option.name = group.dataset.group;
  if (!title) return;
  title.id ||= `${group.dataset.group}-title`;
  group.setAttribute('aria-labelledby', title.id);
}

const tabs = row => [...row.querySelectorAll('[role=tab]:enabled')];

/** Tab reaches one tab of a row: where the arrows are, else the one that is open. */
function settle(row, stop = tabs(row).find(tab => tab.ariaSelected === 'true')) {
  for (const tab of row.querySelectorAll('[role=tab]')) tab.tabIndex = tab === stop ? 0 : -1;
}

document.addEventListener('keydown', event => { // to a tab; Enter opens it, for that may take long
  const row = event.target.matches?.('[role=tab]') && event.target.closest(ROW);
  if (!row || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const all = tabs(row), at = all.indexOf(event.target), last = all.length - 1;
  const to = {ArrowLeft: at ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last}[event.key];
  if (to === undefined) return;
  event.preventDefault();
  all[to].focus();
});
document.addEventListener('focusin', event => {
  const row = event.target.matches?.('[role=tab]') && event.target.closest(ROW);
  if (row) settle(row, event.target);
});
document.addEventListener('focusout', event => {
  const row = event.target.matches?.('[role=tab]') && event.target.closest(ROW);
  if (row && !row.contains(event.relatedTarget)) settle(row);
});

/** What Gradio drew, or drew again; a choice renames the options too. */
function look(place) {
  const every = selector => [place.closest(selector), ...place.querySelectorAll(selector)].filter(Boolean);
  every(RADIOS).forEach(join);
  for (const row of every(ROW)) if (!row.contains(document.activeElement)) settle(row);
}

const watch = () => {
  look(document.body);
  new MutationObserver(changes => {
    const places = changes.flatMap(({type, target, addedNodes}) => type === 'attributes' ? [target] : [...addedNodes]);
    for (const place of new Set(places)) if (place instanceof Element) look(place);
  }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['name', 'aria-selected']});
};
if (document.body) watch();
else document.addEventListener('DOMContentLoaded', watch);
