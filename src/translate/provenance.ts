/** The Kubernetes object behind a unit, as messages name it: `Node a`, `Pod ns/name`; undefined where there is none. */
export function objectOfUnit(unit: string): string | undefined {
  const slash = unit.indexOf('/');
  const kind = kinds[unit.slice(0, Math.max(slash, 0))];
  return kind === undefined ? undefined : `${kind} ${unit.slice(slash + 1)}`;
}

const kinds: Readonly<Record<string, string>> = { node: 'Node', pod: 'Pod' };
