// Whether a bundle gives here what it gave when it was exported.

import { BundleError } from "./errors.js";
import { readTensors } from "./tensors.js";
import { decode } from "./tokens.js";
import { shown } from "./values.js";

export const GOLDEN = "golden.safetensors";

/** What `Model.selfTest` gives. */
export async function replay(manifest, graphs, golden) {
  if (golden === null) throw new BundleError(`the bundle has no ${GOLDEN}`, "export the bundle again");
  const tolerance = manifest.certificate?.tolerance ?? 1e-4;
  const probes = new Map();
  for (const [name, tensor] of readTensors(golden, GOLDEN)) {
    const [graph, probe, ...port] = name.split("/");
    const key = `${graph}/${probe}`;
    if (!probes.has(key)) probes.set(key, {});
    probes.get(key)[port.join("/")] = { data: tensor.data, dims: tensor.shape };
  }
  const differences = {};
  for (const [key, tensors] of probes) {
    const name = key.split("/")[0];
    const graph = Object.hasOwn(manifest.graphs, name) ? manifest.graphs[name] : null;
    const missing = graph ? [...graph.inputs, ...graph.outputs].filter((port) => !tensors[port.name]) : [{ name }];
    if (missing.length) {
      throw new BundleError(`${GOLDEN} has a probe \`${key}\` that lacks ${missing[0].name}`, "export the bundle again");
    }
    const expected = tensors[graph.outputs[0].name];
    const difference = compare(expected, await graphs.run(name, tensors));
    if (!(difference <= tolerance)) {
      throw new BundleError(
        `\`${graph.file}\` differs by ${difference.toExponential(1)} from what it gave when it was exported (probe \`${key}\`)`,
        "export the bundle on this machine",
      );
    }
    differences[name] = Math.max(differences[name] ?? 0, difference);
  }
  const untested = Object.keys(manifest.graphs).find((name) => !Object.hasOwn(differences, name));
  if (untested) throw new BundleError(`${GOLDEN} has no probe of ${untested}`, "export the bundle again");
  return { differences, difference: Math.max(...Object.values(differences)), outputs: probes.size, tolerance };
}

/** Texts that are hard to read alike, with the ids they must have, where the bundle brings some. */
export function verifyTexts({ manifest, read }, reader) {
  const file = manifest.probes?.texts;
  if (!file) return;
  let probes;
  try {
    ({ probes } = JSON.parse(decode(read(file))));
    if (!reader || !probes.every(({ record, ids }) => record && ids)) throw new Error();
  } catch {
    throw new BundleError(`\`${file}\` holds no probes of texts`, "export the bundle again");
  }
  for (const { record, ids } of probes) {
    const found = reader.read([record]);
    for (const [name, expected] of Object.entries(ids)) {
      if (String(found.get(name)?.[0]) !== String(expected)) {
        throw new BundleError(
          `this host reads ${shown(record[name] ?? record)} as other tokens than training did`,
          "use the versions of legoc-js and @huggingface/tokenizers that belong to the bundle",
        );
      }
    }
  }
}

/** max |expected - found| / max(1, max |expected|); infinite where the shapes differ. */
function compare(expected, found) {
  if (String(expected.dims) !== String(found.dims)) return Infinity;
  let largest = 1, difference = 0;
  for (let place = 0; place < found.data.length; place += 1) {
    if (!Number.isFinite(found.data[place])) return Infinity;
    largest = Math.max(largest, Math.abs(expected.data[place]));
    difference = Math.max(difference, Math.abs(expected.data[place] - found.data[place]));
  }
  return difference / largest;
}
