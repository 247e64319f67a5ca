// What is known of users beside their clicks, as `legoc_runtime.profiles` reads it.

import { BundleError, RequestError } from "./errors.js";
import { readTensors } from "./tensors.js";
import { Reader } from "./tokens.js";
import { byLetters, shown } from "./values.js";

const PORT = "profile_";

/** Attributes of users: those of known ones by their rows, those of others from records. */
export class Profiles {
  /** Of a bundle, or null where its graphs are given none. */
  static open({ manifest, read }) {
    return manifest.profile ? new Profiles(manifest.profile, read) : null;
  }

  constructor({ file, reading }, read) {
    this.reader = new Reader(reading, read);
    const tensors = readTensors(read(file), file);
    this.lengths = reading.parts.map((part) => part.length);
    this.columns = reading.parts.map((part, place) => {
      const [ids, lengths] = [tensors.get(`${place}/ids`), tensors.get(`${place}/lengths`)];
      const sound =
        ids?.dtype === "I32" && lengths?.dtype === "I32" && ids.shape.length === 2 && ids.shape[1] === part.length &&
        ids.shape[0] === lengths.data.length && lengths.data[0] === 0 &&
        lengths.data.every((length) => length >= 0 && length <= part.length) &&
        ids.data.every((id) => id >= 0 && id < reading.rows);
      if (!sound) throw new BundleError(`\`${file}\` does not hold \`${part.name}\` of the users`, "export the bundle again");
      return { ids: ids.data, lengths: lengths.data };
    });
  }

  /** The ids of each attribute of a user by the row. */
  known(row) {
    return this.columns.map(({ ids, lengths }, place) => {
      const from = row * this.lengths[place];
      return Array.from(ids.subarray(from, from + (lengths[row] ?? 0)));
    });
  }

  /**
   * What a record says of a user; what it does not name stays as it is known.
   * @returns {{values: number[][], something: boolean, ignored: string[], unseen: object}}
   */
  read(record, known) {
    if (record === null || typeof record !== "object" || Array.isArray(record)) {
      throw new RequestError(`the profile is ${shown(record)}`, "give an object, as in { age: 31 }");
    }
    const { attributes } = this.reader;
    const keys = Object.keys(record);
    const ignored = keys.filter((key) => !attributes.includes(key)).sort(byLetters);
    if (ignored.length && ignored.length === keys.length) {
      throw new RequestError(
        `the profile has none of the attributes the model reads: \`${ignored[0]}\``,
        `give at least one of ${attributes.join(", ")}`,
      );
    }
    const found = this.reader.read([record]);
    const values = attributes.map((name, place) => (Object.hasOwn(record, name) ? found.get(name)[0] : known[place]));
    const something = values.some((ids) => ids.some((id) => id !== this.reader.unknown));
    return { values, something, ignored, unseen: this.reader.unseen([record]) };
  }

  /** The inputs of the user encoder for one user. */
  inputs(values) {
    const inputs = {};
    this.reader.attributes.forEach((name, place) => {
      const length = this.lengths[place], dims = [1, length];
      const data = new Int32Array(length), mask = new Uint8Array(length);
      data.set(values[place]);
      mask.fill(1, 0, values[place].length);
      inputs[PORT + name] = { data, dims };
      inputs[`${PORT}${name}_mask`] = { data: mask, dims };
    });
    return inputs;
  }
}

/** Why a bundle takes no attributes of users. */
export function refuseProfile({ spec }) {
  return spec.data?.user?.length
    ? new RequestError("the graphs of this bundle hold what is known of its users, and read no profile", "export the run again")
    : new RequestError("this model reads no attributes of users", "leave `profile` out, or train with `user = [...]`");
}
