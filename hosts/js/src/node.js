// legoc-js in Node: a bundle is a folder.

import { constants, promises as files } from "node:fs";
import { join } from "node:path";

import { verifySize } from "./bundle.js";
import { BundleError } from "./errors.js";
import { loadModel } from "./model.js";

export { BundleError, RequestError } from "./errors.js";

/** Verify the bundle in a folder and load it. The options are those of `loadModel`. */
export async function load(folder, options = {}) {
  let ort;
  try {
    ort = await import("onnxruntime-node");
  } catch (error) {
    const absent = error.code === "ERR_MODULE_NOT_FOUND";
    throw new BundleError(
      absent ? "onnxruntime-node is not installed" : `onnxruntime-node cannot be used (${error.message})`,
      "npm install --ignore-scripts onnxruntime-node",
    );
  }
  return loadModel(ort.default ?? ort, (name, bytes) => readFile(folder, name, bytes), {
    intraOpNumThreads: 1,
    ...options,
  });
}

const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
const MANIFEST_LIMIT = 64 << 20;

async function readFile(folder, name, bytes) {
  let place = folder;
  try {
    // A link on the way may lead anywhere.
    for (const part of name.split("/").slice(0, -1)) {
      place = join(place, part);
      if ((await files.lstat(place)).isSymbolicLink()) throw Object.assign(new Error(), { code: "ELOOP" });
    }
    const file = await files.open(join(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const found = await file.stat();
      // What is no plain file may never end.
      if (!found.isFile()) throw Object.assign(new Error(), { code: "ENOENT" });
      if (bytes !== undefined) verifySize(name, found.size, bytes);
      else if (found.size > MANIFEST_LIMIT) throw new Error("it is far too large");
      return new Uint8Array(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof BundleError) throw error;
    const why = { ENOENT: "is not there", ENOTDIR: "is not there", ELOOP: "is a link" }[error.code] ?? `cannot be read (${error.code ?? error.message})`;
    const help = name === "manifest.json" ? "name a folder that `legoc export` wrote, such as the folder `bundle` of a run" : "copy the bundle again";
    throw new BundleError(`\`${name}\` of \`${folder}\` ${why}`, help);
  }
}
