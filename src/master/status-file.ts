import { rename, rm, writeFile } from 'node:fs/promises';
import type { Refused } from './translation.ts';

/** What `--status-file` says. */
export interface MasterStatus {
  /** One more for each changed input, also for one that changes no row. */
  readonly generation: number;
  /** Whether the northbound shows that generation. */
  readonly synced: boolean;
  /** Pods without a node. */
  readonly pending: number;
  /** Rows that are ours, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** What is not in the northbound as the input wants it, and why. */
  readonly refused: readonly Refused[];
  /** Policies that have no effect yet, as `Kind namespace/name`. */
  readonly unenforced: readonly string[];
  /** How many objects there are of each kind that is not translated. */
  readonly ignored: Readonly<Record<string, number>>;
  /** With an API server only: who leads. */
  readonly lease?: LeaseStatus;
}

/** Who leads, as far as this master knows. */
export interface LeaseStatus {
  /** This master. */
  readonly identity: string;
  /** Empty where nobody does. */
  readonly holder: string;
  /** The term under which this master writes; null while it stands by. */
  readonly term: number | null;
}

/** What there is to say before the first look at the input. */
const NOTHING_YET: MasterStatus = {
  generation: 0,
  synced: false,
  pending: 0,
  rows: {},
  refused: [],
  unenforced: [],
  ignored: {},
};

/** Keeps a file equal to the newest status: replaced as a whole, and only where it would read differently. */
export class StatusFile {
  readonly #path: string;
  #newest: string | undefined;
  #written: string | undefined;
  #writing: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the newest status; resolves once it, or a newer one, is on disk. Rejects where that cannot be; it is tried again with the next. */
  update(status: MasterStatus): Promise<void> {
    this.#newest = `${JSON.stringify(status, undefined, 2)}\n`;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#newest !== undefined && this.#newest !== this.#written) {
      const text = this.#newest;
      await this.#replace(text);
      this.#written = text;
    }
  }

  async #replace(text: string): Promise<void> {
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      await writeFile(temporary, text);
      await rename(temporary, this.#path);
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined);
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`the status file ${this.#path} cannot be written: ${reason}`, { cause });
    }
  }
}

/**
 * The status file at `path`, if there is to be one. It says from the start that nothing is synced yet, so that nobody
 * takes what an earlier run left for the truth. Rejects where it cannot be written.
 */
export async function openStatusFile(path: string | undefined): Promise<StatusFile | undefined> {
  if (path === undefined) return undefined;
  const file = new StatusFile(path);
  await file.update(NOTHING_YET);
  return file;
}
