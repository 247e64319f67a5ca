// legoc-js in Node: a bundle is a folder.

import { constants, promises as files } from "node:fs";
import { join } from "node:path";

import { BundleError } from "./errors.js";
import { loadModel } from "./model.js";

export { BundleError, RequestError } from "./errors.js";

/** Verify the bundle in a folder and load it. The options are those of `loadModel`. */
export async function load(folder, options = {}) {
  let ort;
  try {
    ort = await import("onnxruntime-node");
  } catch {
    throw new BundleError("onnxruntime-node is not installed", "npm install onnxruntime-node");
  }
  return loadModel(ort.default ?? ort, (name) => readFile(folder, name), {
    intraOpNumThreads: 1,
    ...options,
  });
}

async function readFile(folder, name) {
  let place = folder;
  try {
    // A link on the way may lead anywhere.
    for (const part of name.split("/").slice(0, -1)) {
      place = join(place, part);
      if ((await files.lstat(place)).isSymbolicLink()) throw Object.assign(new Error(), { code: "ELOOP" });
    }
    const file = await files.open(join(folder, name), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      return new Uint8Array(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    const why = { ENOENT: "is not there", ENOTDIR: "is not there", ELOOP: "is a link" }[error.code] ?? `cannot be read (${error.code ?? error.message})`;
    const help = name === "manifest.json" ? "name a folder that `legoc export` wrote, such as the folder `bundle` of a run" : "copy the bundle again";
    throw new BundleError(`\`${name}\` of \`${folder}\` ${why}`, help);
  }
}
