// How an item becomes ids, as `legoc_runtime.tokens` does it: see there for what a reading is.

import { Tokenizer } from "@huggingface/tokenizers";

import { readAlike } from "./alike.js";
import { BundleError } from "./errors.js";
import { byLetters, notationOf, readCategories, readNumber, readText } from "./values.js";

/** Reads records into ids; `read` gives the bytes of a file of the bundle. */
export class Reader {
  constructor(reading, read) {
    const tokenizers = new Map();
    const words = (file) => {
      if (!tokenizers.has(file)) tokenizers.set(file, new Words(file, read(file)));
      return tokenizers.get(file);
    };
    this.layout = reading.layout;
    this.rows = reading.rows;
    this.unknown = reading.unknown;
    this.padding = reading.padding;
    this.separator = reading.separator ?? null;
    this.parts = reading.parts.map((part) => openPart(part, words, read, reading.rows));
    const shared = tokenizers.values().next().value;
    for (const part of this.parts) {
      if (part.text !== undefined) part.ids = (part.words ?? shared).encode(part.text);
    }
    this.given = this.parts.filter((part) => part.name !== undefined);
    this.attributes = this.given.map((part) => part.name);
  }

  /**
   * The ids of each record by matrix: the attributes for the layout `fields`, `tokens` for
   * `sequence`.
   * @returns {Map<string, number[][]>}
   */
  read(records, layout = this.layout) {
    const found = this.given.map((part) =>
      records.map((record) => this.within(part, part.read(own(record, part.name), this.unknown))),
    );
    if (layout === "fields") {
      return new Map(this.given.map((part, place) => [part.name, found[place]]));
    }
    const rows = records.map((_, row) => {
      if (!found.some((ids) => ids[row].length)) return [];
      let next = 0;
      return this.parts.flatMap((part) => {
        if (part.name === undefined) return this.within(part, part.ids);
        const ids = found[next++][row];
        return ids.length && this.separator !== null ? [...ids, this.separator] : ids;
      });
    });
    return new Map([["tokens", rows]]);
  }

  /** The values of category attributes that have no id of their own, by attribute. */
  unseen(records) {
    const found = {};
    for (const part of this.given.filter((each) => each.values)) {
      const strange = records
        .flatMap((record) => readCategories(part.name, own(record, part.name), part.notation))
        .filter((value) => !part.values.has(value));
      if (strange.length) found[part.name] = [...new Set(strange)].sort(byLetters);
    }
    return found;
  }

  within(part, ids) {
    if (ids.some((place) => place >= this.rows)) {
      throw new BundleError(
        `the tokenizer of \`${part.name ?? part.text}\` has ids beyond the ${this.rows} rows of the token table`,
        "use the tokenizer the model was trained with",
      );
    }
    return ids;
  }
}

/** An attribute of a record, which may be called as something that every object has. */
const own = (record, name) => (Object.hasOwn(record, name) ? record[name] : undefined);

/** A tokenizer.json. */
class Words {
  constructor(file, content) {
    this.file = file;
    try {
      const said = JSON.parse(decode(content));
      // Lengths are those of the reading; the library takes the unknown token from its settings.
      this.tokenizer = new Tokenizer(
        { ...readAlike(said), padding: null, truncation: null },
        { unk_token: said.model?.unk_token ?? undefined },
      );
    } catch (error) {
      throw new BundleError(`\`${file}\` is not a tokenizer (${error.message})`, "export the bundle again");
    }
  }

  /** The ids of a text, without special tokens. */
  encode(text) {
    if (!text) return [];
    return this.tokenizer.encode(text.toWellFormed(), { add_special_tokens: false }).ids.map(Number);
  }
}

function openPart(part, words, read, rows) {
  if (part.ids !== undefined) return { ids: part.ids };
  if (part.text !== undefined) {
    return { text: part.text, words: part.tokenizer && words(part.tokenizer) };
  }
  const { name, kind, length } = part;
  const notation = notationOf(part);
  if (part.tokenizer !== undefined) {
    const file = words(part.tokenizer);
    return { name, notation, read: (value) => file.encode(writeValue(name, kind, value, notation)).slice(0, length) };
  }
  const damaged = (why) => new BundleError(`\`${part.vocabulary}\` ${why}`, "export the bundle again");
  let content;
  try {
    content = JSON.parse(decode(read(part.vocabulary)));
  } catch {
    throw damaged("is not JSON");
  }
  if (kind === "category") {
    const values = new Map(Object.entries(content.values ?? {}));
    if ([...values.values()].some((id) => !(Number.isSafeInteger(id) && id >= 0 && id < rows))) {
      throw damaged(`has ids beyond the ${rows} rows`);
    }
    const idsOf = (value, unknown) =>
      readCategories(name, value, notation).slice(0, length).map((one) => values.get(one) ?? unknown);
    return { name, notation, values, read: idsOf };
  }
  const { edges, first } = content;
  if (kind !== "number" || !Array.isArray(edges) || !(first >= 0 && first + edges.length < rows)) {
    throw damaged(`does not say how \`${name}\` is read`);
  }
  return {
    name, notation,
    read: (value) => {
      const number = readNumber(name, value, notation);
      return number === null ? [] : [first + binOf(edges, number)];
    },
  };
}

/** What a category or a number says is told first, so that all ways to write it are one text. */
function writeValue(name, kind, value, notation) {
  if (kind === "category") value = readCategories(name, value, notation);
  else if (kind === "number") value = readNumber(name, value, notation);
  return readText(name, value, notation);
}

/** How many edges are below or equal to a number. */
function binOf(edges, number) {
  let low = 0, high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= number) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const decode = (content) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
