/** An id is a text, or a whole number, which means the text it is written as. */
export type Id = string | number | bigint;

/** Attributes of an item, as a table has them. */
export type Record = { id: Id } & { [attribute: string]: unknown };

/** What `encodeUser` makes of clicks; give it to `score` and `recommend`. */
export interface User {
  /** [D], [C, D], or of a target-aware model the vectors of the clicks [S, D]. */
  readonly data: Float32Array;
  readonly dims: readonly number[];
  /** The clicks that count, and those the bundle does not know. */
  readonly clicks: readonly string[];
  readonly unknown: readonly string[];
  /** Whether the user's id is known to a model that reads it. */
  readonly known: boolean;
  /** How a user of whom nothing is known is answered; null for others. */
  readonly cold: "model" | "popularity" | "mean" | null;
  /** Keys of the profile that the model does not read, and its values that training never saw. */
  readonly ignored: readonly string[];
  readonly unseen: { readonly [attribute: string]: readonly string[] };
}

export interface Best {
  readonly id: string;
  readonly score: number;
}

/** What `add` did. */
export interface Added {
  readonly added: readonly string[];
  readonly replaced: readonly string[];
  /** Ids whose record had nothing to read: they have the vector of an empty item. */
  readonly empty: readonly string[];
  /** Keys of the records that the model does not read. */
  readonly ignored: readonly string[];
  /** Values of category attributes that were not seen in training. */
  readonly unseen: { readonly [attribute: string]: readonly string[] };
}

export interface Items {
  readonly size: number;
  readonly ids: readonly string[];
  /** What the model reads of a new item; none where items are rows of a table that was trained. */
  readonly attributes: readonly string[];
  has(id: Id): boolean;
  /** A copy of an item's vector. */
  vector(id: Id): Float32Array | undefined;
  /** Encode items from raw attributes; a known id gets the new vector. Rejects with RequestError. */
  add(records: readonly Record[]): Promise<Added>;
}

export interface SelfTest {
  /** The largest difference per graph, and of all. */
  readonly differences: { readonly [graph: string]: number };
  readonly difference: number;
  readonly outputs: number;
  readonly tolerance: number;
}

export interface Model {
  /** The manifest as it is written. */
  readonly manifest: { readonly [key: string]: any };
  readonly items: Items;
  /** Clicks, most recent last. Rejects with RequestError. */
  encodeUser(clicks: Iterable<Id>, given?: { user?: Id; profile?: { [attribute: string]: unknown } }): Promise<User>;
  /** A logit for each candidate. Rejects with RequestError where one is not among the items. */
  score(user: User, candidates: Iterable<Id>): Promise<Float32Array>;
  /** The best items, best first; every item is scored. */
  recommend(user: User, asked?: { k?: number; exclude?: Iterable<Id> }): Promise<Best[]>;
  /** Replays what the graphs gave when they were exported. Rejects with BundleError. */
  selfTest(): Promise<SelfTest>;
  /** Free what the graphs hold. */
  release(): Promise<void>;
  toString(): string;
}

export interface Options {
  /** For models that read what was clicked when: score as at the mean of their training. */
  moment?: "mean";
  /** Everything else is for the sessions of onnxruntime. */
  [option: string]: unknown;
}

/** Of a bundle that is damaged, unsafe or more than this host serves. */
export class BundleError extends Error {
  readonly help: string;
}

/** Of a call that the model cannot serve. */
export class RequestError extends Error {
  readonly help: string;
}
