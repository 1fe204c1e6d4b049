// One panel on its canvas: the picture, and what lies on it.

import * as geometry from './geometry.mjs';

const MARK = '#ffd43b', LINE = '#4dabf7', PROFILE = '#3ddc97';

/** Draw a panel of a viewer as it is now. */
export function draw(viewer, panel) {
  const {canvas} = panel, {width: w, height: h} = viewer.frame(panel), ratio = window.devicePixelRatio || 1;
  if (!w) return; // in a tab that is not shown
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio);
    canvas.height = Math.round(h * ratio);
  }
  const {model} = viewer, context = canvas.getContext('2d');
  const {scale, left, top} = geometry.place(viewer.view(panel), panel, {width: w, height: h});
  const other = model.flicker && model.flicker.on === panel ? model.flicker.panel : panel;
  const put = shown => context.drawImage(shown.picture, left, top, panel.width * scale, panel.height * scale);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, w, h);
  context.imageSmoothingEnabled = scale * ratio < 1;
  put(other);
  const wipe = viewer.wipeAt(panel);
  if (wipe !== null && other === panel) {
    context.save();
    context.beginPath();
    context.rect(0, 0, wipe, h);
    context.clip();
    context.clearRect(0, 0, w, h);
    put(viewer.named(model.wipe.other));
    context.restore();
    context.fillStyle = LINE;
    context.fillRect(wipe - 1, 0, 2, h);
  }
  const box = ({top: t, left: l, bottom, right}) => {
    context.strokeStyle = MARK;
    context.lineWidth = 1.5;
    context.strokeRect(left + l * scale, top + t * scale, (right - l + 1) * scale, (bottom - t + 1) * scale);
  };
  if (panel.domain === 'image') {
    model.regions.forEach((region, n) => {
      box(region.box);
      context.fillStyle = MARK;
      context.font = '600 12px system-ui, sans-serif';
      if (model.regions.length > 1) context.fillText(n + 1, left + region.box.left * scale + 3, top + region.box.top * scale + 13);
    });
    for (const mark of panel.marks ?? []) {
      context.strokeStyle = MARK;
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(left + (mark.column + 0.5) * scale, top + (mark.row + 0.5) * scale, Math.max(9, mark.radius * scale), 0, 7);
      context.stroke();
    }
    if (model.line && viewer.researching && !viewer.classList.contains('presenting')) {
      const [a, b] = geometry.ends(viewer.view(panel), panel, {width: w, height: h}, model.line);
      context.strokeStyle = context.fillStyle = PROFILE;
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
      context.stroke();
      for (const {x, y} of [a, b]) context.fillRect(x - 3, y - 3, 6, 6);
    }
  }
  if (model.drawn && model.drawn.domain === panel.domain) box(model.drawn.box);
  const {hover} = model;
  if (hover && hover.domain === panel.domain && hover.panel !== panel && geometry.inside(panel, hover)) {
    context.strokeStyle = LINE;
    context.lineWidth = 1;
    context.strokeRect(left + (hover.column + 0.5) * scale - 5, top + (hover.row + 0.5) * scale - 5, 10, 10);
  }
  canvas.dataset.shows = other.name;
}
