// Opens a page in a headless Chromium and does a list of steps, over the DevTools protocol.
// node browse.mjs CHROMIUM ADDRESS < steps; prints what they gave and what the page complained of.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [chromium, address] = process.argv.slice(2);
const { steps, size = [1280, 900] } = JSON.parse(readFileSync(0, "utf8"));
const profile = mkdtempSync(join(tmpdir(), "browse-"));
const browser = spawn(chromium, [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
  "--disable-background-networking", "--remote-debugging-port=0",
  // A name that is not of this machine to the browser, as the address of a page on a phone is not.
  "--host-resolver-rules=MAP page.test 127.0.0.1", `--user-data-dir=${profile}`, "about:blank",
]);

const endpoint = await new Promise((found, failed) => {
  let said = "";
  browser.stderr.on("data", (part) => {
    said += part;
    const match = /listening on (ws:\S+)/.exec(said);
    if (match) found(match[1]);
  });
  browser.on("exit", () => failed(new Error(said)));
});
const socket = new WebSocket(endpoint);
await new Promise((opened, failed) => Object.assign(socket, { onopen: opened, onerror: failed }));

const waiting = new Map();
const told = { answers: [], complaints: [], requests: [] };
let last = 0, session;
const send = (method, params = {}) =>
  new Promise((answered, failed) => {
    last += 1;
    waiting.set(last, { answered, failed });
    socket.send(JSON.stringify({ id: last, method, params, sessionId: session }));
  });
const notes = {
  "Runtime.exceptionThrown": ({ exceptionDetails: { text, exception } }) => told.complaints.push(exception?.description ?? text),
  "Runtime.consoleAPICalled": ({ type, args }) =>
    ["error", "warning", "assert"].includes(type) && told.complaints.push(args.map((each) => each.value ?? each.description).join(" ")),
  "Log.entryAdded": ({ entry }) => ["error", "warning"].includes(entry.level) && told.complaints.push(`${entry.text} ${entry.url ?? ""}`),
  "Network.requestWillBeSent": ({ request }) => told.requests.push(request.url),
};
socket.onmessage = ({ data }) => {
  const { id, method, params, result, error } = JSON.parse(data);
  if (id === undefined) return void notes[method]?.(params);
  const { answered, failed } = waiting.get(id);
  waiting.delete(id);
  if (error) failed(new Error(error.message));
  else answered(result);
};

async function evaluate(expression) {
  const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}

async function until(condition, seconds = 60) {
  for (const end = Date.now() + 1000 * seconds; Date.now() < end; ) {
    // While a page is being opened there is none to ask.
    if (await evaluate(`Boolean(${condition})`).catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`${condition} never came; the page says ${await evaluate("document.body.innerText")}`);
}

async function picture(file) {
  const { data } = await send("Page.captureScreenshot", { format: "png" });
  writeFileSync(file, Buffer.from(data, "base64"));
}

let failure = null;
try {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  ({ sessionId: session } = await send("Target.attachToTarget", { targetId, flatten: true }));
  for (const domain of ["Runtime", "Log", "Network", "Page"]) await send(`${domain}.enable`);
  const [width, height] = size;
  await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
  await send("Page.navigate", { url: address });
  for (const step of steps) {
    if (step.until) await until(step.until);
    else if (step.files) {
      const { root } = await send("DOM.getDocument");
      const { nodeId } = await send("DOM.querySelector", { nodeId: root.nodeId, selector: step.into });
      await send("DOM.setFileInputFiles", { nodeId, files: step.files });
    } else if (step.picture) await picture(step.picture);
    else told.answers.push((await evaluate(step.evaluate)) ?? null);
  }
} catch (error) {
  failure = error.message;
} finally {
  socket.close();
  browser.kill();
  await new Promise((gone) => browser.on("exit", gone));
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
process.stdout.write(JSON.stringify({ ...told, failure }));
