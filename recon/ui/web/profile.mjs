// What researchers read off a picture: values along a line, and how often which value occurs.

/**
 * Values along a line between two pixels, one for each pixel of its length, both ends included.
 * Between pixels they are interpolated linearly along both axes.
 *
 * @returns {{distance: Float64Array, values: Float64Array}} distance in pixels from the first end
 */
export function profile(values, width, height, {from, to}) {
  const length = Math.hypot(to.row - from.row, to.column - from.column);
  const steps = Math.max(1, Math.round(length)), found = new Float64Array(steps + 1);
  const distance = Float64Array.from(found, (_, i) => i / steps * length);
  for (let i = 0; i <= steps; i++) {
    const row = from.row + i / steps * (to.row - from.row), column = from.column + i / steps * (to.column - from.column);
    const r = Math.min(height - 1, Math.floor(row)), c = Math.min(width - 1, Math.floor(column));
    const below = Math.min(height - 1, r + 1), right = Math.min(width - 1, c + 1), v = row - r, u = column - c;
    const top = (1 - u) * values[r * width + c] + u * values[r * width + right];
    const bottom = (1 - u) * values[below * width + c] + u * values[below * width + right];
    found[i] = (1 - v) * top + v * bottom;
  }
  return {distance, values: found};
}

/**
 * Share of the pixels of a box whose value lies in each of so many equal steps from `low` to
 * `high`, the last step with its upper end; values outside are counted among all, and nowhere.
 */
export function histogram(values, width, box, low, high, bins) {
  const counts = new Float64Array(bins), gain = bins / (high - low);
  for (let r = box.top; r <= box.bottom; r++) for (let c = box.left; c <= box.right; c++) {
    const value = values[r * width + c];
    if (value >= low && value <= high) counts[Math.min(bins - 1, Math.floor((value - low) * gain))]++;
  }
  const all = (box.bottom - box.top + 1) * (box.right - box.left + 1);
  return counts.map(count => count / all);
}
