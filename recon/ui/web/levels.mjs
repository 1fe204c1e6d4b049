// Numbers to shades: what to show of every pixel, from 0 to 255, and in which colours.

/** Magnitudes between two ends of a window. */
export function windowed(values, low, high) {
  const shades = new Uint8ClampedArray(values.length), span = Math.max(1e-12, high - low);
  const gain = 255 / span, offset = 255 * low / span;
  for (let i = 0; i < shades.length; i++) shades[i] = values[i] * gain - offset;
  return shades;
}

/** |of - against| from 0 to `limit`; signed: from -limit (0) over nothing (128) to limit (255). */
export function difference(of, against, limit, signed = false) {
  const shades = new Uint8ClampedArray(of.length);
  for (let i = 0; i < shades.length; i++) {
    const value = of[i] - against[i];
    shades[i] = signed ? 127.5 + 127.5 * value / limit : 255 * Math.abs(value) / limit;
  }
  return shades;
}

/** 256 colours, red, green and blue in turn, as whole pixels for an ImageData's buffer. */
export function palette(colors) {
  const shades = new Uint8Array(1024).fill(255);
  for (let i = 0; i < 768; i++) shades[Math.floor(i / 3) * 4 + i % 3] = colors[i];
  return new Uint32Array(shades.buffer);
}

export const GRAY = palette(Uint8Array.from({length: 768}, (_, i) => i / 3));

/** A round palette for phases: its first colour gives way to black, for pixels without signal. */
export function dialled(colors) {
  const turned = Uint32Array.from(colors);
  turned[0] = GRAY[0];
  return turned;
}

/** Blue below, white at nothing, red above: for signed errors. */
export const SIGNED = palette(Uint8Array.from({length: 768}, (_, i) => {
  const t = Math.floor(i / 3) / 127.5 - 1, channel = i % 3;
  const end = t < 0 ? [33, 102, 172] : [178, 24, 43];
  return 247 + (end[channel] - 247) * Math.abs(t);
}));

/** Shades and a palette drawn into a canvas of that size. */
export function paint(canvas, shades, colors) {
  const context = canvas.getContext('2d'), image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colors[shades[i]];
  context.putImageData(image, 0, 0);
}
