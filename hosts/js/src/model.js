// A loaded bundle that answers. Letters: S clicks, D width, P candidates, C vectors of a user.

import { openBundle } from "./bundle.js";
import { BundleError, RequestError } from "./errors.js";
import { Graphs, pad } from "./graphs.js";
import { Items } from "./items.js";
import { Profiles, refuseProfile } from "./profiles.js";
import { top } from "./ranking.js";
import { readTensors } from "./tensors.js";
import { GOLDEN, replay, verifyTexts } from "./selftest.js";
import { decode, Reader } from "./tokens.js";
import { readCount, readId, readIds, shown } from "./values.js";

// Candidates per call of the predictor, and numbers they may gather.
const PAIRS = 8000;
const FLOATS = 4 << 20;

/**
 * Verify a bundle and load it.
 * @param ort onnxruntime-node or onnxruntime-web
 * @param {(name: string) => Promise<Uint8Array>} fetchFile gives a file of the bundle
 * @param {object} options `moment: "mean"` for models that read what was clicked when; the rest is
 *   for the sessions of onnxruntime
 */
export async function loadModel(ort, fetchFile, { moment, ...session } = {}) {
  const bundle = await openBundle(fetchFile);
  const { context } = bundle.manifest;
  if (context && moment !== "mean") {
    throw new BundleError(
      "this model reads what was clicked when, and this host counts no clicks",
      'load it with { moment: "mean" } to score as at the mean of its training, or use the Python runtime',
    );
  }
  if (!context && moment !== undefined) {
    throw new RequestError("this model does not read the moment", "leave `moment` out");
  }
  const graphs = await Graphs.open(ort, bundle, session);
  const model = new Model(bundle, graphs);
  verifyTexts(bundle, model.reader);
  return model;
}

export class Model {
  constructor(bundle, graphs) {
    const { manifest } = bundle;
    this.manifest = manifest;
    this.graphs = graphs;
    const encodes = manifest.graphs.item_encoder || (manifest.tokens && manifest.plan.layout !== "id");
    this.reader = manifest.reading ? new Reader(manifest.reading, bundle.read) : null;
    this.items = new Items(bundle, graphs, encodes ? this.reader : null);
    this.users = manifest.users ? readUsers(bundle.read(manifest.users.file), manifest.users.file) : new Map();
    this.profiles = Profiles.open(bundle);
    this.cold = readCold(bundle);
    this.neutral = (manifest.context?.numbers ?? []).map((number) => number.neutral);
    const { op } = manifest.spec.model.predict;
    this.product = op === "Dot" && manifest.plan.user === "vector" && !this.neutral.length;
    this.golden = bundle.names.includes(GOLDEN) ? bundle.read(GOLDEN) : null;
  }

  /** What the model is, in a line. */
  toString() {
    const { plan, spec } = this.manifest;
    return `legoc model ${spec.name ?? ""}: ${this.items.size} items of width ${plan.width}`;
  }

  /**
   * The user of a click history, most recent last; without clicks a user all the same.
   * @param {Iterable<string|number>} ids those the bundle does not know are left out and told
   * @param {{user?: string|number, profile?: object}} given the user's id and attributes, for models
   *   that read them
   */
  async encodeUser(ids, given = {}) {
    only(given, ["user", "profile"]);
    const names = readIds(ids, "the clicks");
    const clicks = names.filter((name) => this.items.places.has(name)).slice(-this.manifest.history);
    const unknown = names.filter((name) => !this.items.places.has(name));
    const number = given.user === undefined || given.user === null ? 0 : this.users.get(readId(given.user, "the user")) ?? 0;
    const profile = given.profile ?? null;
    if (profile !== null && this.profiles === null) throw refuseProfile(this.manifest);
    const own = this.profiles?.known(number);
    const told = profile === null ? null : this.profiles.read(profile, own);
    const nothing = !clicks.length && !number && !told?.something;
    if (nothing && this.cold.answer === "error") {
      throw new RequestError(
        "nothing is known of the user: no click on an item of the bundle",
        "give clicks the bundle knows, or export with `cold = popularity`",
      );
    }
    const rows = clicks.map((name) => this.items.places.get(name));
    const encoded = nothing && this.cold.mean ? this.cold.mean : await this.encodeRows(rows, number, told?.values ?? own);
    const about = { ignored: told?.ignored ?? [], unseen: told?.unseen ?? {} };
    return { ...encoded, clicks, unknown, known: number > 0, cold: nothing ? this.cold.answer : null, ...about };
  }

