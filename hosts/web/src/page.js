// The page: a bundle is opened, clicks become a history, and every click asks the model again.

import * as ort from "onnxruntime-web/wasm";
import { fromFiles, load } from "legoc-js/web";

import { describe, fill, itemButton, make } from "./view.js";

const AT_ONCE = 60;
const BEST = 10;
const find = (id) => document.getElementById(id);

// One thread: more need headers that a plain static server does not send.
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL("../vendor/onnxruntime/ort-wasm-simd-threaded.wasm", import.meta.url).href };

/** Everything that changes. */
const state = { model: null, known: {}, main: "title", own: new Map(), clicks: [], shown: AT_ONCE, asked: 0 };

/** The attributes of an item, as far as the page knows them. */
const attributesOf = (id) => state.own.get(id) ?? (Object.hasOwn(state.known, id) ? state.known[id] : undefined);
const itemOf = (id) => ({ id, ...describe(id, attributesOf(id), state.main) });

async function open(source, known) {
  say("Opening the bundle …");
  find("fault").hidden = true;
  const manifest = JSON.parse(new TextDecoder().decode(await source("manifest.json")));
  // The page counts no clicks of others, so the moment is a mean one.
  const model = await load(ort, source, manifest.context ? { moment: "mean" } : {});
  await state.model?.release();
  Object.assign(state, { model, known, own: new Map(), clicks: [], shown: AT_ONCE });
  state.main = chooseMain(model, known);
  drawFields();
  const test = await model.selfTest();
  say(`${String(model).replace(/^legoc model /, "Model ")}. Everything is computed on this device.`);
  find("proof").textContent =
    `${test.outputs} recorded outputs were computed again here; the largest difference is ${test.difference.toExponential(1)}.` +
    (manifest.context ? " Scores are those of a mean moment." : "");
  find("proof").dataset.difference = test.difference;
  await update();
}

/** The attribute that names an item. */
function chooseMain(model, known) {
  const names = new Set([...Object.keys(Object.values(known)[0] ?? {}), ...model.items.attributes]);
  return ["title", "name", ...names].find((name) => names.has(name)) ?? "title";
}

async function update() {
  const asked = (state.asked += 1);
  const { model, clicks } = state;
  drawCatalogue();
  drawHistory();
  const begin = performance.now();
  const user = await model.encodeUser(clicks);
  const best = await model.recommend(user, { k: BEST, exclude: clicks });
  // A later click has asked again meanwhile.
  if (asked !== state.asked) return;
  const took = performance.now() - begin;
  find("took").textContent = `${took < 10 ? took.toFixed(1) : Math.round(took)} ms for ${model.items.size} items`;
  find("why").textContent = why(user);
  fill(find("best"), best.map(({ id, score }, place) =>
    make("li", {}, itemButton(itemOf(id), {
      pressed: false, own: state.own.has(id), onclick: () => click(id),
      before: [make("span", { class: "place" }, String(place + 1))],
      after: [make("span", { class: "score" }, score.toFixed(2))],
    }))));
  document.documentElement.dataset.clicks = clicks.length;
  document.documentElement.dataset.ready = asked;
}

function why(user) {
  if (user.clicks.length) return `from your ${user.clicks.length === 1 ? "last click" : `last ${user.clicks.length} clicks`}`;
  if (user.cold === "popularity") return "what most people clicked; click something yourself";
  return "for somebody of whom nothing is known; click something";
}

function click(id) {
  state.clicks = state.clicks.includes(id) ? state.clicks.filter((each) => each !== id) : [...state.clicks, id];
  return guarded(update);
}

