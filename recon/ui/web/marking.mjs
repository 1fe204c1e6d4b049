// A region by keyboard: arrows move a rectangle, with Shift they size it, Enter sets it.

import {clamp} from './geometry.mjs';

const LEAST = 3; // pixels on a side, as of a drag
const STEPS = 40; // from one edge to the other
const WAYS = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};

const middle = ({width, height}) => ({
  top: height >> 2, bottom: height - 1 - (height >> 2), left: width >> 2, right: width - 1 - (width >> 2),
});

function moved({top, bottom, left, right}, {width, height}, down, across) {
  const rows = clamp(down, -top, height - 1 - bottom), columns = clamp(across, -left, width - 1 - right);
  return {top: top + rows, bottom: bottom + rows, left: left + columns, right: right + columns};
}

const sized = ({top, bottom, left, right}, {width, height}, down, across) => ({
  top, left, bottom: clamp(bottom + down, top + LEAST - 1, height - 1), right: clamp(right + across, left + LEAST - 1, width - 1),
});

/** While a region is asked for, what a key does to it; whether it does anything. */
export function mark(viewer, panel, {key, shiftKey}) {
  const {model} = viewer, box = model.drawn?.domain === panel.domain && model.drawn.box;
  if (!model.marking) return false;
  if (key === 'Escape') viewer.toggle('region');
  else if (key === 'Enter' && box) {
    viewer.addRegion(panel, box);
    model.drawn = null;
  } else if (WAYS[key]) {
    const step = Math.ceil(Math.max(panel.width, panel.height) / STEPS), [down, across] = WAYS[key].map(way => way * step);
    model.drawn = {domain: panel.domain, keyed: true, box: box ? (shiftKey ? sized : moved)(box, panel, down, across) : middle(panel)};
  } else return false;
  return true;
}

/** What the line of the viewer says meanwhile. */
export function said({drawn}) {
  if (!drawn?.keyed) return 'Drag a rectangle in a picture, or use keys there: arrows move one, Shift and arrows size it, Enter sets it, Escape leaves';
  const {top, bottom, left, right} = drawn.box;
  return `Rows ${top} to ${bottom}, columns ${left} to ${right}`;
}