  /** `{data, dims}`: [D], [C, D], or of a target-aware model the vectors of the clicks [S, D]. */
  async encodeRows(rows, number, values) {
    const { width } = this.items;
    const user = { data: Int32Array.of(number), dims: [1] };
    const who = { user, ...this.profiles?.inputs(values) };
    if (this.items.tokens && this.manifest.plan.user !== "clicks") {
      const { ids, mask } = pad(rows.map((row) => this.items.tokens[row]));
      const dims = rows.length ? [1, ...ids.dims] : [1, 1, 1];
      const given = rows.length ? [ids.data, mask.data] : [new Int32Array(1), new Uint8Array(1)];
      const inputs = { tokens: { data: given[0], dims }, tokens_mask: { data: given[1], dims }, ...who };
      return squeezed(await this.graphs.run("user_encoder", inputs));
    }
    const data = new Float32Array(rows.length * width);
    rows.forEach((row, place) => data.set(this.items.row(row), place * width));
    if (this.manifest.plan.user === "clicks") return { data, dims: [rows.length, width] };
    const clicks = { data: rows.length ? data : new Float32Array(width), dims: [1, Math.max(rows.length, 1), width] };
    const mask = { data: new Uint8Array(clicks.dims[1]).fill(rows.length ? 1 : 0), dims: clicks.dims.slice(0, 2) };
    return squeezed(await this.graphs.run("user_encoder", { clicks, clicks_mask: mask, ...who }));
  }

  /** A logit for each candidate; the higher, the likelier a click. */
  async score(user, ids) {
    this.verifyUser(user);
    return this.scoreRows(user, this.items.rowsOf(readIds(ids, "the candidates")));
  }

  /**
   * The best items and their logits, best first. Every item is scored.
   * @param {{k?: number, exclude?: Iterable<string|number>}} asked
   * @returns {Promise<{id: string, score: number}[]>}
   */
  async recommend(user, asked = {}) {
    only(asked, ["k", "exclude"]);
    this.verifyUser(user);
    const k = readCount(asked.k ?? 10, "k");
    const left = new Set(readIds(asked.exclude ?? [], "the excluded items"));
    const [from, to] = this.items.hidden;
    const rows = [];
    for (let row = 1; row < this.items.names.length; row += 1) {
      if (!(row >= from && row < to) && !left.has(this.items.names[row])) rows.push(row);
    }
    const scores = await this.scoreRows(user, rows);
    const best = top(scores, k);
    if (rows.length && !best.length) {
      throw new BundleError("the model gives no number for any item and this user", "export it again");
    }
    return best.map((place) => ({ id: this.items.names[rows[place]], score: scores[place] }));
  }

  async scoreRows(user, rows) {
    const scores = new Float32Array(rows.length);
    if (user.cold === "popularity") {
      rows.forEach((row, place) => {
        scores[place] = Math.log1p(this.cold.clicks[row] ?? 0);
      });
      return scores;
    }
    if (this.product) {
      const { temperature = 1, bias = 0 } = this.manifest.calibration ?? {};
      const { vectors, width } = this.items;
      rows.forEach((row, place) => {
        let sum = 0;
        for (let at = 0, from = row * width; at < width; at += 1) sum += user.data[at] * vectors[from + at];
        scores[place] = sum / temperature + bias;
      });
      return scores;
    }
    const step = Math.max(1, Math.min(PAIRS, Math.floor(FLOATS / Math.max(user.data.length, 1))));
    for (let start = 0; start < rows.length; start += step) {
      scores.set(await this.predict(user, rows.slice(start, start + step)), start);
    }
    return scores;
  }

