// Zoom and centre of a picture in a frame. A view is {zoom, x, y}: x and y say, as shares of the
// picture, what is in the middle of the frame. A size is {width, height} in pixels.

const LARGEST_ZOOM = 40;

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Screen pixels per picture pixel, and where the picture's corner lies in the frame. */
export function place(view, picture, frame) {
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height) * view.zoom;
  return {
    scale,
    left: frame.width / 2 - view.x * picture.width * scale,
    top: frame.height / 2 - view.y * picture.height * scale,
  };
}

function within({zoom, x, y}) { // nothing to see beyond the edge
  return zoom === 1 ? {zoom, x: 0.5, y: 0.5} : {zoom, x: clamp(x, 0, 1), y: clamp(y, 0, 1)};
}

/** Magnify, and keep what is under a point of the frame where it is. */
export function zoomAt(view, picture, frame, factor, point) {
  const before = place(view, picture, frame);
  const column = (point.x - before.left) / before.scale, row = (point.y - before.top) / before.scale;
  const zoomed = {...view, zoom: clamp(view.zoom * factor, 1, LARGEST_ZOOM)};
  const after = place(zoomed, picture, frame);
  zoomed.x += (column - (point.x - after.left) / after.scale) / picture.width;
  zoomed.y += (row - (point.y - after.top) / after.scale) / picture.height;
  return within(zoomed);
}

/** Move the picture by so many pixels of the screen. */
export function pan(view, picture, frame, dx, dy) {
  const {scale} = place(view, picture, frame);
  return within({...view, x: view.x - dx / scale / picture.width, y: view.y - dy / scale / picture.height});
}

/** Fill a share of the frame with a box {top, left, bottom, right}, both ends included. */
export function magnify(picture, frame, box, share = 0.9) {
  const fit = Math.min(frame.width / picture.width, frame.height / picture.height);
  const width = box.right - box.left + 1, height = box.bottom - box.top + 1;
  return within({
    zoom: clamp(share * Math.min(frame.width / width, frame.height / height) / fit, 1, LARGEST_ZOOM),
    x: (box.left + width / 2) / picture.width,
    y: (box.top + height / 2) / picture.height,
  });
}

/** The pixel under a point of the frame; it may lie outside the picture. */
export function pixelAt(view, picture, frame, point) {
  const {scale, left, top} = place(view, picture, frame);
  return {row: Math.floor((point.y - top) / scale), column: Math.floor((point.x - left) / scale)};
}

export const inside = (picture, {row, column}) => row >= 0 && column >= 0 && row < picture.height && column < picture.width;

/** The box between two pixels, cut at the picture's edges. */
export function boxBetween(picture, one, other) {
  const rows = [one.row, other.row].map(v => clamp(v, 0, picture.height - 1)).sort((a, b) => a - b);
  const columns = [one.column, other.column].map(v => clamp(v, 0, picture.width - 1)).sort((a, b) => a - b);
  return {top: rows[0], bottom: rows[1], left: columns[0], right: columns[1]};
}

/** Where the two ends of a line between pixels lie in the frame. */
export function ends(view, picture, frame, {from, to}) {
  const {scale, left, top} = place(view, picture, frame);
  return [from, to].map(({row, column}) => ({x: left + (column + 0.5) * scale, y: top + (row + 0.5) * scale}));
}

/** What of a line lies within `reach` of a point of the frame: 'from', 'to', 'all', or null. */
export function grip(view, picture, frame, line, point, reach) {
  const [a, b] = ends(view, picture, frame, line), away = end => Math.hypot(point.x - end.x, point.y - end.y);
  if (Math.min(away(a), away(b)) < reach) return away(a) < away(b) ? 'from' : 'to';
  const square = (b.x - a.x) ** 2 + (b.y - a.y) ** 2;
  const along = square ? ((point.x - a.x) * (b.x - a.x) + (point.y - a.y) * (b.y - a.y)) / square : 0;
  const foot = {x: a.x + along * (b.x - a.x), y: a.y + along * (b.y - a.y)};
  return along > 0 && along < 1 && away(foot) < reach ? 'all' : null;
}

/** A line moved by so many pixels, as a whole or one end of it, as far as the picture goes. */
export function carry(picture, line, part, rows, columns) {
  const held = part === 'all' ? [line.from, line.to] : [line[part]];
  const limit = (by, axis, size) => held.reduce((v, end) => clamp(v, -end[axis], size - 1 - end[axis]), by);
  const moved = {row: limit(rows, 'row', picture.height), column: limit(columns, 'column', picture.width)};
  const end = ({row, column}) => ({row: row + moved.row, column: column + moved.column});
  return part === 'all' ? {from: end(line.from), to: end(line.to)} : {...line, [part]: end(line[part])};
}
