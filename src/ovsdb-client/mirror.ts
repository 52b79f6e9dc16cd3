import { ProtocolError } from './errors.ts';
import { applyUpdate, decodeDump, type UpdateFormat } from './monitor.ts';
import { type MonitorAnswer, NO_TRANSACTION } from './monitor-request.ts';
import type { MonitoredTables } from './monitored-table.ts';
import { replaceRows } from './replace.ts';
import { RowCache } from './row-cache.ts';
import type { Row, RowDelta } from './types.ts';

const FORMATS: Readonly<Record<string, UpdateFormat>> = {
  update: 'full',
  update2: 'difference',
  update3: 'difference',
};

/** Our copy of the monitored tables. It outlives connections; the last transaction id says where to go on. */
export class Mirror {
  readonly monitorId = 'rows';
  readonly #cache = new RowCache();
  #tables: MonitoredTables = new Map();
  #lastTransaction = NO_TRANSACTION;
  #isLoaded = false;

  /** The rows of a table, live. */
  rows(table: string): ReadonlyMap<string, Row> {
    return this.#cache.ensure(table);
  }

  /** Prepares for another connection; answers the transaction to go on from. Other columns: everything anew. */
  expect(tables: MonitoredTables): string {
    if (describe(tables) !== describe(this.#tables)) this.#lastTransaction = NO_TRANSACTION;
    this.#tables = tables;
    this.#isLoaded = false;
    return this.#lastTransaction;
  }

  /** Takes the first answer to the monitor request. Where it throws, the next connection starts with a dump. */
  load(answer: MonitorAnswer): readonly RowDelta[] {
    return this.#orForget(() => {
      const { format, updates } = answer;
      const deltas = answer.resumed
        ? applyUpdate(this.#cache, this.#tables, format, updates)
        : replaceRows(this.#cache, decodeDump(this.#tables, format, updates));
      this.#lastTransaction = answer.transaction;
      this.#isLoaded = true;
      return deltas;
    });
  }

  /** Takes an update notification. `params`: [monitor, (update3: transaction,) updates]. */
  update(method: string, params: readonly unknown[]): readonly RowDelta[] {
    return this.#orForget(() => {
      const format = FORMATS[method];
      if (!this.#isLoaded) throw new ProtocolError(`${method} before the answer to the monitor request`);
      if (format === undefined) throw new ProtocolError(`notification ${method}, which we did not ask for`);
      const updates = params[params.length - 1];
      const deltas = applyUpdate(this.#cache, this.#tables, format, updates);
      if (method === 'update3') {
        const transaction = params[1];
        if (typeof transaction !== 'string') throw new ProtocolError('update3 must name its transaction');
        this.#lastTransaction = transaction;
      }
      return deltas;
    });
  }

  #orForget<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#lastTransaction = NO_TRANSACTION;
      throw error;
    }
  }
}

/** Equal for equal tables, columns and types. */
function describe(tables: MonitoredTables): string {
  return JSON.stringify(
    Array.from(tables, ([table, { columns }]) => [
      table,
      Array.from(columns.values(), ({ name, type }) => [name, type]),
    ]),
  );
}
