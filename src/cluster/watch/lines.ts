const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);
/** A larger buffer is given back after its line; a smaller one serves the next. */
const KEPT_BYTES = 64 * 1024;

/** A line is longer than any object may be. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

/**
 * Cuts bytes into lines. Bytes of UTF-8 sequences are never a newline, so that any split of the stream gives the same
 * lines; each is decoded as a whole. Empty lines are left out; what follows the last newline is kept for later.
 */
export class LineSplitter {
  readonly #limit: number;
  #buffer: Buffer = NOTHING;
  #length = 0;

  /** `limit`: what a line may be at most, in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Calls `onLine` for each line that the chunk completes. Throws {@link LineTooLong}, and what `onLine` throws. */
  push(chunk: Uint8Array, onLine: (line: string) => void): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      const line = this.#finish(bytes.subarray(from, end));
      from = end + 1;
      if (line !== '') onLine(line);
    }
    this.#keep(bytes.subarray(from));
  }

  #finish(part: Buffer): string {
    if (this.#length === 0) {
      this.#check(part.length);
      return part.toString('utf8');
    }
    this.#keep(part);
    const line = this.#buffer.toString('utf8', 0, this.#length);
    this.#length = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = NOTHING;
    return line;
  }

  /** Copies: a small rest must not hold on to the whole chunk. */
  #keep(part: Buffer): void {
    const needed = this.#length + part.length;
    this.#check(needed);
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#limit, Math.max(needed, 2 * this.#buffer.length)));
      this.#buffer.copy(grown, 0, 0, this.#length);
      this.#buffer = grown;
    }
    part.copy(this.#buffer, this.#length);
    this.#length = needed;
  }

  #check(length: number): void {
    if (length > this.#limit) throw new LineTooLong(`a line is longer than ${this.#limit} bytes`);
  }
}
