// The items of a bundle: ids, vectors, and new ones from raw content. Row 0 is padding.

import { BundleError, RequestError } from "./errors.js";
import { pad } from "./graphs.js";
import { readTensors } from "./tensors.js";
import { decode } from "./tokens.js";
import { byLetters, readId, shown } from "./values.js";

const AT_ONCE = 128;

export class Items {
  constructor(bundle, graphs, reader) {
    const { manifest } = bundle;
    const { file, rows } = manifest.items;
    this.graphs = graphs;
    this.reader = reader;
    this.width = manifest.plan.width;
    this.rows = rows;
    const tensors = readTensors(bundle.read(file), file);
    const damaged = (why) => new BundleError(`\`${file}\` ${why}`, "export the bundle again");
    const vectors = tensors.get("vectors");
    if (vectors?.dtype !== "F32" || String(vectors.shape) !== String([rows, this.width])) {
      throw damaged(`does not hold ${rows} vectors of width ${this.width}`);
    }
    if (vectors.data.subarray(0, this.width).some((value) => value !== 0)) throw damaged("has a row 0 that is not zero");
    this.vectors = vectors.data;
    this.names = readNames(tensors.get("ids"), tensors.get("offsets"), rows, damaged);
    this.places = new Map(this.names.map((name, place) => [name, place]));
    if (this.places.size !== rows) throw damaged("has an id twice");
    this.places.delete("");
    // Items that a language model made up for histories are recommended to nobody.
    this.hidden = [rows - (manifest.items.generated ?? 0), rows];
    this.tokens = null;
    if (manifest.tokens) {
      const found = readTensors(bundle.read(manifest.tokens.file), manifest.tokens.file);
      this.tokens = readRows(found.get("tokens"), found.get("lengths"), rows, manifest.tokens.file);
    }
  }

  /** How many items there are. */
  get size() {
    return this.names.length - 1;
  }

  /** Their ids, in the order of the rows. */
  get ids() {
    return this.names.slice(1);
  }

  /** The attributes that the model reads of a new item; none where items are rows of a table. */
  get attributes() {
    return this.reader === null ? [] : [...this.reader.attributes];
  }

  /** Whether an item is known. */
  has(id) {
    return this.places.has(readId(id));
  }

  /** A copy of an item's vector, or undefined. */
  vector(id) {
    const row = this.places.get(readId(id));
    return row === undefined ? undefined : this.row(row).slice();
  }

  row(place) {
    return this.vectors.subarray(place * this.width, (place + 1) * this.width);
  }

  /** The rows of candidates; RequestError where one is not among the items. */
  rowsOf(ids) {
    const unknown = ids.filter((id) => !this.places.has(id));
    if (unknown.length) {
      throw new RequestError(
        `${unknown.length} of ${ids.length} candidates are not among the items: ${unknown.slice(0, 3).join(", ")}`,
        "add them from their content with `items.add`, or leave them out",
      );
    }
    return ids.map((id) => this.places.get(id));
  }

  /**
   * Encode items from raw attributes and put them into the table; a known id gets the new vector.
   * @param {object[]} records each with `id` and at least one attribute that the model reads
   */
  async add(records) {
    if (!Array.isArray(records)) {
      throw new RequestError(`the records are ${shown(records)}, not a list`, 'give a list: [{id: "X1", ...}]');
    }
    if (this.reader === null) {
      throw new RequestError(
        "items of this model are rows of a table that was trained; it has no row for a new one",
        "train a model that reads the items' content to add items",
      );
    }
    const names = records.map((record) => this.verified(record));
    const twice = names.find((name, place) => names.indexOf(name) !== place);
    if (twice !== undefined) throw new RequestError(`\`${twice}\` is given twice`, "give each item once");
    const { vectors, lengths } = await this.encode(records);
    const tokens = this.tokens && this.reader.read(records, "sequence").get("tokens");
    const fresh = names.filter((name) => !this.places.has(name));
    const space = this.roomFor(fresh.length);
    const added = [], replaced = [];
    names.forEach((name, place) => {
      const known = this.places.get(name);
      const row = known ?? this.names.length;
      space.set(vectors.subarray(place * this.width, (place + 1) * this.width), row * this.width);
      if (tokens) this.tokens[row] = tokens[place];
      if (known !== undefined) return void replaced.push(name);
      this.names.push(name);
      this.places.set(name, row);
      added.push(name);
    });
    this.vectors = space;
    const read = new Set(["id", ...this.reader.attributes]);
    return {
      added, replaced,
      empty: names.filter((_, place) => !lengths[place]),
      ignored: [...new Set(records.flatMap((record) => Object.keys(record)))].filter((key) => !read.has(key)).sort(byLetters),
      unseen: this.reader.unseen(records),
    };
  }

