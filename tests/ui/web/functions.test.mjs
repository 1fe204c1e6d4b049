// The page's pure functions against Python's answers, which tests/ui/test_web.py writes to a file.

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import test from 'node:test';

import {shownSize} from '../../../recon/ui/web/arrays.mjs';
import {Fourier} from '../../../recon/ui/web/fourier.mjs';
import * as geometry from '../../../recon/ui/web/geometry.mjs';
import {preferred, translator} from '../../../recon/ui/web/language.mjs';
import {GRAY, SIGNED, dialled, difference, windowed} from '../../../recon/ui/web/levels.mjs';
import * as linked from '../../../recon/ui/web/linked.mjs';
import {histogram, profile} from '../../../recon/ui/web/profile.mjs';
import * as masks from '../../../recon/ui/web/masks.mjs';
import {Random} from '../../../recon/ui/web/random.mjs';
import {Similarity, statistics} from '../../../recon/ui/web/scores.mjs';
import {GERMAN} from '../../../recon/ui/web/words.mjs';

const cases = JSON.parse(readFileSync(process.env.CASES, 'utf8'));
const close = (found, expected, tolerance, what) => {
  assert.equal(found.length, expected.length, what);
  for (let i = 0; i < found.length; i++) {
    assert.ok(Math.abs(found[i] - expected[i]) <= tolerance, `${what}: ${found[i]} is not ${expected[i]} at ${i}`);
  }
};

test('transforms of any length and number', () => {
  for (const {n, batch, re, im, outRe, outIm, outForward} of cases.fourier) {
    const fourier = new Fourier(n, batch), r = Float32Array.from(re), i = Float32Array.from(im);
    fourier.run(r, i);
    close(r, outRe, 2e-4, `length ${n}, real`);
    close(i, outIm, 2e-4, `length ${n}, imaginary`);
    const f = Float32Array.from(re), g = Float32Array.from(im);
    fourier.run(f, g, false);
    close(f, outForward, 2e-4, `length ${n}, forward`);
  }
});

test('random numbers are those of NumPy', () => {
  for (const {seed, uniform, integers, sample} of cases.random) {
    const random = new Random(seed);
    assert.deepEqual(uniform.map(() => random.random()), uniform);
    assert.deepEqual(integers.map(([limit]) => [limit, random.integer(limit)]), integers);
    assert.deepEqual([...random.sample(100, 30)].sort((a, b) => a - b), sample);
  }
});

test('masks, point spreads and their numbers', () => {
  for (const one of cases.masks) {
    const mask = masks.draw(one.family, one.width, one.acceleration, one.fraction, one.seed);
    assert.equal([...mask].join(''), one.mask, JSON.stringify({...one, spread: null}));
    close(masks.pointSpread(mask), one.spread, 1e-6, 'spread');
    close([masks.sidelobeLevel(mask)], [one.sidelobe], 1e-5, 'sidelobe');
    close([masks.fullWidth(mask)], [one.fullWidth], 1e-3, 'full width');
  }
  assert.throws(() => masks.draw('random', 256, 8, 0.3, 0), /at most 0.125/);
});

test('SSIM, of a picture and of a region', () => {
  for (const {reference, image, width, height, range, ssim, box, region, psnr, nmse, mean, sd} of cases.scores) {
    const similarity = new Similarity(reference, width, height, range);
    close([similarity.mean(image), similarity.mean(image, box)], [ssim, region], 1e-6, 'ssim');
    const found = statistics(image, reference, width, box, range);
    close([found.psnr, found.nmse, found.mean, found.sd], [psnr, nmse, mean, sd], 1e-5, 'statistics');
  }
});

test('levels', () => {
  assert.deepEqual([...windowed([0, 1, 2, 3, 9], 1, 3)], [0, 0, 128, 255, 255]);
  assert.deepEqual([...difference([0, 1, 5], [1, 1, 1], 2)], [128, 0, 255]);
  assert.deepEqual([...difference([0, 1, 5], [1, 1, 1], 2, true)], [64, 128, 255]);
  assert.equal(SIGNED.length, 256);
});

test('what is under the pointer stays there while one zooms', () => {
  const picture = {width: 80, height: 96}, frame = {width: 300, height: 300}, point = {x: 120, y: 90};
  let view = {zoom: 1, x: 0.5, y: 0.5};
  const before = geometry.pixelAt(view, picture, frame, point);
  for (let i = 0; i < 6; i++) view = geometry.zoomAt(view, picture, frame, 1.25, point);
  assert.deepEqual(geometry.pixelAt(view, picture, frame, point), before);
  const moved = geometry.pan(view, picture, frame, 40, -30);
  assert.deepEqual(geometry.pixelAt(moved, picture, frame, {x: 160, y: 60}), before);
  for (let i = 0; i < 9; i++) view = geometry.zoomAt(view, picture, frame, 0.5, point);
  assert.deepEqual(view, {zoom: 1, x: 0.5, y: 0.5});
  const box = geometry.boxBetween(picture, {row: 50, column: 99}, {row: 10, column: 20});
  assert.deepEqual(box, {top: 10, bottom: 50, left: 20, right: 79});
  const close_ = geometry.magnify(picture, frame, box, 1);
  assert.equal(geometry.inside(picture, geometry.pixelAt(close_, picture, frame, {x: 150, y: 150})), true);
});

