// A bundle opened: every file is compared with its size and hash before anything is made of it.

import { verifyManifest } from "./agreement.js";
import { digest } from "./digest.js";
import { BundleError } from "./errors.js";
import { decode } from "./tokens.js";

const AGAIN = "copy the bundle again or export it again";

/**
 * The manifest and the bytes of every file.
 * @param {(name: string, bytes?: number) => Promise<Uint8Array>} fetchFile gives a file; told how
 *   large it is to be, it need not read another
 */
export async function openBundle(fetchFile) {
  const manifest = parseManifest(await fetchFile("manifest.json"));
  const names = Object.keys(manifest.files);
  const contents = new Map();
  await Promise.all(
    names.map(async (name) => {
      verifyPath(name);
      contents.set(name, await verified(name, await fetchFile(name, manifest.files[name].bytes), manifest.files[name]));
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
  let said;
  try {
    said = JSON.parse(decode(content));
  } catch {
    throw new BundleError("manifest.json is not JSON", "export the bundle again");
  }
  verifyManifest(said);
  return said;
}

/** Throws BundleError where a file has not as many bytes as the manifest says. */
export function verifySize(name, found, said) {
  if (found === said) return;
  throw new BundleError(`\`${name}\` has ${found} bytes, the manifest says ${said}`, AGAIN);
}

async function verified(name, content, entry) {
  verifySize(name, content.byteLength, entry.bytes);
  if ((await digest(content)) !== entry.sha256.toLowerCase()) {
    throw new BundleError(`\`${name}\` is not the file the bundle was written with: its hash differs`, AGAIN);
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
