// The replay of a scan: everything arrives once, and plays without asking the server again.
//
// `props.value` holds the frames (JPEG), the k-space picture (PNG), the order of the lines, and
// for each frame how many lines there are and the SSIM.

let film = null; // the one on show
let coming = null; // the value whose pictures are being decoded; the film before plays on meanwhile

const find = name => element.querySelector(`.film-${name}`);

async function picture(data, type) {
  const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], {type}));
}

async function load() {
  const value = props.value;
  if (!value || !value.frames || coming === value) return;
  coming = value;
  const [kspace, ...frames] = await Promise.all(
    [picture(value.kspace, 'image/png'), ...value.frames.map(data => picture(data, 'image/jpeg'))]);
  if (coming !== value) return; // something newer has arrived meanwhile
  if (film) pause();
  film = {value, kspace, frames, frame: 0, playing: false};
  find('scrub').max = frames.length - 1;
  connect();
  show(frames.length - 1);
  element.querySelector('.film').dataset.state = 'ready';
}

function connect() {
  find('play').onclick = () => (film.playing ? pause() : play());
  find('scrub').oninput = event => { pause(); show(Number(event.target.value)); };
  find('tr').oninput = () => show(film.frame);
}

function play() {
  if (film.frame >= film.frames.length - 1) film.frame = 0;
  Object.assign(film, {playing: true, since: null, from: film.frame, drawn: 0});
  find('play').textContent = 'Pause';
  requestAnimationFrame(tick);
}

function pause() {
  film.playing = false;
  find('play').textContent = 'Play';
}

function tick(now) {
  if (!film.playing || !element.isConnected) return;
  film.since ??= now; // not the time of the click: a frame's own time may lie before it
  const speed = Number(find('speed').value); // frames a second
  const frame = Math.min(film.frames.length - 1, film.from + Math.floor((now - film.since) / 1000 * speed));
  if (frame !== film.frame) film.drawn += 1;
  show(frame);
  find('play').dataset.rate = (film.drawn / Math.max(0.001, (now - film.since) / 1000)).toFixed(1);
  if (frame >= film.frames.length - 1) pause();
  else requestAnimationFrame(tick);
}

function fill(canvas, width, height, draw) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  context.fillStyle = '#000';
  context.fillRect(0, 0, width, height);
  draw(context);
}

function show(frame) {
  film.frame = frame;
  const {value, kspace, frames} = film, count = value.counts[frame];
  fill(find('image'), frames[0].width, frames[0].height, context => context.drawImage(frames[frame], 0, 0));
  fill(find('kspace'), kspace.width, kspace.height, context => {
    for (let i = 0; i < count; i++) {
      const line = value.order[i];
      context.drawImage(kspace, line, 0, 1, kspace.height, line, 0, 1, kspace.height);
    }
    context.fillStyle = '#ffd43b';
    if (frame < frames.length - 1) context.fillRect(value.order[count - 1], 0, 1, kspace.height);
  });
  curve(frame);
  find('scrub').value = frame;
  const seconds = count * Number(find('tr').value) / 1000;
  const time = seconds >= 60 ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s` : `${seconds.toFixed(1)} s`;
  find('words').textContent = `${count} of ${value.width} lines · scan time ${time} · SSIM ${value.ssim[frame].toFixed(3)}`;
}

function curve(frame) {
  const {value} = film, canvas = find('curve'), ratio = window.devicePixelRatio || 1;
  const w = canvas.clientWidth, h = canvas.clientHeight;
  if (!w) return;
  canvas.width = w * ratio;
  canvas.height = h * ratio;
  const context = canvas.getContext('2d'), left = 34, bottom = h - 30;
  const x = count => left + count / value.width * (w - left - 10), y = ssim => bottom - Math.max(0, ssim) * (bottom - 10);
  const color = getComputedStyle(element).color;
  context.scale(ratio, ratio);
  context.fillStyle = context.strokeStyle = color;
  context.font = '12px system-ui, sans-serif';
  for (const tick of [0, 0.5, 1]) {
    context.globalAlpha = 0.25;
    context.beginPath(); context.moveTo(left, y(tick)); context.lineTo(w - 10, y(tick)); context.stroke();
    context.globalAlpha = 1;
    context.fillText(tick, 8, y(tick) + 4);
  }
  context.fillText('SSIM against lines measured', left, h - 8);
  const line = (upto, style, width) => {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    for (let i = 0; i <= upto; i++) context.lineTo(x(value.counts[i]), y(value.ssim[i]));
    context.stroke();
  };
  context.globalAlpha = 0.35;
  line(value.ssim.length - 1, color, 1);
  context.globalAlpha = 1;
  line(frame, '#0072b2', 2.5);
  context.fillStyle = '#d55e00';
  context.beginPath(); context.arc(x(value.counts[frame]), y(value.ssim[frame]), 4.5, 0, 7); context.fill();
}

new ResizeObserver(() => { if (film) curve(film.frame); }).observe(element);
watch('value', load);
load();
