import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KubernetesSource } from '../../src/cluster/kubernetes-source.ts';
import { objectTitle } from '../../src/cluster/manifest-object.ts';
import type { SourceChange } from '../../src/cluster/source.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { poll } from '../support/poll.ts';
import { ScriptedApiServer } from '../support/scripted-api-server.ts';
import { sendJson, sendStatus } from '../support/scripted-http-server.ts';

const RESOURCES = [
  { apiVersion: 'v1', kind: 'Namespace', path: '/api/v1/namespaces' },
  { apiVersion: 'v1', kind: 'Pod', path: '/api/v1/pods' },
];

let server: ScriptedApiServer;
let stop = () => {};

beforeEach(async () => {
  server = await ScriptedApiServer.listen();
});

afterEach(async () => {
  stop();
  await server.close();
});

function watch(clock = new FakeClock()): SourceChange[] {
  const changes: SourceChange[] = [];
  const source = new KubernetesSource({ api: server.client(), resources: RESOURCES, clock });
  stop = source.watch(change => changes.push(change));
  return changes;
}

const until = (holds: () => boolean, what: string) => poll(holds, () => what, 3000);
const named = (
  objects: readonly { kind: string; namespace: string | undefined; name: string; apiVersion: string }[],
) => objects.map(objectTitle).sort();

const web = { name: 'web-0', namespace: 'shop' };

/** A source that is through, with a namespace and a pod; its changes so far are forgotten. */
async function watchShop(): Promise<SourceChange[]> {
  server.put('namespaces', { name: 'shop' });
  server.put('pods', web);
  const changes = watch();
  await until(() => changes.length === 1 && server.watchers.size === 2, 'the first change');
  changes.length = 0;
  return changes;
}

describe('the API server as a source', () => {
  it('tells all objects at once, when every resource has been listed', async () => {
    server.put('namespaces', { name: 'shop' });
    for (let count = 0; count < 600; count++) server.put('pods', { ...web, name: `web-${count}` });
    const clock = new FakeClock();
    server.next('list', (asked, response) => {
      // Whichever comes first.
      expect(asked.path).toMatch(/namespaces|pods/);
      sendStatus(response, 503, 'ServiceUnavailable', 'not yet');
    });
    const changes = watch(clock);
    await until(() => clock.next() === 250 || server.asked('watch').length > 0, 'the refusal');
    expect(changes).toEqual([]);
    await until(() => {
      if ((clock.next() ?? 0) - clock.now() < 10_000) clock.advance(5000);
      return changes.length > 0;
    }, 'the first change');
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({ generation: 1, synced: true, problems: [], deleted: [] });
    expect(changes[0]?.put).toHaveLength(601);
  });

  it('tells of changes what they come to, together where they come together', async () => {
    const changes = await watchShop();
    server.put('pods', { ...web, name: 'short' });
    server.put('pods', web, { spec: { nodeName: 'a' } });
    server.delete('pods', { ...web, name: 'short' });
    server.put('pods', web, { spec: { nodeName: 'b' } });
    await until(
      () => changes.some(({ put }) => put.some(({ raw }) => Object(raw.spec).nodeName === 'b')),
      'web-0',
    );
    expect(named(changes.flatMap(({ deleted }) => deleted))).toEqual(['Pod shop/short']);
    expect(changes.map(({ generation }) => generation)).toEqual(changes.map((_, index) => index + 2));
    expect(changes.length).toBeLessThan(4);
    for (const { put, deleted } of changes) {
      const gone = named(deleted);
      expect(named(put).filter(name => gone.includes(name))).toEqual([]);
    }
    changes.length = 0;
    server.put('pods', { ...web, name: 'web-1' });
    await until(() => changes.length > 0, 'web-1');
    expect(named(changes[0]?.put ?? [])).toEqual(['Pod shop/web-1']);
    expect(changes[0]?.deleted).toEqual([]);
  });

  it('tells a successor after the end of its predecessor, with its own uid', async () => {
    const changes = await watchShop();
    server.delete('namespaces', { name: 'shop' });
    server.put('namespaces', { name: 'shop' });
    await until(() => changes.flatMap(({ put }) => put).length > 0, 'the successor');
    expect(named(changes.flatMap(({ deleted }) => deleted))).toEqual(['Namespace shop']);
    expect(Object(changes.at(-1)?.put[0]?.raw.metadata).uid).not.toBe('uid-1001');
  });

  it('is not synced while a list has objects that cannot be read, and says so', async () => {
    server.put('pods', web);
    server.next('list', (_, response) =>
      sendJson(response, { metadata: { resourceVersion: '1000' }, items: [{ metadata: { name: '' } }] }),
    );
    const clock = new FakeClock();
    const changes = watch(clock);
    await until(() => changes.length === 1 && server.watchers.size === 2, 'the first change');
    expect(changes[0]).toMatchObject({
      synced: false,
      problems: [
        {
          object: expect.stringMatching(/^(Namespace|Pod) of the API server$/),
          reason: 'it cannot be read: its name is ""',
        },
      ],
    });
    server.put('namespaces', { name: 'shop' });
    await until(() => changes.length === 2, 'the namespace');
    expect(changes[1]?.synced).toBe(false);
    server.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
    await until(() => {
      clock.advance(clock.next() === undefined ? 0 : 1000);
      return changes.at(-1)?.synced === true;
    }, 'a list that can be read');
    expect(changes.at(-1)?.problems).toEqual([]);
  });

  it('says at once which objects of a watch cannot be read, the newest of many', async () => {
    const changes = await watchShop();
    for (let count = 0; count < 120; count++) server.send('ADDED', { metadata: { name: count } });
    await until(
      () => changes.at(-1)?.problems.some(({ reason }) => reason.endsWith(' 119')) === true,
      'the last one',
    );
    const problems = changes.at(-1)?.problems.filter(({ object }) => object === 'Pod of the API server');
    expect(problems).toHaveLength(100);
    expect(problems?.[0]?.reason).toBe('it cannot be read: its name is 20');
    expect(changes.at(-1)?.synced).toBe(true);
  });

  it('says nothing after it was stopped', async () => {
    const changes = await watchShop();
    server.put('pods', { ...web, name: 'late' });
    stop();
    await until(() => server.watchers.size === 0, 'the end of the watches');
    await new Promise(resolve => setImmediate(resolve));
    expect(changes).toEqual([]);
  });
});
