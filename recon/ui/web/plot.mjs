// Curves on a canvas, sharp on any screen, in the colours of dark reading surfaces.

import {spoken} from './language.mjs';

/** A canvas at the resolution of the screen, cleared: its context, and its size in pixels. */
export function sharp(canvas, background = null) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  const context = canvas.getContext('2d');
  if (background) {
    context.fillStyle = background;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  return {context, width: canvas.width, height: canvas.height, ratio};
}

/** Round numbers between two ends: steps of 1, 2 or 5 times a power of ten. */
export function ticks(low, high, about) {
  const rough = (high - low) / about, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(m => m * power >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step); i <= Math.floor(high / step + 1e-9); i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

/** Axes with ticks and grid; `line(x, y, colour, width)` draws into them. */
export function axes(canvas, {x, y, xLabel, yLabel, color = '#d8dee6'}) {
  const {context, width, height, ratio} = sharp(canvas), w = width / ratio, h = height / ratio;
  const left = 40, right = w - 8, top = 8, bottom = h - 34;
  const px = value => left + (value - x[0]) / (x[1] - x[0]) * (right - left);
  const py = value => bottom - (Math.min(y[1], Math.max(y[0], value)) - y[0]) / (y[1] - y[0]) * (bottom - top);
  context.scale(ratio, ratio);
  context.font = '12px system-ui, sans-serif';
  context.fillStyle = context.strokeStyle = color;
  context.textAlign = 'right';
  for (const tick of ticks(...y, 4)) {
    context.globalAlpha = 0.22;
    context.beginPath(); context.moveTo(left, py(tick)); context.lineTo(right, py(tick)); context.stroke();
    context.globalAlpha = 1;
    context.fillText(tick, left - 5, py(tick) + 4);
  }
  context.textAlign = 'center';
  for (const tick of ticks(...x, 6)) {
    context.fillRect(px(tick), bottom, 1, 4);
    context.fillText(tick, px(tick), bottom + 16);
  }
  context.fillText(spoken(xLabel), (left + right) / 2, h - 3);
  context.save();
  context.translate(10, (top + bottom) / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(spoken(yLabel), 0, 0);
  context.restore();
  return {
    context, px, py,
    line(xs, ys, stroke, lineWidth = 2, alpha = 1) {
      context.globalAlpha = alpha;
      context.strokeStyle = stroke;
      context.lineWidth = lineWidth;
      context.beginPath();
      for (let i = 0; i < xs.length; i++) context.lineTo(px(xs[i]), py(ys[i]));
      context.stroke();
      context.globalAlpha = 1;
    },
    dot(at, value, fill) {
      context.fillStyle = fill;
      context.beginPath(); context.arc(px(at), py(value), 4.5, 0, 7); context.fill();
    },
  };
}
