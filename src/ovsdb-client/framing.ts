import { isUtf8 } from 'node:buffer';
import { ProtocolError } from './errors.ts';

/** What one message may be at most. */
export interface FramingLimits {
  readonly maxMessageBytes: number;
  /** Levels of `{` and `[`. */
  readonly maxDepth: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** A larger buffer is given back after its message; a smaller one serves the next. */
const KEPT_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);
/** `[],` is 3 bytes and becomes more than 40: a message may be large or made of nothing, but not both. */
const BYTES_PER_CONTAINER = 16;

/**
 * Cuts a stream of bytes into the texts of JSON objects. OVSDB puts no delimiter between messages (RFC 7047, 4), so
 * the end of one is found by counting braces outside of strings. Bytes of UTF-8 sequences are never ASCII, so the
 * scan needs no decoding and survives any split. Every byte is looked at once.
 *
 * The texts are not checked to be JSON. Throws {@link ProtocolError} for anything but objects, for invalid UTF-8 and
 * beyond the limits; the framer is then of no further use.
 */
export class Framer {
  readonly #limits: FramingLimits;
  readonly #onText: (text: string) => void;
  #buffer: Buffer = NOTHING;
  #length = 0;
  #depth = 0;
  #containers = 0;
  #inString = false;
  #escaped = false;

  constructor(limits: FramingLimits, onText: (text: string) => void) {
    this.#limits = limits;
    this.#onText = onText;
  }

  /** How many bytes of an unfinished message are held. */
  get pendingBytes(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    let from = 0;
    while (from < chunk.length) {
      if (this.#depth === 0) {
        from = this.#start(chunk, from);
        if (from === chunk.length) return;
      }
      const end = this.#scan(chunk, from);
      const part = chunk.subarray(from, end ?? chunk.length);
      if (this.#length + part.length > this.#limits.maxMessageBytes) {
        throw new ProtocolError(`a message is longer than ${this.#limits.maxMessageBytes} bytes`);
      }
      if (end === undefined) {
        this.#keep(part);
        return;
      }
      this.#onText(this.#finish(part));
      from = end;
    }
  }

  /** The index of the first byte that is no white space; it must begin an object. */
  #start(chunk: Buffer, from: number): number {
    for (let index = from; index < chunk.length; index++) {
      const byte = chunk[index];
      if (byte === OPEN_BRACE) return index;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
        const shown = JSON.stringify(chunk.toString('latin1', index, index + 20));
        throw new ProtocolError(`a message must begin with "{", but the peer sent ${shown}`);
      }
    }
    return chunk.length;
  }

  /** The index after the message's last byte, or undefined where it goes on in the next chunk. */
  #scan(chunk: Buffer, from: number): number | undefined {
    let depth = this.#depth;
    let containers = this.#containers;
    let inString = this.#inString;
    let escaped = this.#escaped;
    let index = from;
    for (; index < chunk.length; index++) {
      const byte = chunk[index];
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) {
        inString = true;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        depth++;
        containers++;
        if (depth > this.#limits.maxDepth) {
          throw new ProtocolError(`a message is nested deeper than ${this.#limits.maxDepth} levels`);
        }
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        depth--;
        if (depth === 0) break;
      }
    }
    const mostContainers = Math.floor(this.#limits.maxMessageBytes / BYTES_PER_CONTAINER);
    if (containers > mostContainers) {
      throw new ProtocolError(`a message has more than ${mostContainers} objects and lists`);
    }
    this.#depth = depth;
    this.#containers = depth === 0 ? 0 : containers;
    this.#inString = inString;
    this.#escaped = escaped;
    return index < chunk.length ? index + 1 : undefined;
  }

  /** Copies, so that a peer that sends single bytes costs no more than its bytes. */
  #keep(part: Buffer): void {
    const needed = this.#length + part.length;
    if (needed > this.#buffer.length) {
      const roomy = Math.min(2 * this.#buffer.length, this.#limits.maxMessageBytes);
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, roomy));
      this.#buffer.copy(grown, 0, 0, this.#length);
      this.#buffer = grown;
    }
    part.copy(this.#buffer, this.#length);
    this.#length = needed;
  }

  #finish(part: Buffer): string {
    let message = part;
    if (this.#length > 0) {
      this.#keep(part);
      message = this.#buffer.subarray(0, this.#length);
    }
    if (!isUtf8(message)) throw new ProtocolError('a message is not valid UTF-8');
    const text = message.toString('utf8');
    this.#length = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = NOTHING;
    return text;
  }
}
