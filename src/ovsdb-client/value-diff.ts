import type { Atom, ColumnDelta, Value } from './types.ts';

/** What turns `old` into `next`; undefined where they are equal. Values of two kinds differ as a whole. */
export function diffValues(old: Value, next: Value): ColumnDelta | undefined {
  if (old instanceof Set && next instanceof Set) return diffSets(old, next);
  if (old instanceof Map && next instanceof Map) return diffMaps(old, next);
  return old === next ? undefined : { kind: 'scalar', old, new: next };
}

function diffSets(old: ReadonlySet<Atom>, next: ReadonlySet<Atom>): ColumnDelta | undefined {
  const added: Atom[] = [];
  const removed: Atom[] = [];
  for (const atom of next) if (!old.has(atom)) added.push(atom);
  for (const atom of old) if (!next.has(atom)) removed.push(atom);
  return added.length + removed.length === 0 ? undefined : { kind: 'set', added, removed };
}

function diffMaps(old: ReadonlyMap<Atom, Atom>, next: ReadonlyMap<Atom, Atom>): ColumnDelta | undefined {
  const set = new Map<Atom, Atom>();
  const removed: Atom[] = [];
  for (const [key, value] of next) if (old.get(key) !== value) set.set(key, value);
  for (const key of old.keys()) if (!next.has(key)) removed.push(key);
  return set.size + removed.length === 0 ? undefined : { kind: 'map', set, removed };
}
