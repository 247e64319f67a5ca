// What one value of a record means: a text, categories, a number, an id. The same values are the
// same tokens as in `legoc_runtime.values` and `legoc_runtime.lists`, which say why.

import { RequestError } from "./errors.js";
import { readNested } from "./literals.js";

// What Python calls white space, which is not what JavaScript does.
const BLANK = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const BEFORE = new RegExp(`^[${BLANK}]+`, "u");
const AFTER = new RegExp(`[${BLANK}]+$`, "u");
const BLANKS = new RegExp(`[${BLANK}]+`, "u");
const NUMBER = /^[+-]?(?:\p{Nd}+(?:\.\p{Nd}*)?|\.\p{Nd}+)(?:[eE][+-]?\p{Nd}+)?$/u;
const THOUSANDS = /^[+-]?\p{Nd}{1,3}(?:\.\p{Nd}{3})+(?:,\p{Nd}+)?$/u;
const POINT = /^([+-]?\p{Nd}+)\.0+$/u;
const PIECE = new RegExp(
  `[${BLANK}]*(?:"(?<double>(?:[^"\\\\]|\\\\[^])*)"|'(?<single>(?:[^'\\\\]|\\\\[^])*)'` +
    `|(?<bare>[^${BLANK},'"\\[(][^,]*))[${BLANK}]*(?<comma>,?)`,
  "uy",
);
const ESCAPE = /\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[^])/gu;
const SIGNS = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };
const NONE = new Set(["None", "null", "nan", "NaN", "<NA>"]);
const NOTHING = new Set([
  "", "-", "--", "na", "n/a", "#n/a", "nan", "nat", "null", "none", "nil", "\\n", "<na>",
]);
const BEGUN = new RegExp(`^[\\[(]+[${BLANK}]*['"]`, "u");
const LARGEST = 1e308;

/** The text without white space around it. */
export const strip = (text) => text.replace(BEFORE, "").replace(AFTER, "");

/** The parts of a text between white space. */
export const split = (text) => strip(text).split(BLANKS).filter((part) => part !== "");

/**
 * How the texts of a column are written.
 * @param {{between?: string|null, decimal?: string, missing?: string[]}} part of a reading
 */
export const notationOf = (part) => ({
  separator: part.between ?? null,
  decimal: part.decimal ?? ".",
  missing: new Set(part.missing ?? []),
});

/** A value with halves of characters replaced, and what is missing as null. */
function plain(name, value) {
  if (typeof value === "string") return value.toWellFormed();
  if (value === undefined || value === null) return null;
  if (typeof value === "number") return Number.isNaN(value) ? null : value;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value);
  if (value instanceof Set) return [...value];
  return value;
}

function isMissing(given, notation) {
  const value = plain("", given);
  if (typeof value === "string") return value === "" || notation.missing.has(strip(value));
  return value === null || (Array.isArray(value) && value.length === 0);
}

/** A text; several values are joined by commas and numbers written out. Missing is empty. */
export function readText(name, given, notation) {
  const value = plain(name, given);
  if (isMissing(value, notation)) return "";
  if (typeof value === "string") {
    const several = readList(value, { quoted: true });
    return several === null ? value : readText(name, several, notation);
  }
  if (Array.isArray(value)) {
    return value.map((part) => readText(name, part, notation)).filter((text) => text).join(", ");
  }
  return write(name, value, "a text", "give it in quotes");
}

/** The values of a category attribute. */
export function readCategories(name, given, notation) {
  const value = plain(name, given);
  if (isMissing(value, notation)) return [];
  if (typeof value === "string") {
    let several = readList(value);
    if (several === null && notation.separator !== null) {
      const between = strip(notation.separator);
      const parts = between ? value.split(between) : split(value);
      if (parts.length > 1) several = parts;
    }
    if (several !== null) return readCategories(name, several, notation);
    let text = strip(value);
    if (BEGUN.test(text)) {
      throw new RequestError(
        `\`${name}\` is '${text.slice(0, 40)}', a list that cannot be read`,
        'write it as ["a", "b"], or as text with one separator',
      );
    }
    if (["True", "False", "TRUE", "FALSE"].includes(text)) text = text.toLowerCase();
    const whole = POINT.exec(text);
    return text ? [whole ? whole[1] : text] : [];
  }
  if (Array.isArray(value)) return value.flatMap((part) => readCategories(name, part, notation));
  if (typeof value === "boolean") return [value ? "true" : "false"];
  return [write(name, value, "a category", "give a text or a list of texts")];
}

/** A number, or null where it is missing. */
export function readNumber(name, given, notation) {
  const value = plain(name, given);
  if (typeof value === "string") {
    let text = strip(value);
    if (NOTHING.has(text.toLowerCase()) || notation.missing.has(text)) return null;
    if (notation.decimal !== ".") {
      // The point then stands between thousands, or nowhere.
      text = text.replaceAll(".", THOUSANDS.test(text) ? "" : "?");
      text = text.replaceAll(notation.decimal, ".");
    }
    if (NUMBER.test(text)) return Number(withPlainDigits(text));
  } else if (isMissing(value, notation)) {
    return null;
  } else if ((typeof value === "number" || typeof value === "bigint") && Math.abs(Number(value)) < LARGEST) {
    return Number(value);
  }
  throw new RequestError(`\`${name}\` is ${shown(value)}, not a number`, "give a number such as 9.5");
}

