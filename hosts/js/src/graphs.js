// The graphs of a bundle. Letters: I items, U users, S clicks, D width, P pairs, L tokens.

import { BundleError } from "./errors.js";

const TYPES = { int64: "int64", bool: "bool", float32: "float32" };

/** Sessions by name, run one after the other: some builds of onnxruntime refuse runs side by side. */
export class Graphs {
  static async open(ort, bundle, options) {
    const sessions = new Map();
    for (const [name, graph] of Object.entries(bundle.manifest.graphs)) {
      const folder = graph.file.slice(0, graph.file.lastIndexOf("/") + 1);
      const graphs = Object.values(bundle.manifest.graphs).map((each) => each.file);
      const beside = bundle.names.filter((file) => folder && file.startsWith(folder) && !graphs.includes(file));
      let session;
      try {
        session = await ort.InferenceSession.create(bundle.read(graph.file), {
          graphOptimizationLevel: "basic",
          ...options,
          ...(beside.length && {
            externalData: beside.map((file) => ({ path: file.slice(folder.length), data: bundle.read(file) })),
          }),
        });
      } catch (error) {
        throw new BundleError(`\`${graph.file}\` cannot be opened (${error.message})`, "export the bundle again");
      }
      const declared = graph.inputs.map((port) => port.name).sort().join();
      if ([...session.inputNames].sort().join() !== declared) {
        throw new BundleError(
          `\`${graph.file}\` reads ${session.inputNames.join(", ")}, the manifest says ${declared}`,
          "export the bundle again",
        );
      }
      sessions.set(name, session);
    }
    return new Graphs(ort, bundle.manifest.graphs, sessions);
  }

  constructor(ort, graphs, sessions) {
    this.ort = ort;
    this.graphs = graphs;
    this.sessions = sessions;
    this.last = Promise.resolve();
  }

  /**
   * Run a graph on `{name: {data, dims}}`; numbers become what it declares.
   * @returns {Promise<{data: Float32Array, dims: number[]}>} its output
   */
  run(name, inputs) {
    const graph = this.graphs[name];
    const feeds = {};
    for (const port of graph.inputs) {
      const { data, dims } = inputs[port.name];
      feeds[port.name] = new this.ort.Tensor(TYPES[port.dtype], cast(port.dtype, data), dims);
    }
    const turn = this.last.then(async () => {
      const outputs = await this.sessions.get(name).run(feeds);
      const output = outputs[graph.outputs[0].name];
      return { data: output.data, dims: output.dims };
    });
    this.last = turn.catch(() => {});
    return turn;
  }

  /** Free what the sessions hold. */
  async release() {
    await this.last;
    for (const session of this.sessions.values()) await session.release?.();
  }
}

function cast(dtype, data) {
  if (dtype === "int64") return data instanceof BigInt64Array ? data : BigInt64Array.from(data, BigInt);
  if (dtype === "bool") return data instanceof Uint8Array ? data : Uint8Array.from(data, Number);
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

/** Rows of ids padded on the right, at least one wide, with their mask: `[I, L]` each. */
export function pad(rows, padding = 0) {
  const width = Math.max(1, ...rows.map((row) => row.length));
  const data = new Int32Array(rows.length * width).fill(padding);
  const mask = new Uint8Array(rows.length * width);
  rows.forEach((row, place) => {
    data.set(row, place * width);
    mask.fill(1, place * width, place * width + row.length);
  });
  const dims = [rows.length, width];
  return { ids: { data, dims }, mask: { data: mask, dims } };
}
