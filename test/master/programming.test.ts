import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Programming } from '../../src/master/programming.ts';
import type { Row, RowDelta } from '../../src/ovsdb-client/index.ts';

const CHANNEL = 'kube-northbound:master';
let heard: string[] = [];
const hear = (message: unknown) => {
  const { kind, stage, seconds } = message as Record<string, unknown>;
  heard.push(`${kind} ${stage} ${seconds}`);
};

let now = 0;
let tell: (deltas: readonly RowDelta[]) => void = () => undefined;

beforeEach(() => {
  heard = [];
  now = 0;
  subscribe(CHANNEL, hear);
});
afterEach(() => {
  unsubscribe(CHANNEL, hear);
});

function measure(...before: readonly Row[]): Programming {
  const mirror = {
    rows: () => new Map(before.map(row => [row.uuid, row])),
    onDelta: (listener: typeof tell) => {
      tell = listener;
      return () => {
        tell = () => undefined;
      };
    },
  };
  return new Programming(mirror, () => now);
}

const pod = (instance: string) => ({ namespace: 'shop', name: 'web-1', instance });

function port(instance: string, up?: boolean): Row {
  const options = new Map([['iface-id-ver', instance]]);
  return { uuid: 'u', columns: { name: 'shop_web-1', options, up } };
}

const inserted = (row: Row): RowDelta => ({ kind: 'insert', table: 'Logical_Switch_Port', row });
const changed = (row: Row, column: string): RowDelta => ({
  kind: 'modify',
  table: 'Logical_Switch_Port',
  row,
  changed: { [column]: { kind: 'scalar', old: undefined, new: true } },
});

describe("a pod's way into the network", () => {
  it('is measured from its node to its port, and to the port being up, once', () => {
    const programming = measure();
    programming.came(pod('1'));
    now = 250;
    tell([inserted(port('1'))]);
    now = 2000;
    tell([changed(port('1', true), 'up')]);
    tell([changed(port('1', true), 'addresses')]);
    expect(heard).toEqual(['programmed northbound 0.25', 'programmed up 2']);
  });

  it('does not end with the port of an earlier pod of the name', () => {
    const programming = measure();
    programming.came(pod('1'));
    tell([inserted(port('1', true))]);
    programming.went(pod('1'));
    heard = [];
    programming.came(pod('2'));
    now = 1000;
    tell([changed(port('1', true), 'up')]);
    expect(heard).toEqual([]);
    tell([changed(port('2', true), 'options')]);
    expect(heard).toEqual(['programmed northbound 1']);
    now = 3000;
    tell([changed(port('2', true), 'up')]);
    expect(heard).toEqual(['programmed northbound 1', 'programmed up 3']);
  });

  it('is over when the pod goes, and when its rows do', () => {
    const programming = measure();
    programming.came(pod('1'));
    tell([{ kind: 'delete', table: 'Logical_Switch_Port', row: port('1', true) }]);
    programming.went(pod('1'));
    tell([inserted(port('1', true))]);
    programming.came(pod('2'));
    programming.close();
    tell([inserted(port('2', true))]);
    expect(heard).toEqual([]);
  });

  it('is not measured for pods whose port is there at the start', () => {
    const programming = measure(port('1', true));
    programming.came(pod('1'));
    programming.started();
    tell([changed(port('1', true), 'up')]);
    expect(heard).toEqual([]);
    programming.went(pod('1'));
    programming.came(pod('1'));
    tell([inserted(port('1'))]);
    expect(heard).toEqual(['programmed northbound 0']);
  });
});
