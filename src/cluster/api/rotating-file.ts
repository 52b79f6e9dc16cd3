import { readFileSync } from 'node:fs';
import { AccessError } from './access.ts';
import { saidBy } from './causes.ts';

/** How long what was read counts, in ms: a kubelet replaces tokens long before they expire. */
const FRESH = 10_000;

/** A file that others replace while we run: a token, a key, a certificate. */
export class RotatingFile {
  readonly #path: string;
  readonly #what: string;
  readonly #now: () => number;
  #content: { readonly bytes: Buffer; readonly readAt: number } | undefined;

  /** `what` names the file's role in messages. */
  constructor(path: string, what: string, now: () => number = () => performance.now()) {
    this.#path = path;
    this.#what = what;
    this.#now = now;
  }

  /** The content, not older than ten seconds. Throws {@link AccessError} where the file cannot be read. */
  read(): Buffer {
    const now = this.#now();
    if (this.#content !== undefined && now - this.#content.readAt < FRESH) return this.#content.bytes;
    const bytes = this.#load();
    // The same bytes stay the same object, so that who compares sees no change.
    const same = this.#content?.bytes.equals(bytes) ? this.#content.bytes : bytes;
    this.#content = { bytes: same, readAt: now };
    return same;
  }

  /** Forgets what was read. */
  forget(): void {
    this.#content = undefined;
  }

  #load(): Buffer {
    try {
      return readFileSync(this.#path);
    } catch (cause) {
      throw new AccessError(`cannot read ${this.#what} ${this.#path}: ${saidBy(cause)}`, { cause });
    }
  }
}
