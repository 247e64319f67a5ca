// legoc-js in the browser: a bundle is a folder on a web server, or files a person has chosen.

import { BundleError } from "./errors.js";
import { loadModel } from "./model.js";

export { BundleError, RequestError } from "./errors.js";

/**
 * Verify a bundle and load it. The options are those of `loadModel`.
 * @param ort onnxruntime-web, best its build `onnxruntime-web/wasm`: 14 MB, and it queues runs
 * @param {string | URL | ((name: string) => Promise<Uint8Array>)} source the folder's address, or a
 *   function that gives a file by its name
 */
export function load(ort, source, options = {}) {
  const fetchFile = typeof source === "function" ? source : (name) => download(source, name);
  return loadModel(ort, fetchFile, { executionProviders: ["wasm"], ...options });
}

/**
 * The source of a bundle that a person has chosen: `load(ort, fromFiles(input.files))`.
 * @param {Iterable<File>} files of `<input type="file" webkitdirectory>`, the folder itself or one
 *   around it
 */
export function fromFiles(files) {
  const every = Array.from(files, (file) => [file.webkitRelativePath || file.name, file]);
  const manifests = every.map(([path]) => path).filter((path) => /(^|\/)manifest\.json$/.test(path));
  if (!manifests.length) {
    throw new BundleError("there is no manifest.json among the files", "choose the folder `bundle` of a run");
  }
  const folder = manifests.sort((one, two) => one.length - two.length)[0].slice(0, -"manifest.json".length);
  const found = new Map(every);
  return async (name) => {
    const file = found.get(folder + name);
    if (!file) throw new BundleError(`\`${name}\` is not among the files`, "choose the folder with all its files");
    return new Uint8Array(await file.arrayBuffer());
  };
}

async function download(base, name) {
  const folder = new URL(String(base).replace(/\/?$/, "/"), globalThis.location?.href);
  const path = name.split("/").map(encodeURIComponent).join("/");
  let answer;
  try {
    answer = await fetch(new URL(path, folder));
  } catch (error) {
    throw new BundleError(`\`${name}\` cannot be fetched (${error.message})`, "look at the address of the bundle");
  }
  if (!answer.ok) throw new BundleError(`\`${name}\` cannot be fetched (${answer.status})`, "look at the address of the bundle");
  return new Uint8Array(await answer.arrayBuffer());
}
