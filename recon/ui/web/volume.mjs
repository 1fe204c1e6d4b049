// What names a slice opens it: points of curves and rows of the table of all slices.

document.addEventListener('click', event => {
  const named = event.target.closest?.('[data-slice]');
  const slider = document.querySelector('#slice input[type=range]');
  if (!named || !slider || slider.disabled) return;
  document.querySelector('#tabs button[data-tab-id=reconstruct], #tabs button[id=reconstruct-button]')?.click();
  if (slider.value === named.dataset.slice) return; // it is open
  slider.value = named.dataset.slice; // as if somebody had moved it
  slider.dispatchEvent(new Event('input', {bubbles: true}));
});
