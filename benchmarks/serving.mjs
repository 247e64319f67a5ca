// Milliseconds of calls of legoc-js: node serving.mjs HOSTS/JS BUNDLE < asked

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [home, bundle] = process.argv.slice(2);
const { history, candidates } = JSON.parse(readFileSync(0, "utf8"));
const { load } = await import(pathToFileURL(join(home, "src", "node.js")));
const model = await load(bundle, { intraOpNumThreads: 1 });

async function times(count, call) {
  const spent = [];
  for (let turn = 0; turn < count + 5; turn += 1) {
    const began = performance.now();
    await call(turn);
    if (turn >= 5) spent.push(performance.now() - began);
  }
  return spent;
}

const user = await model.encodeUser(history);
const record = { title: "Late goal wins the cup", subcategory: "football" };
const found = {
  "encode_user of 20 clicks": await times(300, () => model.encodeUser(history)),
  "score 100 candidates": await times(300, () => model.score(user, candidates)),
  [`recommend 10 of ${model.items.size.toLocaleString("en")}`]: await times(300, () => model.recommend(user)),
  "add 1 item": await times(100, (turn) => model.items.add([{ id: `X${turn}`, ...record }])),
};
await model.release();
process.stdout.write(JSON.stringify(found));
