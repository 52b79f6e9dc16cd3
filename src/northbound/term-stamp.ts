import {
  byUuid,
  type Condition,
  comment,
  mutate,
  type Operation,
  type Row,
  type WireRow,
} from '../ovsdb-client/index.ts';

/** Who may write, and since when: a higher term was given later. */
export interface Term {
  readonly number: number;
  readonly identity: string;
}

/** What the northbound says of the term. */
export interface SeenStamp {
  /** The row that carries it. */
  readonly row: string;
  /** The stamp as it is there; undefined where there is none. */
  readonly text: string | undefined;
  /** What it says; undefined where there is none, or where it makes no sense. */
  readonly term: Term | undefined;
}

/** Terms are counted in 31 bits, as Kubernetes' Leases do it: there is none above. */
export const HIGHEST_TERM = 2 ** 31 - 1;

const TABLE = 'NB_Global';
const COLUMN = 'external_ids';

/** The columns to monitor for {@link TermStamp}. */
export const STAMP_TABLES = { [TABLE]: [COLUMN] } as const;

/**
 * The stamp that says which writer of an installation is the newest: a key of ours in NB_Global's `external_ids`, with
 * `TERM/IDENTITY` as its value. ovn-northd makes the row; we never do.
 */
export class TermStamp {
  readonly key: string;

  constructor(installation: string) {
    this.key = `kube-northbound/term/${installation}`;
  }

  /** What the mirror shows; undefined while there is no NB_Global. */
  read(rows: ReadonlyMap<string, Row>): SeenStamp | undefined {
    for (const { uuid, columns } of rows.values()) {
      const map = columns[COLUMN];
      const value = map instanceof Map ? map.get(this.key) : undefined;
      const text = typeof value === 'string' ? value : undefined;
      return { row: uuid, text, term: text === undefined ? undefined : parseTerm(text) };
    }
    return undefined;
  }

  /** Fails a transaction ('timed out') unless the stamp is this very one: by `includes`, as the map is everybody's. */
  check(text: string): Operation {
    return this.#require([[COLUMN, 'includes', this.#pair(text)]]);
  }

  /** A transaction that puts another stamp in the place of the one that was seen, and fails where that has changed. */
  replace(seen: SeenStamp, text: string): readonly Operation[] {
    const where = byUuid(seen.row);
    const note = comment(`kube-northbound: ${this.key} = ${text}`);
    if (seen.text !== undefined) {
      return [
        this.check(seen.text),
        mutate(TABLE, where, [
          [COLUMN, 'delete', ['set', [this.key]]],
          [COLUMN, 'insert', this.#pair(text)],
        ]),
        note,
      ];
    }
    // RFC 7047, 5.1: "insert" leaves a key that has come meanwhile as it is, and then the check fails.
    return [mutate(TABLE, where, [[COLUMN, 'insert', this.#pair(text)]]), this.check(text), note];
  }

  #require(where: readonly Condition[]): Operation {
    const rows: readonly WireRow[] = [{}];
    return { op: 'wait', timeout: 0, table: TABLE, where, columns: [], until: '==', rows };
  }

  #pair(text: string): unknown {
    return ['map', [[this.key, text]]];
  }
}

export function formatTerm({ number, identity }: Term): string {
  return `${number}/${identity}`;
}

function parseTerm(text: string): Term | undefined {
  const [, digits, identity] = /^(\d{1,10})\/(.+)$/.exec(text) ?? [];
  const number = Number(digits);
  return identity === undefined || number > HIGHEST_TERM ? undefined : { number, identity };
}
