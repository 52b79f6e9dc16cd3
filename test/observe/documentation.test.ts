import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Component, Metrics } from '../../src/observe/metrics.ts';

/** A row of the table: name, type, labels, and who has it. */
type Line = readonly [name: string, type: string, labels: string, of: string];

function documented(): readonly Line[] {
  const text = readFileSync(join(__dirname, '../../docs/metrics.md'), 'utf8');
  return [...text.matchAll(/^\| `(kube_\w+)` \| (\w+) \|([^|]*)\| (\w+) \| [A-Z1].*\. \|$/gm)].map(
    ([, name = '', type = '', labels = '', of = '']) => [name, type, labels.replaceAll('`', '').trim(), of],
  );
}

function registered(component: Component): ReadonlyMap<string, readonly [type: string, labels: string]> {
  const metrics = new Metrics(component, '0');
  const found = metrics.registry
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith('kube_'))
    .map(metric => {
      // prom-client says it at run time, but not in its types.
      const { name, type, labelNames } = metric as typeof metric & { labelNames: readonly string[] };
      return [name, [String(type), labelNames.join(', ')]] as const;
    });
  metrics.close();
  return new Map(found);
}

describe('docs/metrics.md', () => {
  it('has every metric with its type, its labels and its component, in order', () => {
    const master = registered('master');
    const node = registered('node');
    const names = [...new Set([...master.keys(), ...node.keys()])].sort();
    const expected = names.map(name => {
      const [type = '', labels = ''] = master.get(name) ?? node.get(name) ?? [];
      return [name, type, labels, !node.has(name) ? 'master' : !master.has(name) ? 'node' : 'both'];
    });
    expect(documented()).toEqual(expected);
    expect(names.length).toBeGreaterThan(20);
  });

  it('has every metric that the alerts in operations.md look at', () => {
    const text = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8');
    const named = [...text.matchAll(/kube_northbound_[a-z]\w*/g)].map(([name]) => name);
    const known = new Set(documented().map(([name]) => name));
    const unknown = named.filter(
      name => !known.has(name) && !known.has(name.replace(/_(bucket|count|sum)$/, '')),
    );
    expect(unknown).toEqual([]);
    expect(named.length).toBeGreaterThan(10);
  });

  it('follows the rules of Prometheus for names', () => {
    for (const component of ['master', 'node'] as const) {
      for (const [name, [type]] of registered(component)) {
        expect(name).toMatch(/^kube_northbound_[a-z_]+$/);
        expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
        expect(name).not.toMatch(/_(ms|milliseconds|count|sum|bucket)$/);
      }
    }
  });
});
