import type { Model, Options } from "./index.js";

export * from "./index.js";

/** Gives a file of a bundle by its name. */
export type Source = (name: string) => Promise<Uint8Array>;

/**
 * Verify a bundle and load it. Rejects with BundleError as in Node.
 * @param ort onnxruntime-web, best its build `onnxruntime-web/wasm`
 * @param source the address of the bundle's folder, or a function that gives its files
 */
export function load(ort: unknown, source: string | URL | Source, options?: Options): Promise<Model>;

/** The source of a bundle that a person has chosen with `<input type="file" webkitdirectory>`. Throws BundleError. */
export function fromFiles(files: Iterable<File>): Source;
