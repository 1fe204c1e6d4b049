// A mask drawn by hand: click or drag lines on and off, within a budget.
//
// `props.value` is {lines: "0101...", budget: n}. Gradio may render the template again after a
// change, so everything is looked up anew, and events are caught at `element`.

let painting = null; // the state that the drag gives to the lines it passes
let last = null;

const lines = () => (props.value && props.value.lines) || '';

function draw() {
  const canvas = element.querySelector('canvas');
  if (!canvas || !canvas.clientWidth) return;
  const ratio = window.devicePixelRatio || 1, text = lines();
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  const context = canvas.getContext('2d'), step = canvas.width / text.length;
  context.fillStyle = '#000';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = '#fff';
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '1') context.fillRect(Math.floor(i * step), 0, Math.max(1, Math.ceil(step) - (step > 3 ? 1 : 0)), canvas.height);
  }
  context.fillStyle = '#4dabf7'; // where the middle of k-space is
  context.fillRect(canvas.width / 2 - ratio, 0, 2 * ratio, 6 * ratio);
  const used = [...text].filter(mark => mark === '1').length, {budget} = props.value;
  const words = element.querySelector('.mask-used');
  words.textContent = `${used} of ${budget} lines` + (used > budget ? ': more than the budget' : '');
  words.classList.toggle('over', used > budget);
  canvas.setAttribute('aria-valuetext', words.textContent);
}

function set(index, state) {
  const marks = [...lines()];
  if (index < 0 || index >= marks.length || marks[index] === state) return;
  const used = marks.filter(mark => mark === '1').length;
  if (state === '1' && used >= props.value.budget) return; // spent: take a line away first
  marks[index] = state;
  if (!marks.includes('1')) return;
  props.value = {...props.value, lines: marks.join('')};
  draw();
}

function at(event) {
  const box = element.querySelector('canvas').getBoundingClientRect();
  return Math.floor((event.clientX - box.left) / box.width * lines().length);
}

element.addEventListener('pointerdown', event => {
  if (!event.target.closest('canvas')) return;
  last = at(event);
  painting = lines()[last] === '1' ? '0' : '1';
  set(last, painting);
  event.preventDefault();
});
window.addEventListener('pointermove', event => {
  if (painting === null || !element.isConnected) return;
  const here = at(event), way = Math.sign(here - last) || 1;
  for (let i = last; i !== here + way; i += way) set(i, painting);
  last = here;
});
window.addEventListener('pointerup', () => {
  if (painting === null) return;
  painting = null;
  trigger('input');
});

let cursor = null; // the line that the keyboard is on
element.addEventListener('keydown', event => {
  if (!event.target.closest('canvas')) return;
  const width = lines().length;
  if (cursor === null) cursor = Math.floor(width / 2);
  if (event.key === 'ArrowLeft') cursor = Math.max(0, cursor - 1);
  else if (event.key === 'ArrowRight') cursor = Math.min(width - 1, cursor + 1);
  else if (event.key === ' ' || event.key === 'Enter') {
    set(cursor, lines()[cursor] === '1' ? '0' : '1');
    trigger('input');
  } else return;
  event.preventDefault();
  draw();
  const canvas = element.querySelector('canvas'), context = canvas.getContext('2d');
  const step = canvas.width / width;
  context.strokeStyle = '#ffd43b';
  context.lineWidth = 2;
  context.strokeRect(cursor * step, 1, Math.max(2, step), canvas.height - 2);
});

new ResizeObserver(draw).observe(element);
new MutationObserver(draw).observe(element, {childList: true});
watch('value', draw);
draw();
