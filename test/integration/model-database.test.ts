import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Operation, OperationError, Session, type Value } from '../../src/ovsdb-client/index.ts';
import { ModelDatabase } from '../support/model-database.ts';
import { modelSchema, modelSchemaJson } from '../support/model-schema.ts';
import { databaseFolder, ovn, RealServer } from '../support/ovsdb-server.ts';

const folder = databaseFolder();
let server: RealServer;
let session: Session;

beforeAll(async () => {
  const root = await ovn();
  const schema = join(folder, 'model.ovsschema');
  writeFileSync(schema, JSON.stringify(modelSchemaJson));
  server = new RealServer({
    root: { ...root, schemaPath: () => schema, command: root.command.bind(root) },
    folder,
    name: 'model',
  });
  server.create('ovn-nb');
  server.start();
  const tables = Object.fromEntries(
    [...modelSchema.tables.values()].map(({ name, columns }) => [name, [...columns.keys()]]),
  );
  session = new Session({ remotes: [server.endpoint], database: 'Model', tables });
  session.start();
  await session.ready(5_000);
}, 120_000);

afterAll(async () => {
  await session?.close();
  server?.stop();
  rmSync(folder, { recursive: true });
});

// Few rows, so that operations meet: each has one UUID for its whole life.
const uuid = (table: string, index: number) =>
  `${'Bridge Port Group Rule Pool'.split(' ').indexOf(table)}0000000-0000-4000-8000-00000000000${index}`;
const indexArbitrary = fc.nat(2);
const refTo = (table: string) => indexArbitrary.map(index => ['uuid', uuid(table, index)]);
const refs = (table: string) =>
  fc.uniqueArray(refTo(table), { maxLength: 2, selector: ([, id]) => id ?? '' }).map(set => ['set', set]);
const text = fc.constantFrom('a', 'b');
const map = fc.dictionary(text, text).map(pairs => ['map', Object.entries(pairs)]);

const setColumns: readonly (readonly [table: string, column: string, value: fc.Arbitrary<unknown>])[] = [
  ['Bridge', 'ports', refs('Port')],
  ['Bridge', 'pools', refs('Pool')],
  ['Bridge', 'config', map],
  ['Group', 'ports', refs('Port')],
  ['Group', 'rules', refs('Rule')],
  ['Pool', 'addresses', fc.subarray(['x', 'y']).map(set => ['set', set])],
];
const scalars: readonly (readonly [table: string, column: string, value: fc.Arbitrary<unknown>])[] = [
  ['Port', 'tag', fc.constantFrom(5, 101, ['set', []])],
  ['Port', 'pool', fc.oneof(refTo('Pool'), fc.constant(['set', []]))],
  ['Port', 'name', text],
  ['Rule', 'priority', fc.constantFrom(1, -1)],
  ['Bridge', 'name', text],
];
const where = (table: string) => indexArbitrary.map(index => [['_uuid', '==', ['uuid', uuid(table, index)]]]);

const operationArbitrary: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('Bridge', 'Port', 'Group', 'Rule', 'Pool').chain(table =>
      indexArbitrary.map(
        (index): Operation => ({
          op: 'insert',
          table,
          uuid: uuid(table, index),
          row: table === 'Rule' ? { match: 'm' } : { name: `${table}${index}` },
        }),
      ),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom(...setColumns).chain(([table, column, value]) =>
      fc.tuple(where(table), fc.constantFrom('insert', 'delete'), value).map(
        ([rows, mutator, set]): Operation => ({
          op: 'mutate',
          table,
          where: rows,
          mutations: [[column, mutator, set]],
        }),
      ),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(...setColumns, ...scalars)
      .chain(([table, column, value]) =>
        fc
          .tuple(where(table), value)
          .map(([rows, set]): Operation => ({ op: 'update', table, where: rows, row: { [column]: set } })),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('Bridge', 'Group', 'Pool')
      .chain(table => where(table).map((rows): Operation => ({ op: 'delete', table, where: rows }))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(where('Bridge'), refs('Port')).map(
      ([rows, ports]): Operation => ({
        op: 'wait',
        timeout: 0,
        table: 'Bridge',
        where: rows,
        columns: ['ports'],
        until: '==',
        rows: [{ ports }],
      }),
    ),
  },
);

/** A row that a transaction inserts and deletes was never there: its UUID is free again, unlike that of an older row. */
const insertedAndDeleted = (() => {
  const uuid = '40000000-0000-4000-8000-000000000001';
  const insert = { op: 'insert', table: 'Pool', uuid, row: { name: 'Pool1' } };
  return [insert, { op: 'delete', table: 'Pool', where: [['_uuid', '==', ['uuid', uuid]]] }, insert];
})();

type Outcome = { readonly results: unknown } | { readonly error: string; readonly index: number | undefined };

function failure(error: unknown): Outcome {
  if (error instanceof OperationError) return { error: error.code, index: error.operationIndex };
  throw error;
}

function dump(
  rowsOf: (table: string) => Iterable<readonly [string, Readonly<Record<string, Value>>]>,
): unknown {
  const plain = (value: Value) => (value instanceof Set || value instanceof Map ? [...value].sort() : value);
  return [...modelSchema.tables.keys()].map(table =>
    Array.from(rowsOf(table), ([id, columns]) => [
      id,
      ...Object.keys(columns)
        .sort()
        .map(name => [name, plain(columns[name])]),
    ]).sort(),
  );
}

describe('the model database of the unit tests', () => {
  it('answers and ends like the real server', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(operationArbitrary, { minLength: 1, maxLength: 5 }), { maxLength: 8 }),
        async all => {
          const model = new ModelDatabase(modelSchema);
          await session.transact(
            ['Bridge', 'Group', 'Pool'].map(table => ({ op: 'delete', table, where: [] })),
          );
          for (const operations of all) {
            let expected: Outcome;
            try {
              expected = { results: model.execute(operations) };
            } catch (error) {
              expected = failure(error);
            }
            const actual = await session
              .transact(operations)
              .then((results): Outcome => ({ results }), failure);
            expect(actual).toEqual(expected);
          }
          // The updates of what was answered may still be on their way; a comment's answer comes after them.
          await session.transact([{ op: 'comment', comment: '' }]);
          const real = dump(table =>
            [...session.rows(table)].map(([id, { columns }]) => [id, columns] as const),
          );
          expect(real).toEqual(dump(table => model.tables.get(table) ?? []));
        },
      ),
      { numRuns: 300, examples: [[[insertedAndDeleted]]] },
    );
  }, 60_000);
});
