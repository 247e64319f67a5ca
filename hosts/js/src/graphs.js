// The graphs of a bundle. Letters: I items, U users, S clicks, D width, P pairs, L tokens.

import { BundleError } from "./errors.js";

const AGAIN = "export the bundle again";

// What runs last in each onnxruntime. Some of its builds refuse a run beside another, even of
// another session, so all models of a page stand in one queue.
const last = new WeakMap();

function inTurn(ort, work) {
  const turn = (last.get(ort) ?? Promise.resolve()).then(work);
  last.set(ort, turn.catch(() => {}));
  return turn;
}

/** Sessions by name, run one after the other. */
export class Graphs {
  static async open(ort, bundle, options) {
    const sessions = new Map();
    const every = Object.entries(bundle.manifest.graphs);
    const files = every.map(([, graph]) => graph.file);
    for (const [name, graph] of every) {
      const folder = graph.file.slice(0, graph.file.lastIndexOf("/") + 1);
      const beside = bundle.names.filter((file) => folder && file.startsWith(folder) && !files.includes(file));
      const externalData = beside.map((file) => ({ path: file.slice(folder.length), data: bundle.read(file) }));
      let session;
      try {
        session = await inTurn(ort, () =>
          ort.InferenceSession.create(bundle.read(graph.file), {
            graphOptimizationLevel: "basic",
            logSeverityLevel: 3,
            ...options,
            ...(externalData.length && { externalData }),
          }),
        );
      } catch (error) {
        throw new BundleError(`\`${graph.file}\` cannot be opened (${error.message})`, AGAIN);
      }
      verifyPorts(graph, session);
      sessions.set(name, session);
    }
    return new Graphs(ort, bundle.manifest.graphs, sessions);
  }

  constructor(ort, graphs, sessions) {
    this.ort = ort;
    this.graphs = graphs;
    this.sessions = sessions;
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
      feeds[port.name] = new this.ort.Tensor(port.dtype, cast(port.dtype, data), dims);
    }
    return inTurn(this.ort, async () => {
      const outputs = await this.sessions.get(name).run(feeds);
      const { data, dims } = outputs[graph.outputs[0].name];
      return { data, dims };
    });
  }

  /** Free what the sessions hold, once what runs is done. */
  release() {
    return inTurn(this.ort, async () => {
      for (const session of this.sessions.values()) await session.release?.();
    });
  }
}

/** The graph takes and gives what the manifest says. */
function verifyPorts(graph, session) {
  const differs = (what, found, said) => {
    throw new BundleError(`${what} of \`${graph.file}\` ${found}, the manifest says ${said}`, AGAIN);
  };
  const sides = [
    ["inputs", graph.inputs, session.inputNames, session.inputMetadata],
    ["outputs", graph.outputs, session.outputNames, session.outputMetadata],
  ];
  for (const [side, ports, names, metadata] of sides) {
    const declared = ports.map((port) => port.name).sort().join(", ");
    const found = [...names].sort().join(", ");
    if (found !== declared) differs(`the ${side}`, `are ${found}`, declared);
    for (const port of ports) {
      const { type, shape } = metadata?.find((each) => each.name === port.name) ?? {};
      if (type === undefined) continue;
      if (type !== port.dtype) differs(`\`${port.name}\``, `is ${type}`, port.dtype);
      const fixed = (dims) => `[${dims.map((dim) => (typeof dim === "number" && dim >= 0 ? dim : "*")).join(", ")}]`;
      if (fixed(shape) !== fixed(port.dims)) differs(`\`${port.name}\``, `has the dimensions ${fixed(shape)}`, fixed(port.dims));
    }
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
