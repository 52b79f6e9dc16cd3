import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { objectTitle, parsePiece, splitDocuments } from '../../src/cluster/manifests.ts';

const pod = (name: string, rest = '') => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n${rest}`;

function read(text: string) {
  const objects: string[] = [];
  const refusals: string[] = [];
  const faults: string[] = [];
  const raws: unknown[] = [];
  for (const { text: piece, line } of splitDocuments(text)) {
    const parsed = parsePiece(piece);
    for (const placed of parsed.objects) {
      objects.push(`${line + placed.line} ${objectTitle(placed.object)}`);
      raws.push(placed.object.raw);
    }
    for (const refusal of parsed.refusals) refusals.push(`${line + refusal.line} ${refusal.reason}`);
    const { fault } = parsed;
    if (fault) faults.push(`${line + fault.line}:${fault.column} ${fault.reason}`);
  }
  return { objects, refusals, faults, raws };
}

const rawOf = (text: string) => read(text).raws[0];

describe('a document that is nested too deeply', () => {
  it.each([
    ['YAML', 'a: 1\nb: ', ''],
    ['JSON', '{"b": ', '}'],
  ])('is a fault: %s', (_, before, after) => {
    const { faults, objects } = read(`${before}${'['.repeat(20_000)}${']'.repeat(20_000)}${after}`);
    expect(objects).toEqual([]);
    expect(faults).toEqual([expect.stringMatching(/^\d+:\d+ nested too deeply$/)]);
  });
});

it('a document that aliases make too deep is a fault', () => {
  const lists = (inner: string) => `${'['.repeat(100)}${inner}${']'.repeat(100)}`;
  const lines = Array.from(
    { length: 12 },
    (_, i) => `a${i}: &a${i} ${lists(i === 0 ? '1' : `*a${i - 1}`)}\n`,
  );
  expect(read(pod('a', lines.join(''))).faults).toEqual(['1:1 its aliases expand without bounds']);
  expect(read(pod('a', lines.slice(0, 5).join(''))).faults).toEqual([]);
});

describe('splitting a manifest', () => {
  it.each([
    ['one document', 'a: 1\n', ['1 a: 1\n']],
    ['a marker first', '---\na: 1\n---\nb: 2', ['1 ---\na: 1\n', '3 ---\nb: 2']],
    ['a byte order mark', '\uFEFFa: 1', ['1 a: 1']],
    ['Windows line ends', 'a: 1\r\n---\r\nb: 2', ['1 a: 1\r\n', '2 ---\r\nb: 2']],
    [
      'directives go with what follows',
      'a: 1\n...\n%YAML 1.1\n---\nb: 2',
      ['1 a: 1\n...\n', '3 %YAML 1.1\n---\nb: 2'],
    ],
    ['directives first', '%YAML 1.1\n---\nb: 2', ['1 %YAML 1.1\n---\nb: 2']],
    ['dashes that are no marker', 'a: |\n  ---\n----\n', ['1 a: |\n  ---\n----\n']],
  ])('%s', (_, text, pieces) => {
    expect([...splitDocuments(text)].map(piece => `${piece.line} ${piece.text}`)).toEqual(pieces);
  });

  it('loses no text and counts every line', () => {
    const line = fc.constantFrom('---', '%A', '...', 'a: 1', '', '--- x', ' ---');
    fc.assert(
      fc.property(fc.array(line), lines => {
        const text = lines.join('\n');
        let before = '';
        for (const piece of splitDocuments(text)) {
          expect(piece.line).toBe(before.split('\n').length);
          before += piece.text;
        }
        expect(before).toBe(text);
      }),
    );
  });
});

describe('objects', () => {
  it('come from many documents, each with its line; empty documents are skipped', () => {
    const { objects, refusals, faults } = read(
      `---\n# nothing\n---\n${pod('a')}---\n---\n${pod('b')}--- ~\n---\n${pod('c', '  namespace: shop\n')}`,
    );
    expect(objects).toEqual(['4 Pod default/a', '10 Pod default/b', '16 Pod shop/c']);
    expect([...refusals, ...faults]).toEqual([]);
  });

  it('have their namespace filled in, where their kind has one', () => {
    expect(rawOf(pod('a'))).toMatchObject({ metadata: { name: 'a', namespace: 'default' } });
    expect(rawOf(pod('a', '  namespace: ""'))).toMatchObject({ metadata: { namespace: 'default' } });
    const node = 'apiVersion: v1\nkind: Node\nmetadata: {name: n, namespace: wrong}';
    expect(read(node).objects).toEqual(['1 Node n']);
    expect(rawOf(node)).toEqual({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } });
    expect(read('apiVersion: v1\nkind: Namespace\nmetadata: {name: n}').objects).toEqual(['1 Namespace n']);
    expect(read('apiVersion: longhorn.io/v1\nkind: Node\nmetadata: {name: n}').objects).toEqual([
      '1 Node default/n',
    ]);
  });

  it('unfold from lists, with the line of each', () => {
    const list = [
      'apiVersion: v1',
      'kind: List',
      'items:',
      '- apiVersion: v1',
      '  kind: Pod',
      '  metadata: {name: a}',
      '- {apiVersion: v1, kind: NodeList, items: [',
      '    {metadata: {name: n}},',
      '    {apiVersion: v1, kind: Node, metadata: {name: m}}]}',
      '- seven',
      '- {apiVersion: v1, kind: Pod}',
    ];
    const { objects, refusals } = read(`# first\n---\n${list.join('\n')}`);
    expect(objects).toEqual(['6 Pod default/a', '10 Node n', '11 Node m']);
    expect(refusals).toEqual([
      '3 items[2] is not a Kubernetes object',
      '13 items[3]: not a Kubernetes object: lacks metadata.name',
    ]);
    expect(rawOf(list.join('\n').replace('kind: List', 'kind: PodList'))).toBeDefined();
  });

  it('a list may be empty, but not be something else', () => {
    expect(read('apiVersion: v1\nkind: List')).toMatchObject({ objects: [], refusals: [], faults: [] });
    expect(read('apiVersion: v1\nkind: PodList\nitems:')).toMatchObject({ objects: [], refusals: [] });
    expect(read('apiVersion: v1\nkind: List\nitems: 3').refusals).toEqual([
      '1 "items" of a list must be a list',
    ]);
    expect(read('apiVersion: x/v1\nkind: PriceList\nmetadata: {name: p}').objects).toEqual([
      '1 PriceList default/p',
    ]);
  });

  it('lacking what makes an object are refused', () => {
    expect(read('---\na: 1\n').refusals).toEqual([
      '2 not a Kubernetes object: lacks apiVersion, kind, metadata.name',
    ]);
    expect(read('apiVersion: v1\nkind: ""\nmetadata: 3').refusals).toEqual([
      '1 not a Kubernetes object: lacks kind, metadata.name',
    ]);
  });

  it.each([
    ['name: 123', 'metadata.name must be text, but is 123: write it in quotes'],
    ['name: yes', 'metadata.name must be text, but is true: write it in quotes'],
    ['name: a\n  namespace: 1.10', 'metadata.namespace must be text, but is 1.1: write it in quotes'],
    ['name: a/b', 'metadata.name "a/b" is no name for a Kubernetes object'],
    ['name: ".."', 'metadata.name ".." is no name for a Kubernetes object'],
    ['name: "a b"', 'metadata.name "a b" is no name for a Kubernetes object'],
    ['name: "a\\u0000b"', 'metadata.name "a\\u0000b" is no name for a Kubernetes object'],
  ])('refuses %s', (field, reason) => {
    expect(read(`apiVersion: v1\nkind: Pod\nmetadata:\n  ${field}\n`).refusals).toEqual([`1 ${reason}`]);
  });

  it('takes numbers and truth values as text where Kubernetes has text', () => {
    const metadata = [
      'uid: 123',
      'labels: {version: 1.10, on: yes, empty: }',
      'annotations: {a: 7, b: {c: 8}}',
    ];
    expect(rawOf(pod('a', `  ${metadata.join('\n  ')}`))).toMatchObject({
      metadata: {
        uid: '123',
        labels: { version: '1.1', true: 'true', empty: '' },
        annotations: { a: '7', b: { c: 8 } },
      },
    });
  });
});

