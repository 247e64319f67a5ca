// Copies the page, what it needs of npm packages and a bundle into a folder that any web server can
// show, without a network: node build.mjs BUNDLE OUT [--items FILE]

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HERE = dirname(fileURLToPath(import.meta.url));
const JS = join(HERE, "..", "js");
const PACKAGES = join(JS, "node_modules");
const VENDOR = {
  "onnxruntime-web/dist/ort.wasm.bundle.min.mjs": "onnxruntime/ort.wasm.bundle.min.mjs",
  "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm": "onnxruntime/ort-wasm-simd-threaded.wasm",
  "@huggingface/tokenizers/dist/tokenizers.min.mjs": "tokenizers/tokenizers.min.mjs",
};
const LICENSES = ["@huggingface/tokenizers/LICENSE", "onnxruntime-web/LICENSE"];

function main() {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { items: { type: "string" } } });
  if (positionals.length !== 2) fail("two folders are needed", "node build.mjs BUNDLE OUT [--items FILE]");
  const [bundle, out] = positionals;
  const manifest = readManifest(bundle);
  const absent = Object.keys(VENDOR).find((file) => !existsSync(join(PACKAGES, file)));
  if (absent) fail(`${absent} is not installed`, `cd ${JS} && npm ci --ignore-scripts`);
  if (existsSync(out) && readdirSync(out).length) fail(`\`${out}\` is not empty`, "name a new folder, or empty it");
  const items = values.items === undefined ? null : readItems(values.items);

  for (const name of ["index.html", "page.css", "src"]) cpSync(join(HERE, name), join(out, name), { recursive: true });
  cpSync(join(JS, "src"), join(out, "vendor", "legoc-js"), { recursive: true, filter: (path) => !path.endsWith("node.js") });
  for (const [from, to] of Object.entries(VENDOR)) cpSync(join(PACKAGES, from), join(out, "vendor", to));
  for (const file of LICENSES.filter((each) => existsSync(join(PACKAGES, each)))) {
    cpSync(join(PACKAGES, file), join(out, "vendor", `LICENSE.${file.split("/").at(-2)}`));
  }
  for (const name of ["manifest.json", ...Object.keys(manifest.files)]) {
    mkdirSync(dirname(join(out, "bundle", name)), { recursive: true });
    cpSync(join(bundle, name), join(out, "bundle", name));
  }
  if (items) writeFileSync(join(out, "items.json"), JSON.stringify(items));
  writeFileSync(join(out, "page.json"), JSON.stringify({ bundle: "bundle/", items: items && "items.json" }));
  console.log(`python3 -m http.server 8000 --bind 127.0.0.1 --directory ${out}`);
  console.log("then open http://127.0.0.1:8000");
}

function readManifest(bundle) {
  let manifest;
  try {
    manifest = JSON.parse(readFileSync(join(bundle, "manifest.json"), "utf8"));
  } catch (error) {
    fail(`\`${bundle}\` is not a bundle (${error.code ?? error.message})`, "name the folder `bundle` of a run");
  }
  const names = Object.keys(manifest.files ?? {});
  // The page verifies sizes and hashes; here a name must not lead out of the folders.
  const strange = names.find((name) => /[\\\0:]/.test(name) || name.split("/").some((part) => ["", ".", ".."].includes(part)));
  if (strange !== undefined) fail(`the manifest names \`${strange}\`, which leads out of the bundle`, "do not use this bundle");
  const lost = names.find((name) => !existsSync(join(bundle, name)));
  if (lost !== undefined) fail(`\`${lost}\` is missing from \`${bundle}\``, "copy or export the bundle again");
  return manifest;
}

/** Attributes of items by id, of a file with a JSON object per line. */
function readItems(file) {
  let lines;
  try {
    lines = readFileSync(file, "utf8").split("\n");
  } catch (error) {
    fail(`\`${file}\` cannot be read (${error.code ?? error.message})`, "check the path");
  }
  const items = {};
  lines.forEach((line, place) => {
    if (!line.trim()) return;
    const wrong = () => fail(`line ${place + 1} of \`${file}\` is no record`, 'write one object per line: {"id": "N1", "title": "..."}');
    let record;
    try {
      record = JSON.parse(line);
    } catch {
      wrong();
    }
    if (record === null || typeof record !== "object" || !["string", "number"].includes(typeof record.id)) wrong();
    const { id, ...attributes } = record;
    items[String(id)] = attributes;
  });
  return items;
}

function fail(message, help) {
  console.error(`error: ${message}; ${help}`);
  process.exit(1);
}

main();
