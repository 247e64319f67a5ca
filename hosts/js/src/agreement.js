// What is asked of a manifest before anything is opened: its form, and that its parts belong together.

import { BundleError } from "./errors.js";

const FORMAT = /^legoc-bundle\/(\d{1,9})(?:\.\d+)*$/;
const MAJOR = 1;
const TYPES = ["int64", "bool", "float32"];
const ANSWERS = ["model", "popularity", "mean", "error"];

/** Throws BundleError for a manifest that this host cannot follow. */
export function verifyManifest(said) {
  const damaged = (why) => new BundleError(`manifest.json ${why}`, "export the bundle again");
  // First, so that a bundle of another version is told so and not that it is damaged.
  const format = FORMAT.exec(typeof said?.format === "string" ? said.format : "");
  if (!format) throw damaged("has no format of bundles");
  if (Number(format[1]) !== MAJOR) {
    throw new BundleError(
      `the bundle has the format ${said.format}, this host reads legoc-bundle/${MAJOR}`,
      "install the version of legoc-js that belongs to the bundle",
    );
  }
  // Its texts have words around them that this host would leave out.
  if (said.reading?.prompt) {
    throw new BundleError(
      "the model of this bundle reads prompts, and this host does not lay them out",
      "use the Python runtime, or a bundle of another model",
    );
  }
  const wrong = Object.entries(FORM).find(([key, holds]) => !holds(said[key]))?.[0];
  if (wrong) throw damaged(`is not of the form legoc-bundle/${MAJOR}: \`${wrong}\``);
  const reason = findDisagreement(said);
  if (reason) throw damaged(`is not of the form legoc-bundle/${MAJOR}: ${reason}`);
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isCount = (value) => Number.isSafeInteger(value) && value >= 1;
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const orNothing = (holds) => (value) => value === undefined || value === null || holds(value);
const names = (value) => isObject(value) && typeof value.file === "string";

const isPort = (port) =>
  isObject(port) && typeof port.name === "string" && TYPES.includes(port.dtype) && Array.isArray(port.dims) &&
  port.dims.every((dim) => typeof dim === "string" || Number.isSafeInteger(dim));
const isGraph = (graph) =>
  names(graph) && [graph.inputs, graph.outputs].every((ports) => Array.isArray(ports) && ports.length && ports.every(isPort)) &&
  graph.outputs.length === 1;
const isPart = (part) =>
  isObject(part) &&
  (Array.isArray(part.ids) || typeof part.text === "string" ||
    (typeof part.name === "string" && isCount(part.length) && typeof (part.tokenizer ?? part.vocabulary) === "string"));

const FORM = {
  graphs: (value) =>
    isObject(value) && value.predictor !== undefined && Object.values(value).every(isGraph) &&
    Object.keys(value).every((name) => ["item_encoder", "user_encoder", "predictor"].includes(name)),
  plan: (value) => isObject(value) && isCount(value.width) && ["vector", "many", "clicks"].includes(value.user),
  history: isCount,
  items: (value) => names(value) && isCount(value.rows) && (value.generated ?? 0) >= 0 && (value.generated ?? 0) < value.rows,
  files: (value) => isObject(value) && Object.values(value).every((entry) => isObject(entry) && typeof entry.sha256 === "string"),
  spec: (value) => typeof value?.model?.predict?.op === "string",
  reading: orNothing((value) =>
    isObject(value) && ["fields", "sequence"].includes(value.layout) && isCount(value.rows) && Array.isArray(value.parts) &&
    value.parts.length > 0 && value.parts.every(isPart) &&
    ["padding", "unknown", "separator"].every((key) => Number(value[key] ?? 0) >= 0 && Number(value[key] ?? 0) < value.rows)),
  users: orNothing(names),
  profile: orNothing((value) =>
    names(value) && isObject(value.reading) && isCount(value.reading.rows) && Array.isArray(value.reading.parts) &&
    value.reading.parts.length > 0 && value.reading.parts.every((part) => isPart(part) && part.name !== undefined)),
  tokens: orNothing(names),
  context: orNothing((value) => Array.isArray(value.numbers) && value.numbers.every((number) => isNumber(number?.neutral))),
  calibration: orNothing((value) => value.temperature > 0 && isNumber(value.bias)),
  cold: orNothing((value) => ANSWERS.includes(value.answer)),
  probes: orNothing((value) => isObject(value) && orNothing((text) => typeof text === "string")(value.texts)),
};

/** What of a manifest does not fit to another part of it, or nothing. */
function findDisagreement({ plan, graphs, reading, context, files, items, users, tokens, cold, probes, profile }) {
  if (plan.user !== "clicks" && !graphs.user_encoder) return "no graph user_encoder";
  if (graphs.item_encoder && !reading) return "an item encoder without a reading";
  if (plan.reads_user && !users) return "a user encoder that reads users, and no list of them";
  const parts = reading?.parts ?? [], told = profile?.reading.parts ?? [];
  const named = [
    ...[...Object.values(graphs), items, users, tokens, cold, profile].map((part) => part?.file),
    probes?.texts, ...[...parts, ...told].flatMap((part) => [part.tokenizer, part.vocabulary]),
  ];
  const lost = named.find((file) => typeof file === "string" && !Object.hasOwn(files, file));
  if (lost !== undefined) return `\`${lost}\` has no hash`;
  const attributes = parts.filter((part) => part.name !== undefined).map((part) => part.name);
  const read = reading?.layout === "fields" ? attributes : ["tokens"];
  const given = {
    item_encoder: withMasks(read),
    user_encoder: [
      ...withMasks([tokens ? "tokens" : "clicks", ...told.map((part) => `profile_${part.name}`)]),
      ...(plan.reads_user ? ["user"] : []),
    ],
    predictor: ["users", "items", "owner", ...(plan.user === "clicks" ? ["users_mask"] : []), ...(context ? ["context"] : [])],
  };
  for (const [name, graph] of Object.entries(graphs)) {
    const strange = graph.inputs.find((port) => !given[name].includes(port.name));
    if (strange) return `\`graphs.${name}\` reads ${strange.name}, which nothing gives it`;
  }
  return null;
}

const withMasks = (ports) => ports.flatMap((name) => [name, `${name}_mask`]);
