import { describe, expect, it } from '@jest/globals';
import { FactStore } from '../../src/engine/index.ts';

interface Facts {
  pod: { readonly ip: string; readonly labels?: Readonly<Record<string, string>> };
  node: { readonly name: string };
}

function storeWithLog(): { store: FactStore<Facts>; log: string[] } {
  const store = new FactStore<Facts>();
  const log: string[] = [];
  store.subscribe((kind, key, change) => log.push(`${kind} ${key} ${change}`));
  return { store, log };
}

describe('FactStore', () => {
  it('keeps one fact for each kind and key', () => {
    const { store } = storeWithLog();
    store.put('pod', 'b', { ip: '2' });
    store.put('pod', 'a', { ip: '1' });
    store.put('node', 'a', { name: 'a' });
    expect(store.get('pod', 'a')).toEqual({ ip: '1' });
    expect(store.get('pod', 'c')).toBeUndefined();
    expect(store.has('node', 'a')).toBe(true);
    expect(store.has('node', 'b')).toBe(false);
    expect(store.size('pod')).toBe(2);
    expect(store.keys('pod')).toEqual(['a', 'b']);
    store.delete('pod', 'a');
    expect(store.keys('pod')).toEqual(['b']);
    store.put('pod', '0', { ip: '0' });
    expect(store.keys('pod')).toEqual(['0', 'b']);
    expect(store.size('pod')).toBe(2);
  });

  it('is empty at first', () => {
    const { store } = storeWithLog();
    expect([store.keys('pod'), store.size('pod'), store.get('pod', 'a')]).toEqual([[], 0, undefined]);
  });

  it('tells what changed, and nothing of an equal fact or a spurious delete', () => {
    const { store, log } = storeWithLog();
    store.delete('pod', 'a');
    store.put('pod', 'a', { ip: '1', labels: { app: 'shop' } });
    store.put('pod', 'a', { ip: '1', labels: { app: 'shop' } });
    store.put('pod', 'a', { ip: '1', labels: { app: 'stall' } });
    store.delete('pod', 'a');
    store.delete('pod', 'a');
    expect(log).toEqual(['pod a came', 'pod a changed', 'pod a went']);
  });
});