function drawCatalogue() {
  const wanted = find("search").value.trim().toLowerCase();
  const own = [...state.own.keys()];
  const every = [...own.toReversed(), ...state.model.items.ids.filter((id) => !state.own.has(id))];
  const text = (id) => [id, ...Object.values(attributesOf(id) ?? {})].join(" ").toLowerCase();
  const fitting = wanted ? every.filter((id) => text(id).includes(wanted)) : every;
  find("count").textContent = wanted ? `${fitting.length} of ${every.length}` : `${every.length} items`;
  find("more").hidden = fitting.length <= state.shown;
  fill(find("cards"), fitting.slice(0, state.shown).map((id) =>
    make("li", {}, itemButton(itemOf(id), {
      pressed: state.clicks.includes(id), own: state.own.has(id), onclick: () => click(id),
    }))));
}

function drawHistory() {
  find("past").hidden = !state.clicks.length;
  fill(find("history"), state.clicks.map((id) => {
    const { said } = itemOf(id);
    return make("li", {}, make(
      "button",
      { type: "button", "data-id": id, "aria-label": `forget ${said}`, click: () => click(id) },
      said.length > 40 ? `${said.slice(0, 39)}…` : said,
    ));
  }));
}

function drawFields() {
  const { attributes } = state.model.items;
  find("write").hidden = !attributes.length;
  find("write").open = false;
  find("added").textContent = "";
  const kinds = Object.fromEntries((state.model.manifest.reading?.parts ?? []).map((part) => [part.name, part.kind]));
  fill(find("fields"), attributes.map((name) => make(
    "label", {}, name, kinds[name] === "text" ? make("textarea", { name }) : make("input", { name, list: suggest(name) }),
  )));
}

/** The values that an attribute has in the catalogue, to choose from; the id of their list. */
function suggest(name) {
  const values = [...new Set(Object.values(state.known).flatMap((each) => each[name] ?? []))];
  if (!values.length || values.length > 200) return undefined;
  const id = `values-${name}`;
  document.getElementById(id)?.remove();
  document.body.append(make("datalist", { id }, ...values.sort().map((value) => make("option", { value }))));
  return id;
}

async function addOwn(form) {
  const given = [...new FormData(form)].filter(([, text]) => text.trim());
  if (!given.length) return void (find("added").textContent = "Write something first.");
  const attributes = Object.fromEntries(given);
  let number = state.own.size + 1;
  while (state.model.items.has(`own-${number}`)) number += 1;
  const id = `own-${number}`;
  const { empty, unseen } = await state.model.items.add([{ ...attributes, id }]);
  state.own.set(id, attributes);
  form.reset();
  const strange = Object.entries(unseen).map(([name, values]) => `${name} ${values.join(", ")}`);
  find("added").textContent = empty.length
    ? "Added, but nothing in it says anything to the model."
    : `Added, first in the catalogue.${strange.length ? ` Not seen in training: ${strange.join("; ")}.` : ""}`;
  find("search").value = "";
  find("write").open = false;
  await update();
}

const say = (text) => {
  find("about").textContent = text;
};

/** What goes wrong is told on the page. */
async function guarded(work) {
  try {
    await work();
  } catch (error) {
    find("fault").textContent = error.message;
    find("fault").hidden = false;
    if (!state.model) say("There is no model.");
    document.documentElement.dataset.fault = error.name;
  }
}

find("search").addEventListener("input", () => {
  state.shown = AT_ONCE;
  drawCatalogue();
});
find("more").addEventListener("click", () => {
  state.shown += AT_ONCE;
  drawCatalogue();
});
find("forget").addEventListener("click", () => {
  state.clicks = [];
  guarded(update);
});
find("own").addEventListener("submit", (event) => {
  event.preventDefault();
  guarded(() => addOwn(event.target));
});
find("folder").addEventListener("change", ({ target }) => guarded(() => open(fromFiles(target.files), {})));

async function start() {
  const said = await (await fetch("page.json")).json();
  const known = said.items ? await (await fetch(said.items)).json() : {};
  await open(fetched(said.bundle), known);
}

const fetched = (folder) => async (name) => {
  const answer = await fetch(folder + name.split("/").map(encodeURIComponent).join("/"));
  if (!answer.ok) throw new Error(`${folder}${name} cannot be fetched (${answer.status})`);
  return new Uint8Array(await answer.arrayBuffer());
};

guarded(start);
