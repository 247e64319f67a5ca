import type { Model, Options } from "./index.js";

export * from "./index.js";

/**
 * Verify the bundle in a folder and load it on onnxruntime-node. Rejects with BundleError for one that is damaged, unsafe,
 * of another version, or more than this host serves.
 */
export function load(folder: string, options?: Options): Promise<Model>;
