/** What callers can do something about. `help` says what. */
class LegocError extends Error {
  constructor(message, help) {
    super(`${message}; ${help}`);
    this.name = this.constructor.name;
    this.help = help;
  }
}

/** A bundle that is damaged, unsafe, unknown, or more than this host serves. */
export class BundleError extends LegocError {}

/** A call that the model cannot serve. */
export class RequestError extends LegocError {}
