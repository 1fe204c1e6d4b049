// numpy.random.default_rng(seed) in the browser: the same numbers, so the same masks.
//
// SeedSequence (O'Neill's seed_seq_fe) and PCG64 (XSL RR 128/64), as NumPy documents them:
// O'Neill 2014, PCG: a family of simple fast space-efficient statistically good algorithms.

const MASK32 = 0xffffffffn, MASK64 = (1n << 64n) - 1n, MASK128 = (1n << 128n) - 1n;
const MULTIPLIER = (2549297995355413924n << 64n) | 4865540595714422341n;

function entropyPool(seed) {
  const words = [];
  for (let rest = BigInt(seed); ; rest >>= 32n) {
    words.push(Number(rest & MASK32));
    if (rest <= MASK32) break;
  }
  let constant = 0x43b0d7e5;
  const hash = value => {
    value = (value ^ constant) >>> 0;
    constant = Math.imul(constant, 0x931e8875) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const mix = (x, y) => {
    const value = (Math.imul(x, 0xca01f9dd) - Math.imul(y, 0x4973f715)) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const pool = [0, 1, 2, 3].map(i => hash(words[i] ?? 0));
  for (let from = 0; from < 4; from++) for (let to = 0; to < 4; to++) {
    if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  }
  for (const word of words.slice(4)) for (let to = 0; to < 4; to++) pool[to] = mix(pool[to], hash(word));
  return pool;
}

function state(pool) { // four 64-bit words
  let constant = 0x8b51f9dd;
  const words = [];
  for (let i = 0; i < 8; i++) {
    let value = (pool[i % 4] ^ constant) >>> 0;
    constant = Math.imul(constant, 0x58f38ded) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    words.push(BigInt((value ^ (value >>> 16)) >>> 0));
  }
  return [0, 2, 4, 6].map(i => words[i] | (words[i + 1] << 32n));
}

/** The generator that NumPy makes of a seed, a whole number from 0 upwards. */
export class Random {
  constructor(seed) {
    const [high, low, incHigh, incLow] = state(entropyPool(seed));
    this.increment = ((((incHigh << 64n) | incLow) << 1n) | 1n) & MASK128;
    this.state = 0n;
    this.step();
    this.state = (this.state + ((high << 64n) | low)) & MASK128;
    this.step();
    this.half = null; // the other half of a 64-bit number, for 32-bit ones
  }

  step() { this.state = (this.state * MULTIPLIER + this.increment) & MASK128; }

  next() {
    this.step();
    const turn = this.state >> 122n, value = ((this.state >> 64n) ^ this.state) & MASK64;
    return ((value >> turn) | (value << ((64n - turn) & 63n))) & MASK64;
  }

  /** Uniform in [0, 1), as `Generator.random`. */
  random() { return Number(this.next() >> 11n) / 9007199254740992; }

  /** 0 to `limit` - 1, as `Generator.integers(limit)`: Lemire 2019, doi 10.1145/3230636. */
  integer(limit) {
    if (limit === 1) return 0;
    const wide = BigInt(limit), threshold = (1n << 32n) % wide;
    for (;;) {
      const product = this.next32() * wide;
      if ((product & MASK32) >= threshold) return Number(product >> 32n);
    }
  }

  next32() {
    if (this.half !== null) { const kept = this.half; this.half = null; return kept; }
    const value = this.next();
    this.half = value >> 32n;
    return value & MASK32;
  }

  /** Which of `size` things `Generator.choice(size, count, replace=False)` takes (Floyd). */
  sample(size, count) {
    const taken = new Set();
    for (let j = size - count; j < size; j++) {
      const value = this.integer(j + 1);
      taken.add(taken.has(value) ? j : value);
    }
    return taken;
  }

  /** An array in the order of `Generator.permutation`, in place. */
  shuffle(array) {
    for (let i = array.length - 1; i > 0; i--) {
      let bits = i, j;
      for (const by of [1, 2, 4, 8, 16]) bits |= bits >> by;
      do j = Number(this.next32() & BigInt(bits)); while (j > i);
      [array[i], array[j]] = [array[j], array[i]];
    }
    return array;
  }

  /** As `sample`, with weights `p`, which add up to 1. */
  weighted(p, count) {
    const taken = new Set(), weights = Float64Array.from(p);
    while (taken.size < count) {
      for (const index of taken) weights[index] = 0;
      const sums = new Float64Array(weights.length);
      let sum = 0;
      for (let i = 0; i < sums.length; i++) sums[i] = sum += weights[i];
      const missing = count - taken.size;
      for (let draw = 0; draw < missing; draw++) {
        const x = this.random();
        taken.add(sums.findIndex(value => value / sum > x));
      }
    }
    return taken;
  }
}
