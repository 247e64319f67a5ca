// Answers a list of calls on a bundle as JSON, for tests that compare hosts.
// node answer.mjs HOSTS/JS node|web BUNDLE < calls

import { readFileSync, promises as files } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [home, where, bundle] = process.argv.slice(2);
const { calls, options = {} } = JSON.parse(readFileSync(0, "utf8"));
const host = await import(pathToFileURL(join(home, "src", `${where}.js`)));

async function open() {
  if (where === "node") return host.load(bundle, options);
  const path = createRequire(join(home, "package.json")).resolve("onnxruntime-web/wasm");
  const loaded = await import(pathToFileURL(path));
  const ort = loaded.env ? loaded : loaded.default;
  ort.env.wasm.numThreads = 1;
  return host.load(ort, async (name) => new Uint8Array(await files.readFile(join(bundle, name))), options);
}

const told = (error) => {
  if (!(error instanceof host.BundleError || error instanceof host.RequestError)) throw error;
  return { error: error.name, message: error.message };
};

const does = {
  about: (model) => String(model),
  score: async (model, { clicks, given, ids }) => Array.from(await model.score(await model.encodeUser(clicks, given), ids)),
  user: async (model, { clicks, given }) => {
    const { data, dims, ...rest } = await model.encodeUser(clicks, given);
    return { data: Array.from(data), dims, ...rest };
  },
  recommend: async (model, { clicks, given, asked }) => model.recommend(await model.encodeUser(clicks, given), asked),
  add: (model, { records }) => model.items.add(records),
  vector: (model, { id }) => Array.from(model.items.vector(id) ?? []),
  tokens: (model, { records, layout }) => Object.fromEntries(model.reader.read(records, layout)),
  selfTest: (model) => model.selfTest(),
  together: async (model, { clicks, ids }) =>
    Promise.all(clicks.map(async (each) => Array.from(await model.score(await model.encodeUser(each), ids)))),
};

let answers;
try {
  const model = await open();
  answers = [];
  for (const call of calls) {
    try {
      answers.push(await does[call.do](model, call));
    } catch (error) {
      answers.push(told(error));
    }
  }
  await model.release();
} catch (error) {
  answers = told(error);
}
process.stdout.write(JSON.stringify(answers));
