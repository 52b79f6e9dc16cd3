/** The Kubernetes object behind a unit, as messages name it: `Node a`, `Pod ns/name`; a unit without one is itself. */
export function objectOfUnit(unit: string): string {
  const slash = unit.indexOf('/');
  if (slash < 0) return unit;
  const kind = kinds[unit.slice(0, slash)];
  return kind === undefined ? unit : `${kind} ${unit.slice(slash + 1)}`;
}

const kinds: Readonly<Record<string, string>> = { node: 'Node', pod: 'Pod' };
