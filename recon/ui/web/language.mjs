// <recon-language>: the switch between English and German. The server speaks English; what stands
// in the parts of the page named in `PARTS` is put into German here, text by text, and back again.
// What is drawn asks for its words (`spoken`); what the server writes into files it puts into German
// by the same table (recon/ui/words.py), and is told for that which language is read.

import {GERMAN} from './words.mjs';

const TABS = ['reconstruct', 'volume', 'sampling', 'acquisition', 'methods', 'coils', 'trust', 'private-mode', 'learn', 'class'];
const PARTS = ['#title', '#bar', '#links', '#share', '#remarks', '#drawer', '#research', 'footer', '.toast-wrap', ...TABS.flatMap(
  tab => [`#tabs > .tab-wrapper [data-tab-id=${tab}]`, `#view-${tab}`])].join();
const SPOKEN = ['aria-label', 'title', 'placeholder'];
const SPACE = /\s+/g;

/** A translator for a table of words; gives null for what the table does not hold. */
export function translator(table) {
  const exact = new Map(), patterns = [];
  for (const [from, to] of Object.entries(table)) {
    const names = [...from.matchAll(/\{(\w+)\}/g)].map(found => found[1]);
    if (!names.length) { exact.set(from, to); continue; }
    const literal = from.split(/\{\w+\}/).map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    patterns.push({open: !literal[0], shape: new RegExp(`^${literal.join('(.+?)')}$`, 's'), names, to});
  }
  // The most exact one first: one that begins with words of its own, and of those the longest.
  patterns.sort((a, b) => a.open - b.open || b.shape.source.length - a.shape.source.length);
  return function translate(text) {
    const words = text.replace(SPACE, ' ').trim();
    if (!words) return null;
    let said = exact.get(words);
    for (const {shape, names, to} of said === undefined ? patterns : []) {
      const found = shape.exec(words);
      if (!found) continue;
      const parts = Object.fromEntries(names.map((name, n) => [name, translate(found[n + 1]) ?? found[n + 1]]));
      said = to.replace(/\{(\w+)\}/g, (_, name) => parts[name]);
      break;
    }
    if (said === undefined) return null;
    return text.match(/^\s*/)[0] + said + text.match(/\s*$/)[0];
  };
}

/** The language of a page: what its address says, else what was chosen before, else the browser's. */
export function preferred(query, chosen, browser) {
  return [query, chosen, browser?.slice(0, 2)].find(one => one === 'de' || one === 'en') ?? 'en';
}

const translate = translator(GERMAN), TURNED = 'recon-language'; // event on the document: another one is read
let language = 'en';

/** Words in the language of the page, for what is drawn there: after `TURNED` it is drawn again. */
export function spoken(words) { return (language === 'de' && translate(words)) || words; }

/** Call something whenever another language is read, until a signal says to stop. */
export function onTurn(redraw, signal) { document.addEventListener(TURNED, redraw, {signal}); }

if (typeof document !== 'undefined') {
  const english = new Map(); // a place to what was there, and what was put
  const memory = {get() { try { return localStorage.getItem('recon-language'); } catch { return null; } },
                  set(value) { try { localStorage.setItem('recon-language', value); } catch { /* for this visit */ } }};
  const query = new URLSearchParams(location.search).get('lang');
  language = preferred(query, memory.get(), navigator.language);

  const put = (owner, name, read, write) => {
    const known = english.get(owner)?.[name], now = read();
    if (known && known.put === now) return;
    const said = now && translate(now);
    if (!said || said === now) return;
    if (!english.has(owner)) english.set(owner, {});
    english.get(owner)[name] = {was: now, put: said, read, write};
    write(said);
  };

  // What a menu has chosen is no text of the page, and its change is seen nowhere but where it is made.
  const shown = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
  const visitMenu = menu => {
    const read = () => shown.get.call(menu), write = text => shown.set.call(menu, text);
    const turn = () => { if (language === 'de') put(menu, 'value', read, write); };
    if (!Object.hasOwn(menu, 'value')) {
      Object.defineProperty(menu, 'value', {get: read, set(text) { write(text); turn(); }});
    }
    turn();
  };

  const visit = node => {
    if (node.nodeType === Node.TEXT_NODE) {
      if (!node.parentElement?.closest('pre, code, script, style')) put(node, 'text', () => node.data, text => { node.data = text; });
      return;
    }
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    for (const name of SPOKEN) {
      if (node.hasAttribute(name)) put(node, name, () => node.getAttribute(name), text => node.setAttribute(name, text));
    }
    if (node.matches('input[role=combobox]')) visitMenu(node);
    for (const child of node.childNodes) visit(child);
  };

  const within = node => (node.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest?.(PARTS);
  const observer = new MutationObserver(changes => {
    for (const {type, target, addedNodes} of changes) {
      for (const node of type === 'childList' ? addedNodes : [target]) {
        const part = within(node);
        if (part) { part.lang = 'de'; visit(node); } else node.querySelectorAll?.(PARTS).forEach(visit);
      }
    }
    for (const owner of english.keys()) if (!owner.isConnected) english.delete(owner);
  });

  const apply = () => {
    const german = language === 'de';
    observer.disconnect();
    document.querySelectorAll(PARTS).forEach(part => {
      part.lang = language;
      if (german) visit(part);
    });
    if (german) observer.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: SPOKEN});
    else {
      for (const [owner, places] of english) for (const {was, put: said, read, write} of Object.values(places)) {
        if (read() === said) write(was);
      }
      english.clear();
    }
    document.dispatchEvent(new CustomEvent(TURNED));
  };

  class Language extends HTMLElement {
    set value(told) { // Gradio's side is there, and was told this one
      this.told ??= told;
      this.tell();
    }

    tell() {
      if (language === this.told || !this.send) return;
      this.told = language;
      this.send('input', {language});
    }

    connectedCallback() {
      this.show();
      apply();
    }

    show() {
      const other = language === 'de' ? 'en' : 'de';
      const button = Object.assign(document.createElement('button'), {type: 'button', lang: other, textContent: {de: 'Deutsch', en: 'English'}[other]});
      button.onclick = () => {
        language = other;
        memory.set(other);
        this.show();
        apply();
        this.tell();
        this.firstChild.focus();
      };
      this.replaceChildren(button);
    }
  }
  customElements.define('recon-language', Language);
}
