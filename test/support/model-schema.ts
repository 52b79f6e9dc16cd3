import { parseSchema } from '../../src/ovsdb-client/index.ts';
import { exclusive, keys, members, type Ownership, status } from '../../src/ovsdb-state/index.ts';

const map = { key: 'string', value: 'string', min: 0, max: 'unlimited' };
const texts = { key: 'string', min: 0, max: 'unlimited' };
const refs = (refTable: string, refType: 'strong' | 'weak') => ({
  key: { type: 'uuid', refTable, refType },
  min: 0,
  max: 'unlimited',
});
const optionalRef = (refTable: string, refType: 'strong' | 'weak') => ({
  ...refs(refTable, refType),
  max: 1,
});

/** A schema with one of everything that matters to us: roots, children, both kinds of references, indexes. */
export const modelSchemaJson = {
  name: 'Model',
  version: '1.0.0',
  tables: {
    Bridge: {
      isRoot: true,
      columns: {
        name: { type: 'string' },
        ports: { type: refs('Port', 'strong') },
        pools: { type: refs('Pool', 'weak') },
        config: { type: map },
        external_ids: { type: map },
      },
    },
    Port: {
      indexes: [['name']],
      columns: {
        name: { type: 'string' },
        addresses: { type: texts },
        tag: { type: { key: { type: 'integer', minInteger: 0, maxInteger: 100 }, min: 0, max: 1 } },
        pool: { type: optionalRef('Pool', 'weak') },
        meter: { type: optionalRef('Meter', 'strong') },
        up: { type: { key: 'boolean', min: 0, max: 1 } },
        options: { type: map },
        external_ids: { type: map },
      },
    },
    Group: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        name: { type: 'string' },
        ports: { type: refs('Port', 'weak') },
        rules: { type: refs('Rule', 'strong') },
        external_ids: { type: map },
      },
    },
    Rule: {
      columns: {
        match: { type: 'string' },
        priority: { type: { key: { type: 'integer', minInteger: 0, maxInteger: 100 } } },
        external_ids: { type: map },
      },
    },
    Meter: {
      columns: {
        rate: { type: 'integer' },
        external_ids: { type: map },
      },
    },
    Pool: {
      isRoot: true,
      columns: {
        name: { type: 'string' },
        addresses: { type: texts },
        external_ids: { type: map },
      },
    },
  },
} as const;

export const modelSchema = parseSchema(modelSchemaJson);

export const modelOwnership: Ownership = {
  installation: 'ours',
  phases: [['Bridge', 'Pool', 'Group'], ['Rule', 'Meter'], ['Port']],
  tables: {
    Bridge: {
      naturalKey: 'name',
      assertsName: true,
      columns: { name: exclusive, ports: members, pools: members, config: keys('a', 'b') },
    },
    Port: {
      naturalKey: 'name',
      columns: {
        name: exclusive,
        addresses: exclusive,
        tag: exclusive,
        pool: exclusive,
        meter: exclusive,
        up: status,
        options: keys('x'),
        external_ids: keys('note'),
      },
    },
    Group: {
      naturalKey: 'name',
      columns: { name: exclusive, ports: members, rules: exclusive },
    },
    Meter: { columns: { rate: exclusive } },
    Rule: { columns: { match: exclusive, priority: exclusive } },
    Pool: { naturalKey: 'name', columns: { name: exclusive, addresses: exclusive } },
  },
};
