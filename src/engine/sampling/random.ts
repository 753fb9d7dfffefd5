const WORD = 2 ** 32;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
/** Weyl constants: the golden ratio and sqrt(3) - 1, as fractions of 2^32. */
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const ROUNDS = 10;

type Words2 = readonly [number, number];
type Words4 = readonly [number, number, number, number];

/**
 * Philox4x32-10, a counter-based generator: its output is a pure function of key and counter, so that a draw depends on nothing that
 * was drawn before or beside it. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; 32-bit unsigned words.
 */
export function philox4x32(counter: Words4, key: Words2): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + KEY_STEP_0) | 0;
    k1 = (k1 + KEY_STEP_1) | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** Which use of the generator a counter belongs to, so that draws and derived seeds never share one. */
const DRAW_STREAM = 0;
const SEED_STREAM = 1;

/** Uniform in [0, 1), 53 bits, for the token at `position` (from 0) of the answer with this seed. */
export function uniformAt(seed: number, position: number): number {
  const [a, b] = philox4x32([position >>> 0, 0, 0, DRAW_STREAM], keyOf(seed));
  return toInteger53(a, b) / 2 ** 53;
}

/** A seed for each of the `n` choices of one request: the first keeps the request's own. 0 .. 2^53 - 1 */
export function choiceSeed(seed: number, choice: number): number {
  if (choice === 0) return seed;
  const [a, b] = philox4x32([choice >>> 0, 0, 0, SEED_STREAM], keyOf(seed));
  return toInteger53(a, b);
}

function keyOf(seed: number): Words2 {
  return [seed >>> 0, Math.floor(seed / WORD) >>> 0];
}

function toInteger53(a: number, b: number): number {
  return (a >>> 5) * 2 ** 26 + (b >>> 6);
}

/** The upper 32 bits of a 32 x 32 bit unsigned product, by 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor((aLow * bHigh + (middle & 0xffff)) / 0x10000);
}
