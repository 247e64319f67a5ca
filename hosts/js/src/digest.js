// SHA-256 as text. Browsers have it only where a page came over HTTPS or from the machine itself, so
// a phone that opens a page of the network at home has to count on its own (FIPS 180-4).

/** @param {Uint8Array} content */
export async function digest(content) {
  const subtle = globalThis.crypto?.subtle;
  const found = subtle ? new Uint8Array(await subtle.digest("SHA-256", content)) : plainDigest(content);
  return Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const PRIMES = [];
for (let number = 2; PRIMES.length < 64; number += 1) {
  if (PRIMES.every((prime) => number % prime)) PRIMES.push(number);
}
const fraction = (root) => Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const ROUNDS = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));

const turn = (word, by) => (word >>> by) | (word << (32 - by));

/** The same by plain arithmetic. */
export function plainDigest(content) {
  const state = Int32Array.from(START);
  const whole = content.length & ~63;
  const words = new DataView(content.buffer, content.byteOffset, content.byteLength);
  for (let at = 0; at < whole; at += 64) mix(state, words, at);
  // What is left, a bit, zeros, and the length in bits.
  const left = content.length - whole;
  const end = new DataView(new ArrayBuffer(left < 56 ? 64 : 128));
  for (let at = 0; at < left; at += 1) end.setUint8(at, content[whole + at]);
  end.setUint8(left, 0x80);
  end.setBigUint64(end.byteLength - 8, BigInt(content.length) * 8n);
  for (let at = 0; at < end.byteLength; at += 64) mix(state, end, at);
  const found = new DataView(new ArrayBuffer(32));
  state.forEach((word, place) => found.setInt32(4 * place, word));
  return new Uint8Array(found.buffer);
}

const WORDS = new Int32Array(64);

function mix(state, words, start) {
  for (let n = 0; n < 16; n += 1) WORDS[n] = words.getInt32(start + 4 * n);
  for (let n = 16; n < 64; n += 1) {
    const one = WORDS[n - 15], two = WORDS[n - 2];
    const low = turn(one, 7) ^ turn(one, 18) ^ (one >>> 3);
    const high = turn(two, 17) ^ turn(two, 19) ^ (two >>> 10);
    WORDS[n] = WORDS[n - 16] + low + WORDS[n - 7] + high;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let n = 0; n < 64; n += 1) {
    const choice = (e & f) ^ (~e & g), most = (a & b) ^ (a & c) ^ (b & c);
    const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + ROUNDS[n] + WORDS[n]) | 0;
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + most) | 0;
    h = g; g = f; f = e; e = (d + first) | 0; d = c; c = b; b = a; a = (first + second) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, place) => {
    state[place] += word;
  });
}
