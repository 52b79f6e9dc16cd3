/** Who has what. A resource is an address, a MAC on a node, or a subnet. */
export interface Ledger<R, T> {
  /** Who has the resource, or one that overlaps it: of several somebody else than `but`. */
  holderOf(resource: R, but?: T): T | undefined;
  add(resource: R, holder: T): void;
  delete(resource: R): void;
  same(a: R, b: R): boolean;
}

/** Somebody who has some resources (they are in the ledger) and wants to have exactly others. */
export interface Mover<R, T> {
  readonly who: T;
  readonly has: readonly R[];
  readonly wants: readonly R[];
}

/** What a mover could not get, and who has it. */
export interface Conflict<R, T> {
  readonly resource: R;
  readonly holder: T;
}

/**
 * Moves everybody at once, each wholly or not at all, and returns those that could not and stay where they are. A holder
 * that does not move away keeps what it has; for what is or becomes free the order of `movers` decides. So two may swap,
 * and where everybody wants something else, everybody gets it, whatever they had before.
 */
export function resolveMoves<R, T>(
  movers: readonly Mover<R, T>[],
  ledger: Ledger<R, T>,
): ReadonlyMap<T, Conflict<R, T>> {
  let stuck = moveTogether(movers, ledger);
  // Somebody may be stuck on what another took only for a while. Each turn moves at least one for good.
  for (;;) {
    const able = stuck.filter(mover => !conflictOf(mover, ledger));
    if (able.length === 0) break;
    const stillStuck = new Set(moveTogether(able, ledger));
    stuck = stuck.filter(mover => !able.includes(mover) || stillStuck.has(mover));
  }
  const conflicts = new Map<T, Conflict<R, T>>();
  for (const mover of stuck) {
    const conflict = conflictOf(mover, ledger);
    if (conflict) conflicts.set(mover.who, conflict);
  }
  return conflicts;
}

/**
 * Assumes that all movers leave what they no longer want. One that then fails takes back what it left; whoever counted
 * on that has to try again.
 */
function moveTogether<R, T>(movers: readonly Mover<R, T>[], ledger: Ledger<R, T>): readonly Mover<R, T>[] {
  for (const mover of movers) for (const resource of leftBy(mover, ledger)) ledger.delete(resource);
  const back: Mover<R, T>[] = [];
  let open = movers;
  for (;;) {
    const moved: Mover<R, T>[] = [];
    const failed: Mover<R, T>[] = [];
    for (const mover of open) {
      if (conflictOf(mover, ledger)) {
        failed.push(mover);
      } else {
        for (const resource of mover.wants) ledger.add(resource, mover.who);
        moved.push(mover);
      }
    }
    const returning = new Set(failed.filter(mover => leftBy(mover, ledger).length > 0));
    if (returning.size === 0) return [...back, ...failed];
    for (const mover of moved) for (const resource of gainOf(mover, ledger)) ledger.delete(resource);
    for (const mover of returning) for (const resource of mover.has) ledger.add(resource, mover.who);
    back.push(...returning);
    open = open.filter(mover => !returning.has(mover));
  }
}

function conflictOf<R, T>(mover: Mover<R, T>, ledger: Ledger<R, T>): Conflict<R, T> | undefined {
  for (const resource of mover.wants) {
    const holder = ledger.holderOf(resource, mover.who);
    if (holder !== undefined && holder !== mover.who) return { resource, holder };
  }
  return undefined;
}

function leftBy<R, T>({ has, wants }: Mover<R, T>, ledger: Ledger<R, T>): readonly R[] {
  return has.filter(had => !wants.some(wanted => ledger.same(had, wanted)));
}

function gainOf<R, T>({ has, wants }: Mover<R, T>, ledger: Ledger<R, T>): readonly R[] {
  return wants.filter(wanted => !has.some(had => ledger.same(had, wanted)));
}