  async predict(user, rows) {
    const { width } = this.items;
    const items = new Float32Array(rows.length * width);
    rows.forEach((row, place) => items.set(this.items.row(row), place * width));
    const inputs = {
      users: { data: user.data, dims: [1, ...user.dims] },
      items: { data: items, dims: [rows.length, width] },
      owner: { data: new BigInt64Array(rows.length), dims: [rows.length] },
      context: {
        data: Float32Array.from(rows.flatMap(() => this.neutral)),
        dims: [rows.length, this.neutral.length],
      },
    };
    if (this.manifest.plan.user === "clicks") {
      const clicks = user.dims[0];
      if (!clicks) inputs.users = { data: new Float32Array(width), dims: [1, 1, width] };
      inputs.users_mask = { data: new Uint8Array(Math.max(clicks, 1)).fill(clicks ? 1 : 0), dims: [1, Math.max(clicks, 1)] };
    }
    return (await this.graphs.run("predictor", inputs)).data;
  }

  /**
   * Replay what the graphs gave when they were exported; the largest difference. BundleError where
   * it is beyond the tolerance of the certificate.
   */
  selfTest() {
    return replay(this.manifest, this.graphs, this.golden);
  }

  verifyUser(user) {
    const form = { vector: 1, many: 2, clicks: 2 }[this.manifest.plan.user];
    if (!(user?.data instanceof Float32Array) || user.dims?.length !== form) {
      throw new RequestError(`the user is ${shown(user)}`, "give what `await model.encodeUser(...)` gave");
    }
    const width = user.dims.at(-1);
    if ((this.product || this.manifest.plan.user === "clicks") && width !== this.items.width) {
      throw new RequestError(
        `the user has vectors of ${width} numbers, items have ${this.items.width}`,
        "encode it with this model",
      );
    }
  }

  /** Free what the graphs hold. */
  release() {
    return this.graphs.release();
  }
}

function readUsers(content, file) {
  try {
    return new Map(Object.entries(JSON.parse(decode(content)).values));
  } catch {
    throw new BundleError(`\`${file}\` is not a list of users`, "export the bundle again");
  }
}

/** What a user of whom nothing is known is answered. */
function readCold({ manifest, read }) {
  const { answer = "model", file } = manifest.cold ?? {};
  if (!file) return { answer };
  const tensors = readTensors(read(file), file);
  const damaged = () => new BundleError(`\`${file}\` does not hold what \`cold = ${answer}\` takes`, "export the bundle again");
  if (answer === "popularity") {
    const clicks = tensors.get("clicks");
    if (clicks?.dtype !== "I64" || clicks.data.length !== manifest.items.rows) throw damaged();
    return { answer, clicks: Array.from(clicks.data, Number) };
  }
  const user = tensors.get("user");
  if (user?.dtype !== "F32" || !user.data.every(Number.isFinite)) throw damaged();
  return { answer, mean: { data: user.data, dims: user.shape } };
}

const squeezed = ({ data, dims }) => ({ data: Float32Array.from(data), dims: dims.slice(1) });

/** An option that is misspelt must not be ignored. */
function only(given, known) {
  if (given === null || typeof given !== "object") {
    throw new RequestError(`the options are ${shown(given)}`, `give them as in { ${known[0]}: ... }`);
  }
  const strange = Object.keys(given).find((key) => !known.includes(key));
  if (strange !== undefined) {
    throw new RequestError(`there is no option \`${strange}\``, `the options are ${known.join(", ")}`);
  }
}
