// Lists of lists as Python writes them, read without running anything.

class NotALiteral extends Error {}

/** The values of a nested list or tuple; null for any other text. */
export function readNested(text) {
  const reader = new Reader(text);
  try {
    const found = reader.value();
    reader.blanks();
    return reader.at === text.length && Array.isArray(found) ? found : null;
  } catch (error) {
    if (error instanceof NotALiteral || error instanceof RangeError) return null;
    throw error;
  }
}

const ESCAPES = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v", a: "\x07", "\n": "" };
const NAMES = { None: null, True: true, False: false };

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  blanks() {
    while (/[ \t\f\n\r]/.test(this.text[this.at] ?? "")) this.at += 1;
  }

  take(sign) {
    this.blanks();
    if (this.text[this.at] !== sign) return false;
    this.at += 1;
    return true;
  }

  value() {
    this.blanks();
    const sign = this.text[this.at];
    if (sign === "[" || sign === "(") return this.several(sign);
    if (sign === "'" || sign === '"') return this.words();
    const rest = this.text.slice(this.at);
    const name = /^(None|True|False)(?![\w])/.exec(rest);
    if (name) {
      this.at += name[0].length;
      return NAMES[name[0]];
    }
    const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/.exec(rest);
    if (!number) throw new NotALiteral();
    this.at += number[0].length;
    if (!/^[+-]?\d+$/.test(number[0])) return Number(number[0]);
    const digits = number[0].replace(/^[+-]/, "");
    if (digits.length > 1 && digits[0] === "0" && /[1-9]/.test(digits)) throw new NotALiteral();
    return number[0][0] === "-" ? -BigInt(digits) : BigInt(digits);
  }

  several(open) {
    const close = open === "[" ? "]" : ")";
    const found = [];
    let commas = 0;
    this.take(open);
    while (!this.take(close)) {
      if (found.length > commas) throw new NotALiteral();
      found.push(this.value());
      if (this.take(",")) commas += 1;
    }
    // Round brackets around one value are just brackets.
    return open === "(" && found.length === 1 && commas === 0 ? found[0] : found;
  }

  words() {
    let found = "";
    for (;;) {
      this.blanks();
      const quote = this.text[this.at];
      if (quote !== "'" && quote !== '"') return found;
      this.at += 1;
      found += this.word(quote);
    }
  }

  word(quote) {
    let found = "";
    for (;;) {
      const sign = this.text[this.at++];
      if (sign === undefined || sign === "\n") throw new NotALiteral();
      if (sign === quote) return found;
      if (sign !== "\\") {
        found += sign;
        continue;
      }
      const code = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3}))/.exec(
        this.text.slice(this.at),
      );
      if (code) {
        const digits = code[1] ?? code[2] ?? code[3];
        found += String.fromCodePoint(digits ? Number.parseInt(digits, 16) : Number.parseInt(code[4], 8));
        this.at += code[0].length;
        continue;
      }
      const escaped = this.text[this.at++];
      if (escaped === undefined || /[NxuU]/.test(escaped)) throw new NotALiteral();
      found += ESCAPES[escaped] ?? (/['"\\]/.test(escaped) ? escaped : `\\${escaped}`);
    }
  }
}
