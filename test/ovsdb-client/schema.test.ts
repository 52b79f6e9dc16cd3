import { describe, expect, it } from '@jest/globals';
import { parseSchema, SchemaError } from '../../src/ovsdb-client/index.ts';

const schema = {
  name: 'Zoo',
  version: '2.1.0',
  cksum: '1 2',
  tables: {
    Cage: {
      isRoot: true,
      maxRows: 7,
      indexes: [['name'], ['row', 'number']],
      columns: {
        name: { type: 'string', mutable: false },
        row: { type: { key: { type: 'integer', minInteger: 1, maxInteger: 9 } } },
        number: { type: 'integer', ephemeral: true },
        state: { type: { key: { type: 'string', enum: ['set', ['open', 'shut']] }, min: 0, max: 1 } },
        kind: { type: { key: { type: 'string', enum: 'iron' } } },
        animals: { type: { key: { type: 'uuid', refTable: 'Animal' }, min: 0, max: 'unlimited' } },
        visitors: {
          type: { key: { type: 'uuid', refTable: 'Animal', refType: 'weak' }, min: 0, max: 3 },
        },
        notes: { type: { key: 'string', value: { type: 'real', minReal: 0.5 }, min: 0, max: 'unlimited' } },
      },
    },
    Animal: { columns: { name: { type: { key: { type: 'string', maxLength: 5 } } } } },
  },
};

describe('a schema', () => {
  const parsed = parseSchema(schema);

  it('knows its name, tables and columns', () => {
    expect([parsed.name, parsed.version]).toEqual(['Zoo', '2.1.0']);
    expect(parsed.hasTable('Cage')).toBe(true);
    expect(parsed.hasTable('cage')).toBe(false);
    expect(parsed.hasTable('constructor')).toBe(false);
    expect(parsed.hasColumn('Cage', 'row')).toBe(true);
    expect(parsed.hasColumn('Cage', 'tier')).toBe(false);
    expect(parsed.hasColumn('Nothing', 'row')).toBe(false);
  });

  it('reads types, bounds, references and enumerations', () => {
    const type = (column: string) => parsed.column('Cage', column).type;
    expect(type('name')).toEqual({
      key: { type: 'string' },
      value: undefined,
      min: 1,
      max: 1,
      shape: 'scalar',
    });
    expect(type('row').key).toEqual({ type: 'integer', minimum: 1, maximum: 9 });
    expect(type('state')).toMatchObject({ min: 0, max: 1, shape: 'optional' });
    expect(type('state').key.enum).toEqual(new Set(['open', 'shut']));
    expect(type('kind').key.enum).toEqual(new Set(['iron']));
    expect(type('animals')).toMatchObject({ min: 0, max: Infinity, shape: 'set' });
    expect(type('animals').key).toEqual({ type: 'uuid', refTable: 'Animal', refType: 'strong' });
    expect(type('visitors').key).toEqual({ type: 'uuid', refTable: 'Animal', refType: 'weak' });
    expect(type('notes')).toMatchObject({ shape: 'map', value: { type: 'real', minimum: 0.5 } });
    expect(parsed.column('Animal', 'name').type.key).toEqual({ type: 'string', maximum: 5 });
  });

  it('reads what a table and a column are', () => {
    expect(parsed.tables.get('Cage')).toMatchObject({
      isRoot: true,
      maxRows: 7,
      indexes: [['name'], ['row', 'number']],
    });
    expect(parsed.tables.get('Animal')).toMatchObject({ isRoot: false, maxRows: Infinity, indexes: [] });
    expect(parsed.column('Cage', 'name')).toMatchObject({ mutable: false, ephemeral: false });
    expect(parsed.column('Cage', 'number')).toMatchObject({ mutable: true, ephemeral: true });
  });

  it('takes all tables for roots where none is marked', () => {
    const { Animal } = schema.tables;
    expect(parseSchema({ ...schema, tables: { Animal } }).tables.get('Animal')?.isRoot).toBe(true);
  });

  it('names what it does not have', () => {
    expect(() => parsed.column('Cage', 'tier')).toThrow('schema Zoo 2.1.0 has no column Cage.tier');
  });

  const withColumn = (type: unknown) => ({ ...schema, tables: { T: { columns: { c: { type } } } } });
  it.each([
    [null, 'schema: must be an object'],
    [[], 'schema: must be an object'],
    [{ name: 'Zoo', version: '1' }, 'schema: tables: must be an object'],
    [{ version: '1', tables: {} }, 'schema: name: must be text'],
    [withColumn('text'), 'T.c: type: "text" is no type of RFC 7047'],
    [withColumn(undefined), 'T.c: type: must be an object'],
    [withColumn({ key: 'string', min: 2 }), 'T.c: type: min must be 0 or 1'],
    [withColumn({ key: 'string', max: 0 }), 'T.c: type: max must be at least 1 or "unlimited"'],
    [withColumn({ key: 'string', max: 'many' }), 'T.c: type: max: must be a number'],
    [withColumn({ key: { type: 'string', enum: [{}] } }), 'T.c: enum: [{}] is no atom'],
    [{ ...schema, tables: { T: { columns: {}, indexes: [['x']] } } }, 'T: indexes: there is no column x'],
  ])('refuses %j', (json, message) => {
    expect(() => parseSchema(json)).toThrow(new SchemaError(message));
  });
});