/** The order of texts by their letters, as Python sorts them, where JavaScript goes by halves of letters. */
export function byLetters(one, two) {
  const [first, second] = [Array.from(one), Array.from(two)];
  const at = first.findIndex((letter, place) => letter !== second[place]);
  return at < 0 || at >= second.length ? first.length - second.length : first[at].codePointAt(0) - second[at].codePointAt(0);
}

/** The text of an id: a text itself, a whole number as it is written. */
export function readId(value, what = "an id") {
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  throw new RequestError(`${what} is ${shown(value)}`, "give a text or a whole number");
}

/** A list of ids, as texts. */
export function readIds(values, what) {
  if (typeof values === "string" || values === null || typeof values?.[Symbol.iterator] !== "function" || values instanceof Map) {
    throw new RequestError(`${what} are ${shown(values)}, not a list`, 'give a list: ["N1", "N2"]');
  }
  return Array.from(values, (value) => readId(value, `one of ${what}`));
}

/** A whole number from 1. */
export function readCount(value, what) {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RequestError(`${what} is ${shown(value)}`, "give a whole number of at least 1");
}

/** A value for a message, cut where it is long. */
export function shown(value) {
  let text;
  try {
    text = typeof value === "bigint" ? String(value) : JSON.stringify(value) ?? String(value);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** The values of a list written out as text; null for any other text. */
function readList(given, { quoted = false } = {}) {
  const text = strip(given);
  const closed = { "[": "]", "(": ")" }[text[0]];
  if (text.length < 2 || closed !== text.at(-1)) return null;
  const inner = strip(text.slice(1, -1));
  if (!inner) return text[0] === "[" ? [] : null;
  if (inner[0] === "[" || inner[0] === "(") return quoted ? null : readNested(text);
  return readPieces(inner, text[0] === "[", quoted);
}

function readPieces(inner, square, quoted) {
  const found = [];
  let bare = 0, words = 0, commas = 0, at = 0;
  while (at < inner.length) {
    PIECE.lastIndex = at;
    const piece = PIECE.exec(inner);
    if (piece === null) return null;
    at = PIECE.lastIndex;
    commas += piece.groups.comma ? 1 : 0;
    if (piece.groups.bare === undefined) {
      found.push((piece.groups.double ?? piece.groups.single).replace(ESCAPE, unescape));
      continue;
    }
    const several = bareValues(strip(piece.groups.bare));
    if (several === null) return null;
    bare += several.length;
    words += several.some((one) => typeof one === "string") ? 1 : 0;
    found.push(...several);
  }
  // Words without quotes are a list where commas stand between them, and nothing in quotes.
  if ((bare && quoted) || (words && (found.length > bare || !square))) return null;
  if (words && !commas) return null;
  return square || commas ? found : null;
}

function bareValues(text) {
  if (text.includes("...")) return null;
  const parts = split(text);
  if (parts.every((part) => NUMBER.test(part) || NONE.has(part))) return parts.map(readBare);
  return [text];
}

function readBare(text) {
  if (NONE.has(text)) return null;
  const digits = text.replace(/^[+-]+/u, "");
  if (/^\p{Nd}+$/u.test(digits)) {
    if (digits.length > 1 && digits[0] === "0") return text;
    const whole = BigInt(withPlainDigits(digits));
    return text.startsWith("-") ? -whole : whole;
  }
  return Number(withPlainDigits(text));
}

const unescape = (_, sign) =>
  sign.length > 1 && (sign[0] === "u" || sign[0] === "x")
    ? String.fromCharCode(Number.parseInt(sign.slice(1), 16))
    : SIGNS[sign] ?? sign;

/** A value that is no text, written as Python writes it. */
function write(name, value, what, help) {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return writeNumber(value);
  throw new RequestError(`\`${name}\` is ${shown(value)}, not ${what}`, help);
}

/** Python's text of a float: whole ones without decimals, others in its own exponents. */
export function writeNumber(value) {
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  if (Number.isInteger(value)) return String(BigInt(value));
  const size = Math.abs(value);
  if (size >= 1e-4) return String(value);
  const [digits, power] = value.toExponential().split("e");
  return `${digits}e-${String(-Number(power)).padStart(2, "0")}`;
}

/** The text with the digits of every script as 0 to 9, as Python reads them in numbers. */
const withPlainDigits = (text) =>
  text.replace(/\p{Nd}/gu, (sign) => {
    if (sign >= "0" && sign <= "9") return sign;
    // The digits of a script stand in a row from its zero, rows of scripts side by side.
    let place = sign.codePointAt(0), first = place;
    while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first -= 1;
    return String((place - first) % 10);
  });
