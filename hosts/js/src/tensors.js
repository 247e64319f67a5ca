// safetensors: eight bytes of length, a JSON header, the raw values. Nothing in the header is
// believed before it is checked, for a file may come from a stranger.

import { BundleError } from "./errors.js";

const TYPES = {
  F64: Float64Array, F32: Float32Array,
  I64: BigInt64Array, I32: Int32Array, I16: Int16Array, I8: Int8Array,
  U64: BigUint64Array, U32: Uint32Array, U16: Uint16Array, U8: Uint8Array,
  BOOL: Uint8Array,
};
const HEADER_LIMIT = 100 << 20;

/**
 * All tensors of a safetensors file: a Map of `{dtype, shape, data}`, data a typed array.
 * @param {Uint8Array} content
 * @param {string} name of the file, for messages
 */
export function readTensors(content, name) {
  const damaged = (why) =>
    new BundleError(`\`${name}\` is not a safetensors file (${why})`, "export the bundle again");
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const length = content.byteLength < 8 ? -1 : Number(view.getBigUint64(0, true));
  if (!(length > 0 && length <= Math.min(content.byteLength - 8, HEADER_LIMIT))) {
    throw damaged("its header does not fit into it");
  }
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content.subarray(8, 8 + length)));
  } catch {
    throw damaged("its header is not JSON");
  }
  if (header === null || typeof header !== "object" || Array.isArray(header)) {
    throw damaged("its header is not an object");
  }
  const body = content.subarray(8 + length);
  const found = new Map();
  for (const [key, entry] of Object.entries(header)) {
    if (key === "__metadata__") continue;
    const kind = Object.hasOwn(TYPES, entry?.dtype) ? TYPES[entry.dtype] : undefined;
    if (kind === undefined) throw damaged(`\`${key}\` has the dtype ${entry?.dtype}`);
    const { shape, data_offsets: place } = entry;
    if (!areCounts(shape) || !areCounts(place) || place.length !== 2) {
      throw damaged(`\`${key}\` has no shape or no place`);
    }
    const count = shape.reduce((product, size) => product * size, 1);
    const [begin, end] = place;
    if (!(begin <= end && end <= body.byteLength && end - begin === count * kind.BYTES_PER_ELEMENT)) {
      throw damaged(`the place of \`${key}\` does not fit its shape or the file`);
    }
    // A copy, for typed arrays begin at multiples of their size and files need not.
    found.set(key, { dtype: entry.dtype, shape, data: new kind(body.slice(begin, end).buffer) });
  }
  return found;
}

const areCounts = (value) =>
  Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