describe('YAML', () => {
  it('is read as Kubernetes reads it', () => {
    const spec = [
      'yes: no',
      'mode: 0644',
      'time: 2024-01-01T00:00:00Z',
      'ratio: 10:20',
      'base: &base {a: 1, b: 2}',
      'merged: {<<: *base, b: 3}',
      'same: *base',
      '80: port',
      'y: n',
    ];
    expect(rawOf(pod('a', `spec:\n  ${spec.join('\n  ')}`))).toMatchObject({
      spec: {
        true: false,
        mode: 420,
        time: '2024-01-01T00:00:00Z',
        ratio: '10:20',
        merged: { a: 1, b: 3 },
        same: { a: 1, b: 2 },
        80: 'port',
        y: 'n',
      },
    });
  });

  it.each([
    ['a key twice', pod('a', 'kind: Node\n'), '5:1 Map keys must be unique'],
    ['a key twice in JSON', '{"a": {"b": 1,\n "b": 2}}', '2:2 Map keys must be unique'],
    ['an open bracket', `${pod('a')}---\nx: [1,\n`, /^7:1 .*flow sequence|^6:\d+ .*flow/i],
    ['a tab', 'a:\n\tb: 1', /^2:1 .*tab/i],
    ['a text', 'hello', '1:1 a document must be a mapping with apiVersion, kind and metadata'],
    ['a list', '---\n- a\n', '2:1 a document must be a mapping with apiVersion, kind and metadata'],
    ['an unknown alias', 'a: *b', /^1:4 .*alias/i],
    [
      'an alias within its anchor',
      'a: &a\n  b: *a',
      /^1:1 its aliases expand without bounds|Unresolved alias|alias/,
    ],
    ['brackets without end', '['.repeat(20_000), /./],
    ['JSON cut short', '{"a": [1, {', /./],
  ])('%s is a fault with line and column', (_, text, fault) => {
    const { faults } = read(text);
    expect(faults).toEqual([typeof fault === 'string' ? fault : expect.stringMatching(fault)]);
  });

  it('does not expand a bomb of aliases', () => {
    const levels = Array.from({ length: 12 }, (_, i) => {
      const alias = i === 0 ? 'x' : `*l${i - 1}`;
      return `l${i}: &l${i} [${Array(10).fill(alias).join(', ')}]`;
    });
    const started = performance.now();
    expect(read(levels.join('\n')).faults).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('lets one anchor serve a thousand objects', () => {
    const items = Array.from(
      { length: 1000 },
      (_, i) => `- {apiVersion: v1, kind: Pod, metadata: {name: p${i}, labels: *l}}`,
    );
    const { objects, faults } = read(
      `apiVersion: v1\nkind: List\nx: &l {app: web}\nitems:\n${items.join('\n')}`,
    );
    expect(faults).toEqual([]);
    expect(objects).toHaveLength(1000);
    expect(objects[999]).toBe('1004 Pod default/p999');
  });

  it('a fault spares the other documents', () => {
    const { objects, faults } = read(`${pod('a')}---\nx: [\n---\n${pod('b')}`);
    expect(objects).toEqual(['1 Pod default/a', '8 Pod default/b']);
    expect(faults).toHaveLength(1);
  });
});

describe('JSON', () => {
  const json = (name: string) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, note: '} "{' } }, null, 1);

  it('is read, one value or a stream of them', () => {
    expect(read(json('a')).objects).toEqual(['1 Pod default/a']);
    expect(read(`\n${json('a')}\n${json('b')}`).objects).toEqual(['2 Pod default/a', '10 Pod default/b']);
    expect(read(`${json('a')}\n---\n${json('b')}`).objects).toHaveLength(2);
  });

  it('keeps text that looks like a number', () => {
    const text = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "123"}, "n": 0.5, "t": "yes"}';
    expect(rawOf(text)).toMatchObject({ metadata: { name: '123' }, n: 0.5, t: 'yes' });
  });

  it('in the looser form of YAML is read, too', () => {
    expect(read('{apiVersion: v1, kind: Pod, metadata: {name: a}}').objects).toEqual(['1 Pod default/a']);
  });

  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const object = { apiVersion: 'v1', kind: 'X', metadata: { name: 'a', namespace: 'b' }, value };
        expect(read(JSON.stringify(object)).raws).toEqual([JSON.parse(JSON.stringify(object))]);
      }),
    );
  });
});

describe('any text', () => {
  const words = [
    'a: ',
    '- ',
    '\n',
    '  ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '&a ',
    '*a',
    '!!set ',
    '? ',
    '|',
    '>',
    '---',
    '%',
    '<<: ',
    '#',
    ',',
    ':',
  ];
  it.each([
    ['random text', fc.string({ unit: 'binary' })],
    ['bits of YAML', fc.array(fc.constantFrom(...words), { maxLength: 40 }).map(parts => parts.join(''))],
  ])('never makes the parser throw: %s', (_, text) => {
    fc.assert(
      fc.property(text, content => {
        expect(() => read(content)).not.toThrow();
      }),
      { numRuns: 250 },
    );
  });
});
