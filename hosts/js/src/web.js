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
