// What names a slice opens it: points of curves and rows of the table of all slices.

import {openSlice} from './page.mjs';

document.addEventListener('click', event => {
  const named = event.target.closest?.('[data-slice]');
  if (!named) return;
  document.querySelector('#tabs button[data-tab-id=reconstruct], #tabs button[id=reconstruct-button]')?.click();
  openSlice(Number(named.dataset.slice));
});
