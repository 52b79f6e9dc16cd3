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

/** Keeps a file equal to the newest status: replaced as a whole, and only when it would read differently. */
export class StatusFile {
  readonly #path: string;
  #wanted: string | undefined;
  #written: string | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the newest status; an older one that is not written yet is passed over. */
  update(status: MasterStatus): void {
    const text = `${JSON.stringify(status, undefined, 2)}\n`;
    if (text === (this.#wanted ?? this.#written)) return;
    const idle = this.#wanted === undefined;
    this.#wanted = text;
    if (idle) this.#writing = this.#writing.then(() => this.#write());
  }

  /** Resolves once the newest status is on disk; rejects where it could not be written. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#wanted !== undefined) {
      const text = this.#wanted;
      const temporary = `${this.#path}.${process.pid}.tmp`;
      await writeFile(temporary, text);
      await rename(temporary, this.#path);
      this.#written = text;
      if (this.#wanted === text) this.#wanted = undefined;
    }
  }
}
