import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  capabilitiesOf,
  northboundOwnership,
  northboundTables,
  readNorthboundSchema,
  requireColumns,
  requireNorthbound,
  rowsAsJson,
  rowsAsText,
  rowsAsTransaction,
} from '../../src/northbound/index.ts';
import { parseSchema, SchemaError, ValueError } from '../../src/ovsdb-client/index.ts';
import { ref } from '../../src/ovsdb-state/index.ts';
import { type ModelRows, ModelWish } from '../support/model-wish.ts';

const schemas = join('src', 'northbound', 'schemas');
const old = readNorthboundSchema();
const recent = readNorthboundSchema(join(schemas, 'ovn-nb-7.11.0.ovsschema'));
const folder = mkdtempSync(join(tmpdir(), 'northbound-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('schemas', () => {
  it('are read from files; the oldest one is built in', () => {
    expect([old.version, recent.version]).toEqual(['7.0.0', '7.11.0']);
  });

  it('of another database and broken ones are refused by name', () => {
    const path = join(folder, 'x.ovsschema');
    writeFileSync(path, '{"name": "Other", "version": "1.0.0", "tables": {}}');
    expect(() => readNorthboundSchema(path)).toThrow(/x\.ovsschema.*Other/);
    writeFileSync(path, '{');
    expect(() => readNorthboundSchema(path)).toThrow(/x\.ovsschema.*JSON/);
    expect(() => readNorthboundSchema(join(folder, 'gone'))).toThrow(/^the schema .*gone cannot be read/);
  });

  it('say what a northbound can do', () => {
    expect(capabilitiesOf(old)).toEqual({ aclTiers: false, natMatch: false, chassisTemplates: true });
    expect(capabilitiesOf(recent)).toEqual({ aclTiers: true, natMatch: true, chassisTemplates: true });
  });

  it('that lack a column are refused with all that they lack', () => {
    expect(() => requireNorthbound(old)).not.toThrow();
    expect(() => requireNorthbound(recent)).not.toThrow();
    expect(() => requireColumns(old, { ACL: ['tier'], Sample: ['name'], NAT: ['type', 'match'] })).toThrow(
      new SchemaError(
        'the schema 7.0.0 of OVN_Northbound lacks column ACL.tier, table Sample, column NAT.match; a newer OVN has it',
      ),
    );
    const json = JSON.parse(readFileSync(join(schemas, 'ovn-nb-7.0.0.ovsschema'), 'utf8'));
    delete json.tables.Logical_Switch_Port.columns.port_security;
    expect(() => requireNorthbound(parseSchema(json))).toThrow(/column Logical_Switch_Port\.port_security/);
  });
});

describe('ownership', () => {
  it('claims only columns that some schema has, and writes every table in some phase', () => {
    const { tables, phases } = northboundOwnership('x');
    for (const [table, { columns }] of Object.entries(tables)) {
      for (const column of Object.keys(columns))
        expect([table, column, recent.hasColumn(table, column)]).toEqual([table, column, true]);
    }
    expect(phases.flat().sort()).toEqual(Object.keys(tables).sort());
  });

  it('monitors all that it claims, and the marks', () => {
    expect(northboundTables.Logical_Switch).toEqual(
      expect.arrayContaining(['name', 'ports', 'external_ids']),
    );
    expect(northboundTables.Logical_Switch_Port).toEqual(expect.arrayContaining(['up', 'external_ids']));
  });
});

describe('the generated types', () => {
  it('are those of the schema', () => {
    const target = join(folder, 'tables.gen.ts');
    execFileSync(process.execPath, ['tools/modelgen.mjs', join(schemas, 'ovn-nb-7.0.0.ovsschema'), target]);
    expect(readFileSync(join('src', 'northbound', 'tables.gen.ts'), 'utf8')).toBe(
      readFileSync(target, 'utf8'),
    );
  });
});

const rows: ModelRows = {
  Logical_Switch_Port: {
    p2: {
      columns: { name: 'p2', addresses: ['b', 'a'], options: { 'router-port': 'x', 'iface-id-ver': 'y' } },
    },
    p1: { columns: { name: 'p1', tag_request: [], addresses: [] } },
  },
  Logical_Switch: {
    s: {
      columns: { name: 's' },
      members: {
        ports: {
          p2: ref('Logical_Switch_Port', 'p2'),
          gone: ref('Logical_Switch_Port', 'gone'),
          p1: ref('Logical_Switch_Port', 'p1'),
        },
      },
    },
  },
};

function wishOf(all: ModelRows): ModelWish {
  const wish = new ModelWish();
  wish.set(all);
  return wish;
}

/** The same rows, told the other way round. */
function reversed<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  ) as T;
}

describe('rows', () => {
  it('as text, in one order', () => {
    const text = `Logical_Switch s
  name: "s"
  ports:
    Logical_Switch_Port p1
    Logical_Switch_Port p2

Logical_Switch_Port p1
  addresses: []
  name: "p1"
  tag_request: []

Logical_Switch_Port p2
  addresses:
    "a"
    "b"
  name: "p2"
  options:
    iface-id-ver="y"
    router-port="x"
`;
    expect(rowsAsText(wishOf(rows))).toBe(text);
    expect(rowsAsText(wishOf(reversed(rows)))).toBe(text);
  });

  it('as plain data, with references as keys', () => {
    expect(rowsAsJson(wishOf(rows))).toEqual({
      Logical_Switch: [{ key: 's', name: 's', ports: ['p1', 'p2'] }],
      Logical_Switch_Port: [
        { key: 'p1', name: 'p1', tag_request: [], addresses: [] },
        {
          key: 'p2',
          name: 'p2',
          addresses: ['a', 'b'],
          options: { 'iface-id-ver': 'y', 'router-port': 'x' },
        },
      ],
    });
  });

  it('as one transaction, the same bytes whatever the order', () => {
    const transaction = rowsAsTransaction(wishOf(rows), old, 'inst');
    expect(transaction.slice(0, 2)).toEqual([
      'OVN_Northbound',
      {
        op: 'insert',
        table: 'Logical_Switch',
        'uuid-name': 'Logical_Switch_1',
        row: {
          name: 's',
          ports: [
            'set',
            [
              ['named-uuid', 'Logical_Switch_Port_1'],
              ['named-uuid', 'Logical_Switch_Port_2'],
            ],
          ],
          external_ids: [
            'map',
            [
              ['kube-northbound/installation', 'inst'],
              ['kube-northbound/key', 's'],
              ['kube-northbound/unit', 'unit/s'],
            ],
          ],
        },
      },
    ]);
    expect(transaction).toHaveLength(4);
    expect(JSON.stringify(rowsAsTransaction(wishOf(reversed(rows)), old, 'inst'))).toBe(
      JSON.stringify(transaction),
    );
  });

  it('that do not fit the schema are named', () => {
    const wish = wishOf({ Logical_Switch_Port: { p: { columns: { name: 'p', tag_request: 5000 } } } });
    expect(() => rowsAsTransaction(wish, old, 'inst')).toThrow(ValueError);
    expect(() => rowsAsTransaction(wish, old, 'inst')).toThrow(/Logical_Switch_Port p: tag_request: /);
  });
});