  /** The vectors with room for so many more; it doubles, so that items added singly cost little. */
  roomFor(count) {
    const needed = (this.names.length + count) * this.width;
    if (needed <= this.vectors.length) return this.vectors;
    const space = new Float32Array(Math.max(needed, 2 * this.vectors.length));
    space.set(this.vectors);
    return space;
  }

  verified(record) {
    if (record === null || typeof record !== "object" || Array.isArray(record)) {
      throw new RequestError(`a record is ${shown(record)}`, 'give each as in {id: "X1", ...}');
    }
    if (record.id === undefined || record.id === null || record.id === "") {
      throw new RequestError("a record has no `id`", 'give each one, as in {id: "X1", ...}');
    }
    const name = readId(record.id, "the `id` of a record");
    if (!this.reader.attributes.some((attribute) => Object.hasOwn(record, attribute))) {
      throw new RequestError(
        `the record \`${name}\` has none of the attributes the model reads`,
        `give at least one of ${this.reader.attributes.join(", ")}`,
      );
    }
    return name;
  }

  /** Vectors [I, D] of records end to end, and how many tokens each has in all. */
  async encode(records) {
    const matrices = this.reader.read(records);
    const lengths = records.map((_, row) => [...matrices.values()].reduce((sum, rows) => sum + rows[row].length, 0));
    const vectors = new Float32Array(records.length * this.width);
    // Items of like length together: what a block is padded to is its longest.
    const order = records.map((_, row) => row).sort((one, two) => lengths[one] - lengths[two] || one - two);
    for (let start = 0; start < order.length; start += AT_ONCE) {
      const block = order.slice(start, start + AT_ONCE);
      const { data } = await this.runEncoder(matrices, block);
      block.forEach((row, place) => {
        vectors.set(data.subarray(place * this.width, (place + 1) * this.width), row * this.width);
      });
    }
    const broken = records.findIndex((_, row) =>
      !vectors.subarray(row * this.width, (row + 1) * this.width).every(Number.isFinite));
    if (broken >= 0) {
      throw new RequestError(`the model makes no finite vector of \`${records[broken].id}\``, "leave it out, or export the model again");
    }
    return { vectors, lengths };
  }

  runEncoder(matrices, block) {
    const inputs = {};
    for (const [name, rows] of matrices) {
      const { ids, mask } = pad(block.map((row) => rows[row]), this.reader.padding);
      inputs[name] = ids;
      inputs[`${name}_mask`] = mask;
    }
    if (this.graphs.graphs.item_encoder) return this.graphs.run("item_encoder", inputs);
    // A model that only flattens encodes an item as a history of one click.
    const { data, dims } = inputs.tokens;
    const once = [dims[0], 1, dims[1]];
    const user = { data: new Int32Array(dims[0]), dims: [dims[0]] };
    const mask = { data: inputs.tokens_mask.data, dims: once };
    return this.graphs.run("user_encoder", { tokens: { data, dims: once }, tokens_mask: mask, user });
  }
}

function readNames(ids, offsets, rows, damaged) {
  if (ids?.dtype !== "U8" || offsets?.dtype !== "I64" || String(offsets.shape) !== String([rows + 1])) {
    throw damaged("has no ids");
  }
  const places = Array.from(offsets.data, Number);
  const sound = places[0] === 0 && places[rows] === ids.data.length && places.every((at, n) => n === 0 || at >= places[n - 1]);
  if (!sound) throw damaged("is damaged (the offsets of its ids do not fit)");
  try {
    return Array.from({ length: rows }, (_, row) => decode(ids.data.subarray(places[row], places[row + 1])));
  } catch {
    throw damaged("has ids that are not UTF-8");
  }
}

function readRows(tokens, lengths, rows, file) {
  const width = tokens?.shape[1];
  const sound = tokens?.dtype === "I32" && lengths?.dtype === "I32" && tokens.shape.length === 2 &&
    tokens.shape[0] === rows && lengths.data.length === rows && lengths.data.every((n) => n >= 0 && n <= width);
  if (!sound) throw new BundleError(`\`${file}\` does not hold the tokens of ${rows} items`, "export the bundle again");
  return Array.from(lengths.data, (length, row) => Array.from(tokens.data.subarray(row * width, row * width + length)));
}
