// A bundle opened: every file is compared with its size and hash before anything is made of it.

import { BundleError } from "./errors.js";
import { decode } from "./tokens.js";

const FORMAT = /^legoc-bundle\/(\d{1,9})(?:\.\d+)*$/;
const MAJOR = 1;

/**
 * The manifest and the bytes of every file.
 * @param {(name: string) => Promise<Uint8Array>} fetchFile
 */
export async function openBundle(fetchFile) {
  const manifest = parseManifest(await fetchFile("manifest.json"));
  const names = Object.keys(manifest.files);
  const contents = new Map();
  await Promise.all(
    names.map(async (name) => {
      verifyPath(name);
      contents.set(name, await verified(name, await fetchFile(name), manifest.files[name]));
    }),
  );
  const read = (name) => {
    const content = contents.get(name);
    if (content === undefined) throw new BundleError(`the bundle has no ${name}`, "export the bundle again");
    return content;
  };
  return { manifest, names, read };
}

function parseManifest(content) {
  const damaged = (why) => new BundleError(`manifest.json ${why}`, "export the bundle again");
  let said;
  try {
    said = JSON.parse(decode(content));
  } catch {
    throw damaged("is not JSON");
  }
  const format = FORMAT.exec(typeof said?.format === "string" ? said.format : "");
  if (!format) throw damaged(`has no format of bundles`);
  if (Number(format[1]) !== MAJOR) {
    throw new BundleError(
      `the bundle has the format ${said.format}, this host reads legoc-bundle/${MAJOR}`,
      "install the version of legoc-js that belongs to the bundle",
    );
  }
  const needed = {
    graphs: (value) => isObject(value) && isObject(value.predictor),
    plan: (value) => isObject(value) && isCount(value.width) && ["vector", "many", "clicks"].includes(value.user),
    history: isCount,
    items: (value) => isObject(value) && typeof value.file === "string" && isCount(value.rows),
    files: isObject,
    spec: (value) => typeof value?.model?.predict?.op === "string",
  };
  for (const [key, holds] of Object.entries(needed)) {
    if (!holds(said[key])) throw damaged(`is not of the form legoc-bundle/${MAJOR}: \`${key}\``);
  }
  if (said.plan.user !== "clicks" && !said.graphs.user_encoder) throw damaged("has no graph user_encoder");
  return said;
}

async function verified(name, content, entry) {
  const again = "copy the bundle again or export it again";
  if (content.byteLength !== entry?.bytes) {
    throw new BundleError(
      `\`${name}\` has ${content.byteLength} bytes, the manifest says ${entry?.bytes}`, again,
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== String(entry.sha256).toLowerCase()) {
    throw new BundleError(
      `\`${name}\` is not the file the bundle was written with: its hash differs`, again,
    );
  }
  return content;
}

/** Relative, and inside the bundle. */
function verifyPath(name) {
  const parts = name.split("/");
  if (/[\\\0:]/.test(name) || parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new BundleError(`the manifest names \`${name}\`, which leads out of the bundle`, "do not use this bundle");
  }
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isCount = (value) => Number.isSafeInteger(value) && value >= 1;
