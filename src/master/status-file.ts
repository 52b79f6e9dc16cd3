import { rename, writeFile } from 'node:fs/promises';
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
  readonly refused: readonly Refused[];
}

/** Keeps a file equal to the newest status: replaced as a whole, and only where it would read differently. */
export class StatusFile {
  readonly #path: string;
  #newest: string | undefined;
  #written: string | undefined;
  #writing: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the newest status; resolves once it, or a newer one, is on disk. Rejects where that cannot be. */
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
      const temporary = `${this.#path}.${process.pid}.tmp`;
      await writeFile(temporary, text);
      await rename(temporary, this.#path);
      this.#written = text;
    }
  }
}