test('a link says how to look, and what is no look is left out', () => {
  const panels = [{kind: 'image', name: 'reference', width: 40, height: 30}, {kind: 'image', name: 'zero_filled', width: 40, height: 30}];
  const state = {
    views: {image: {zoom: 2.5, x: 0.25, y: 0.75}, kspace: {zoom: 1, x: 0.5, y: 0.5}},
    settings: {signed: true, limit: 0.1},
    model: {panels, home: 2, low: 0.5, high: 1.5, regions: [{box: {top: 1, left: 2, bottom: 10, right: 12}}], wipe: {other: 'zero_filled', at: 0.3}},
  };
  assert.deepEqual(linked.unpack(linked.pack(state), state.model), {
    views: {image: {zoom: 2.5, x: 0.25, y: 0.75}}, low: 0.5, high: 1.5, regions: state.model.regions,
    wipe: {other: 'zero_filled', at: 0.3}, settings: {signed: true, limit: 0.1},
  });
  const model = {panels, home: 2, low: 0, high: 2, regions: [], wipe: null};
  assert.equal(linked.pack({views: {}, settings: {signed: false, limit: null}, model}), '');
  for (const text of ['', 'x', 'null', '[]', '5']) assert.equal(linked.unpack(text, model), null);
  const nonsense = {
    image: [1e9, 0, 0], kspace: ['2', 0, 0], window: [1, 0], wipe: ['<b>', 0.5], errors: [1],
    regions: [[0, 0, 30, 1], [-1, 0, 1, 1], [5, 5, 2, 9], ['a', 0, 1, 1], 7, [0.5, 0, 1, 1]],
  };
  assert.deepEqual(linked.unpack(JSON.stringify(nonsense), model), {views: {}, regions: []});
  const many = {regions: Array.from({length: 50}, () => [0, 0, 1, 1])};
  assert.equal(linked.unpack(JSON.stringify(many), model).regions.length, 8);
});

test('words are put into another language whole, with what stands in their places', () => {
  const translate = translator({'Mask': 'Maske', 'Enlarge: {panel}': 'Größer: {panel}', '{a} of {b} lines': 'von {b} Zeilen {a}', 'a.b{n}': 'c{n}'});
  assert.equal(translate('Mask'), 'Maske');
  assert.equal(translate(' Mask\n'), ' Maske\n');
  assert.equal(translate('Enlarge: Mask'), 'Größer: Maske');
  assert.equal(translate('Enlarge: my.npy'), 'Größer: my.npy');
  assert.equal(translate('3 of 9 lines'), 'von 9 Zeilen 3');
  for (const text of ['', 'Masks', 'axb1', 'constructor']) assert.equal(translate(text), null);
  assert.equal(preferred(null, null, 'de-AT'), 'de');
  assert.equal(preferred('en', 'de', 'de'), 'en');
  assert.equal(preferred('fr', null, 'fr'), 'en');
  assert.equal(preferred(null, 'de', 'en-GB'), 'de');
});

test('the browser and the server have the same German', () => {
  const translate = translator(GERMAN);
  for (const [text, german] of cases.words) assert.equal(translate(text), german, text);
});

test('pictures of fastMRI files are cut where their header says', () => {
  const file = (members, attrs = {}) => ({get: name => members[name], attrs});
  const header = (x, y) => ({value: `<encodedSpace><x>96</x></encodedSpace><reconSpace><matrixSize><x>${x}</x><y>${y}</y><z>1</z>`});
  const cases = [
    [file({}), [96, 40]],
    [file({}, {max: {value: 1}}), [48, 40]],
    [file({ismrmrd_header: header(48, 36)}), [48, 36]],
    [file({ismrmrd_header: header(3, 3)}), [48, 40]],
    [file({ismrmrd_header: header(48, 36), reconstruction_rss: {shape: [1, 46, 38]}}), [46, 38]],
    [file({ismrmrd_header: {value: 'nothing'}}), [48, 40]],
  ];
  for (const [one, size] of cases) assert.deepEqual(shownSize(one, 96, 40), size);
});

test('profiles and histograms', () => {
  for (const {values, width, height, line, distance, along, box, low, high, counts} of cases.profiles) {
    const found = profile(values, width, height, line);
    close(found.values, along, 1e-9, 'values along a line');
    close(found.distance, distance, 1e-9, 'distance');
    close(histogram(values, width, box, low, high, counts.length), counts, 1e-12, 'histogram');
  }
});

test('a line is held at its ends or in between, and stays in the picture', () => {
  const picture = {width: 100, height: 100}, frame = {width: 200, height: 200}, view = {zoom: 1, x: 0.5, y: 0.5};
  const line = {from: {row: 10, column: 10}, to: {row: 10, column: 60}};
  const grip = (x, y) => geometry.grip(view, picture, frame, line, {x, y}, 8);
  assert.deepEqual([grip(21, 21), grip(121, 24), grip(70, 24), grip(70, 40), grip(5, 21)], ['from', 'to', 'all', null, null]);
  assert.deepEqual(geometry.carry(picture, line, 'all', -30, 5), {from: {row: 0, column: 15}, to: {row: 0, column: 65}});
  assert.deepEqual(geometry.carry(picture, line, 'to', 3, 99), {from: line.from, to: {row: 13, column: 99}});
});

test('a round palette keeps black for pixels without signal', () => {
  const turned = dialled(SIGNED);
  assert.equal(turned[0], GRAY[0]);
  assert.deepEqual([...turned.slice(1)], [...SIGNED.slice(1)]);
});
