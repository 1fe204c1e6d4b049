// Files to k-space, in the browser: .npy, .npz, fastMRI .h5 and pictures, as recon/readers does.
// An array is {shape, re, im}: real and imaginary parts in row-major order, im null where real.

const LARGEST = 2 ** 27; // numbers; a browser tab has little memory
const SMALLEST = 16;

const KINDS = {
  f4: Float32Array, f8: Float64Array, i1: Int8Array, i2: Int16Array, i4: Int32Array,
  u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, c8: Float32Array, c16: Float64Array,
};

export class FileError extends Error {} // what a person can mend, in one sentence

/** An array of NumPy's file format, version 1 to 3. */
export function npy(bytes) {
  const magic = String.fromCharCode(...bytes.subarray(1, 6)), view = new DataView(bytes.buffer, bytes.byteOffset);
  if (bytes[0] !== 0x93 || magic !== 'NUMPY') throw new FileError('This is not a NumPy file.');
  const wide = bytes[6] > 1, length = wide ? view.getUint32(8, true) : view.getUint16(8, true), start = wide ? 12 : 10;
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, start + length));
  const type = /'descr':\s*'([<|])(\w\d+)'/.exec(header), size = /'shape':\s*\(([\d, ]*)\)/.exec(header);
  if (!type || !size || !KINDS[type[2]]) throw new FileError('NumPy files hold little-endian real or complex numbers.');
  const shape = size[1].split(',').filter(part => part.trim()).map(Number);
  const complex = type[2][0] === 'c', count = shape.reduce((a, b) => a * b, 1), Kind = KINDS[type[2]];
  const each = Kind.BYTES_PER_ELEMENT * (complex ? 2 : 1), at = start + length;
  if (count > LARGEST || bytes.length < at + count * each) throw new FileError('The NumPy file is cut off, or too large for a browser.');
  const values = new Kind(bytes.slice(at, at + count * each).buffer);
  return ordered({...parts(values, complex), shape}, /'fortran_order':\s*True/.test(header));
}

function parts(values, complex) {
  if (!complex) return {re: Float32Array.from(values), im: null};
  const re = new Float32Array(values.length / 2), im = new Float32Array(values.length / 2);
  for (let i = 0; i < re.length; i++) { re[i] = values[2 * i]; im[i] = values[2 * i + 1]; }
  return {re, im};
}

function ordered(array, fortran) {
  if (!fortran) return array;
  const {shape} = array, steps = shape.map((_, i) => shape.slice(0, i).reduce((a, b) => a * b, 1));
  const turned = values => values && Float32Array.from(values, (_, flat) => {
    let rest = flat, at = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) { at += steps[axis] * (rest % shape[axis]); rest = Math.floor(rest / shape[axis]); }
    return values[at];
  });
  return {shape, re: turned(array.re), im: turned(array.im)};
}

/** The array named kspace, or the only one, of NumPy's archive. */
export async function npz(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), found = {};
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new FileError('The NumPy archive is cut off.');
  let at = view.getUint32(end + 16, true);
  for (let n = view.getUint16(end + 10, true); n > 0; n--) {
    const method = view.getUint16(at + 10, true), packed = view.getUint32(at + 20, true), long = view.getUint16(at + 28, true);
    const extra = view.getUint16(at + 30, true), note = view.getUint16(at + 32, true), local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + long)).replace(/\.npy$/, '');
    const from = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    found[name] = {method, data: bytes.subarray(from, from + packed)};
    at += 46 + long + extra + note;
  }
  const one = found.kspace ?? (Object.keys(found).length === 1 ? Object.values(found)[0] : null);
  if (!one) throw new FileError('The NumPy archive holds several arrays, and none is named kspace.');
  return npy(one.method === 0 ? one.data : await inflated(one.data));
}

async function inflated(data) {
  const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const pieces = [];
  for (let total = 0; ;) {
    const {done, value} = await reader.read();
    if (done) break;
    pieces.push(value);
    if ((total += value.length) > 16 * LARGEST) throw new FileError('The NumPy archive is too large for a browser.');
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** The dataset kspace of an HDF5 file, one slice of it; `h5wasm` is the library. */
export async function hdf5(bytes, h5wasm, wanted) {
  const {FS} = await h5wasm.ready;
  FS.writeFile('scan.h5', bytes);
  const file = new h5wasm.File('scan.h5', 'r');
  try {
    const set = file.get('kspace');
    if (!set || !set.shape || set.shape.length < 2) throw new FileError('The HDF5 file has no dataset named kspace.');
    const {shape} = set, slices = shape.length > 2 ? shape[0] : 1, number = wanted < 0 ? slices >> 1 : Math.min(wanted, slices - 1);
    const rest = shape.length > 2 ? shape.slice(1) : shape;
    if (rest.reduce((a, b) => a * b, 1) > LARGEST) throw new FileError('A slice of this file is too large for a browser.');
    const values = set.slice(shape.length > 2 ? [[number, number + 1]] : []);
    const flat = Array.isArray(values) ? Float32Array.from(values.flat(Infinity)) : values;
    const maximum = Number(file.attrs?.max?.value ?? NaN);
    const shown = shownSize(file, ...rest.slice(-2));
    return {...parts(flat, true), shape: rest, slices, slice: number, maximum, shown, mask: !!file.get('mask')};
  } finally {
    file.close();
    FS.unlink('scan.h5');
  }
}

/** Height and width of the image that a fastMRI file asks for, as recon/readers/fastmri.py finds them. */
export function shownSize(file, height, width) {
  const header = String(file.get('ismrmrd_header')?.value ?? '');
  const target = (file.get('reconstruction_rss') ?? file.get('reconstruction_esc'))?.shape;
  if (target?.length === 3 && Math.min(target[1], target[2]) >= SMALLEST) return [target[1], target[2]];
  const told = header.match(/<reconSpace>[^]*?<x>\s*(\d+)\s*<\/x>\s*<y>\s*(\d+)\s*<\/y>/)?.slice(1).map(Number);
  if (told && Math.min(...told) >= SMALLEST) return told;
  const marked = header || file.attrs?.max || file.attrs?.acquisition || file.get('mask');
  return marked && height >= 1.5 * width ? [height >> 1, width] : [height, width]; // readouts are oversampled by two
}

/** Grey values of a picture the browser can show. */
export async function picture(blob) {
  let image;
  try { image = await createImageBitmap(blob); } catch { throw new FileError('This picture cannot be read here.'); }
  const {width, height} = image, canvas = new OffscreenCanvas(width, height), context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const {data} = context.getImageData(0, 0, width, height), re = new Float32Array(width * height);
  for (let i = 0; i < re.length; i++) re[i] = (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 765;
  return {shape: [height, width], re, im: null};
}
