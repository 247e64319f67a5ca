// A tokenizer whose steps that Python's library and the one for JavaScript take differently are
// written out for the latter. What differs was found by comparing every step on hard texts.

const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const BLANK = "\\p{White_Space}";
const SIGN = "\\p{P}!-\\/:-@\\[-`{-~";
// As the pattern of ByteLevel, with Python's blanks: those of JavaScript have U+FEFF and lack U+0085.
const BYTES =
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${BLANK}\\p{L}\\p{N}]+|${BLANK}+(?!\\P{White_Space})|${BLANK}+`;
// Chinese letters beyond 16 bits, which the library meets in halves.
const FAR =
  "[\\u{20000}-\\u{2A6DF}\\u{2A700}-\\u{2B73F}\\u{2B740}-\\u{2B81F}\\u{2B820}-\\u{2CEAF}\\u{2F800}-\\u{2FA1F}]";

const split = (pattern, behavior, invert = false) => ({ type: "Split", behavior, invert, pattern: { Regex: pattern } });
const replace = (pattern, content) => ({ type: "Replace", pattern, content });
// Python makes small letters one by one, where JavaScript knows that a sigma ends a word.
const SIGMA = replace({ String: "\u03a3" }, "\u03c3");

const NORMALIZERS = {
  Lowercase: (step) => [SIGMA, step],
  BertNormalizer: (step) => [
    ...(step.handle_chinese_chars ? [replace({ Regex: FAR }, " $& ")] : []),
    ...(step.lowercase ? [SIGMA] : []),
    step,
  ],
};
const PRETOKENIZERS = {
  Whitespace: () => [split(`[${WORD}]+|[^${WORD}${BLANK}]+`, "Removed", true)],
  WhitespaceSplit: () => [split(`${BLANK}+`, "Removed")],
  BertPreTokenizer: () => [split(`[^${BLANK}${SIGN}]+|[${SIGN}]`, "Removed", true)],
  Punctuation: (step) => cut(`[${SIGN}]`, step.behavior ?? "Isolated"),
  Digits: (step) => [split(step.individual_digits ? "\\p{N}" : "\\p{N}+", "Isolated")],
  Split: (step) => cut(step.pattern.Regex ?? escaped(step.pattern.String), step.behavior, step.invert),
  Metaspace: (step) => {
    const mark = escaped(step.replacement ?? "\u2581");
    return step.split === false ? [step] : [step, split(`${mark}[^${mark}]*|[^${mark}]+`, "Removed", true)];
  },
  ByteLevel: (step) =>
    step.use_regex === false
      ? [step]
      : [
          // What puts a blank before a text that has none.
          ...(step.add_prefix_space ? [{ type: "Metaspace", replacement: " ", prepend_scheme: "always" }] : []),
          split(BYTES, "Isolated"),
          { ...step, add_prefix_space: false, use_regex: false },
        ],
};

/** A Split; the library knows two of its behaviors, and what is between matches is lost where they are inverted. */
function cut(pattern, behavior, invert = false) {
  if (behavior === "Removed") return [split(pattern, behavior, invert)];
  if (behavior === "Isolated") return [split(pattern, behavior)];
  if (behavior === "Contiguous" && !invert) return [split(`(?:${pattern})+`, "Isolated")];
  throw new Error(`this host cuts nothing as ${behavior}`);
}

const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|\/-]/g, "\\$&");

/** What a tokenizer.json says, for @huggingface/tokenizers. */
export function readAlike(said) {
  return {
    ...said,
    normalizer: written(said.normalizer, "normalizers", NORMALIZERS),
    pre_tokenizer: written(said.pre_tokenizer, "pretokenizers", PRETOKENIZERS),
  };
}

function written(step, key, known) {
  if (!step) return step;
  const steps = flat(step, key, known);
  return steps.length === 1 ? steps[0] : { type: "Sequence", [key]: steps };
}

const flat = (step, key, known) =>
  step.type === "Sequence" ? step[key].flatMap((one) => flat(one, key, known))
  : Object.hasOwn(known, step.type) ? known[step.type](step)
  : [step];
