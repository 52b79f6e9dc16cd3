import type { OwnedDatabase } from '../ovsdb-state/index.ts';
import type { Translation } from './translation.ts';

/** How many units are run before others have their turn: some ten milliseconds. */
const PIECE = 500;

type Facts = Pick<Translation, 'run' | 'isSettled'>;
type Rows = Pick<OwnedDatabase, 'apply' | 'isEmpty' | 'resync' | 'setPrune'>;

/**
 * Lets the rows follow the facts. The first translation of a large cluster takes seconds: it goes by pieces, so that leases
 * are renewed and echoes answered in between. Where the database has nothing of ours yet, each piece is written while the
 * next is translated. Units that close run before those that open, so that nothing is open that will not stay so. Where
 * there is something, all is compared at the end: what is right must not change on the way.
 */
export class Reconciler {
  readonly #facts: Facts;
  readonly #rows: Rows;
  readonly #onSettled: () => void;
  #phase: 'new' | 'filling' | 'comparing' | 'following' = 'new';
  #prune = false;
  #next: NodeJS.Immediate | undefined;

  /** `onSettled` is called once, when {@link isSettled} becomes true. */
  constructor(facts: Facts, rows: Rows, onSettled: () => void = () => {}) {
    this.#facts = facts;
    this.#rows = rows;
    this.#onSettled = onSettled;
  }

  /** Whether the rows that are wanted are those of the facts as they are now. */
  get isSettled(): boolean {
    return this.#phase === 'following';
  }

  /** Facts have come or changed. `prune`: whether rows that nobody wants may go. The rows follow, now or in pieces. */
  follow(prune: boolean): void {
    this.#prune = prune;
    if (this.#phase === 'following') {
      this.#rows.setPrune(prune);
      this.#rows.apply(this.#facts.run());
    } else if (this.#phase === 'new') {
      this.#phase = this.#rows.isEmpty() ? 'filling' : 'comparing';
      this.#facts.run(PIECE);
      if (this.#phase === 'filling') this.#rows.resync();
      this.#goOn();
    }
  }

  close(): void {
    if (this.#next) clearImmediate(this.#next);
  }

  #goOn(): void {
    if (this.#facts.isSettled) this.#settle();
    else this.#next = setImmediate(() => this.#piece());
  }

  #piece(): void {
    const delta = this.#facts.run(PIECE);
    if (this.#phase === 'filling') this.#rows.apply(delta);
    this.#goOn();
  }

  #settle(): void {
    const isCompared = this.#phase === 'filling';
    this.#phase = 'following';
    this.#rows.setPrune(this.#prune);
    if (!isCompared) this.#rows.resync();
    this.#onSettled();
  }
}
