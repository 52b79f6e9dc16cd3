import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { KubernetesApi } from '../../../src/cluster/api/index.ts';
import type { WatchedResource } from '../../../src/cluster/watch/index.ts';
import { Following, PODS } from '../../support/following.ts';
import { ScriptedApiServer } from '../../support/scripted-api-server.ts';
import { sendJson, sendStatus } from '../../support/scripted-http-server.ts';

let server: ScriptedApiServer;
const following: Following[] = [];

beforeEach(async () => {
  server = await ScriptedApiServer.listen();
});

afterEach(async () => {
  for (const one of following.splice(0)) await one.stop();
  await server.close();
});

function follow(resource?: WatchedResource, random?: () => number): Following {
  const one = new Following(server.client(), resource, random);
  following.push(one);
  return one;
}

const pod = (name: string, node = 'a') =>
  [{ name, namespace: 'shop' }, { spec: { nodeName: node } }] as const;
const putPod = (name: string, node?: string) => server.put('pods', ...pod(name, node));
const deletePod = (name: string) => server.delete('pods', pod(name)[0]);

/** Follows the pods `web-0` and `web-1`; the watch is open. */
async function followTwo(): Promise<Following> {
  putPod('web-0');
  putPod('web-1');
  const one = follow();
  await one.toldUntil('listed');
  await watches(one, 1);
  return one;
}

const watches = (one: Following, count: number) =>
  one.until(
    () => server.watchers.size === 1 && server.asked('watch').length === count,
    `watch number ${count}`,
  );

describe('a reflector', () => {
  it('tells all objects, says that it is through, then tells changes', async () => {
    const one = follow();
    expect(await one.toldUntil('listed')).toEqual(['listed']);
    expect(one.reflector.synced).toBe(true);
    putPod('web-0');
    putPod('web-0', 'b');
    deletePod('web-0');
    expect(await one.toldUntil('-shop/web-0')).toEqual(['+shop/web-0', '+shop/web-0', '-shop/web-0']);
  });

  it('gives listed and watched objects in one shape', async () => {
    putPod('web-0');
    const one = follow();
    await one.toldUntil('listed');
    deletePod('web-0');
    putPod('web-0');
    await one.until(() => one.objects.length === 2);
    const [listed, watched] = one.objects.map(object => {
      const { metadata, ...raw } = object.raw;
      return { ...object, raw };
    });
    expect(listed).toEqual(watched);
    expect(Object.keys(one.objects[0]?.raw ?? {}).sort()).toEqual(['apiVersion', 'kind', 'metadata', 'spec']);
    expect(listed).toMatchObject({ apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web-0' });
  });

  it('lists page by page', async () => {
    for (let count = 0; count < 1201; count++) putPod(`web-${count}`);
    const one = follow();
    expect(await one.toldUntil('listed')).toHaveLength(1202);
    expect(server.asked('list').map(({ query }) => query.get('limit'))).toEqual(['500', '500', '500']);
  });

  it('asks for bookmarks, and for an end at random after 5 to 10 minutes', async () => {
    for (const [random, seconds] of [
      [0, '300'],
      [0.5, '450'],
      [0.999, '599'],
    ] as const) {
      const one = follow(PODS, () => random);
      await one.until(() => server.watchers.size === following.length);
      const query = server.asked('watch').at(-1)?.query;
      expect(query?.get('timeoutSeconds')).toBe(seconds);
      expect(query?.get('allowWatchBookmarks')).toBe('true');
    }
  });

  it('follows only what the selectors select', async () => {
    putPod('mine', 'a');
    putPod('other', 'b');
    const one = follow({ ...PODS, fieldSelector: 'spec.nodeName=a' });
    expect(await one.toldUntil('listed')).toEqual(['+shop/mine', 'listed']);
    putPod('other', 'a');
    putPod('mine', 'b');
    expect(await one.toldUntil('-shop/mine')).toEqual(['+shop/other', '-shop/mine']);
  });

  it('tells a successor of the same name, with its uid', async () => {
    const one = await followTwo();
    deletePod('web-0');
    putPod('web-0');
    await one.toldUntil('+shop/web-0');
    const uids = one.objects
      .filter(({ name }) => name === 'web-0')
      .map(({ raw }) => Object(raw.metadata).uid);
    expect(new Set(uids).size).toBe(2);
  });

  it('stops by its signal, in the pause after a failure, too', async () => {
    server.next('list', (_, response) => sendStatus(response, 500, 'InternalError', 'no'));
    const one = follow();
    // Not by until: the clock stands still, so that the pause goes on.
    while (one.warnings.length === 0) await new Promise(resolve => setImmediate(resolve));
    await one.stop();
    const two = await followTwo();
    await two.stop();
    await two.until(() => server.watchers.size === 0, 'the end of the watch');
  });
});

describe('a slow watch', () => {
  it('tells of an object that comes byte by byte, and is not taken for dead meanwhile', async () => {
    const one = await followTwo();
    one.impatient = false;
    const object = { metadata: { name: 'grün', namespace: 'shop', resourceVersion: '1003' } };
    const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object })}\n`);
    for (const byte of bytes) {
      const read = one.heardBytes;
      server.write(Uint8Array.of(byte));
      await one.until(() => one.heardBytes > read);
      one.clock.advance(10_000);
    }
    expect(await one.toldUntil('+shop/grün')).toEqual(['+shop/grün']);
    expect(one.published).toEqual(['2 pods', 'ADDED']);
  });
});

describe('when the watch ends', () => {
  it('in order: goes on from the last version, without a list', async () => {
    const one = await followTwo();
    putPod('web-2');
    await one.toldUntil('+shop/web-2');
    one.clock.advance(40_000);
    server.endWatches();
    await watches(one, 2);
    expect(server.asked('watch')[1]?.query.get('resourceVersion')).toBe('1003');
    deletePod('web-2');
    expect(await one.toldUntil('-shop/web-2')).toEqual(['-shop/web-2']);
    expect(server.asked('list')).toHaveLength(1);
    expect(one.published).toEqual(['2 pods', 'ADDED', 'closed', 'DELETED']);
    expect(one.warnings).toEqual([]);
  });

  it('goes on from the last bookmark', async () => {
    const one = await followTwo();
    server.put('nodes', { name: 'a' });
    server.bookmark();
    await one.until(() => one.published.includes('BOOKMARK'));
    server.http.cut();
    await watches(one, 2);
    expect(server.asked('watch')[1]?.query.get('resourceVersion')).toBe('1003');
  });

  it('by a cut after any number of bytes: loses nothing, tells nothing twice', async () => {
    const one = await followTwo();
    for (const bytes of [0, 1, 20, 60, 150, 200, 250, 400]) {
      server.cutAfter = bytes;
      server.http.cut();
      const before = server.asked('watch').length;
      await one.until(() => server.watchers.size === 1 && server.asked('watch').length > before, 'a watch');
      putPod(`ü-${bytes}`);
      putPod(`ü-${bytes}-more`);
      deletePod(`ü-${bytes}`);
      expect(await one.toldUntil(`-shop/ü-${bytes}`)).toEqual([
        `+shop/ü-${bytes}`,
        `+shop/ü-${bytes}-more`,
        `-shop/ü-${bytes}`,
      ]);
    }
    expect(server.asked('list')).toHaveLength(1);
  });

  it('at once, again and again: pauses ever longer', async () => {
    const one = await followTwo();
    for (let count = 0; count < 4; count++)
      server.next('watch', (_, response) => response.writeHead(200).end());
    server.endWatches();
    await watches(one, 6);
    // The open watch, then four: 250, 500, 1000, 2000 and 4000 ms.
    expect(one.clock.now()).toBe(7750);
    expect(one.warnings).toHaveLength(5);
    expect(one.warnings[4]).toBe('the server ended the watch of Pods at once');
    putPod('web-2');
    await one.toldUntil('+shop/web-2');
    const at = one.clock.now();
    server.endWatches();
    await watches(one, 7);
    expect(one.clock.now() - at).toBe(250);
  });

  it('by silence: takes the connection for dead after 150 s, not after 149, and goes on', async () => {
    const one = await followTwo();
    one.impatient = false;
    one.clock.advance(149_000);
    putPod('web-2');
    await one.toldUntil('+shop/web-2');
    server.deafen();
    putPod('web-3');
    one.clock.advance(149_000);
    expect(server.asked('watch')).toHaveLength(1);
    one.clock.advance(1000);
    one.impatient = true;
    expect(await one.toldUntil('+shop/web-3')).toEqual(['+shop/web-3']);
    expect(one.published).toEqual(['2 pods', 'ADDED', 'silent', 'ADDED']);
    expect(one.warnings).toEqual(['nothing came on the watch for 150 s: the connection is taken for dead']);
    expect(server.asked('list')).toHaveLength(1);
  });

  it('does not take bookmarks only for silence', async () => {
    const one = await followTwo();
    one.impatient = false;
    for (let minute = 1; minute <= 10; minute++) {
      one.clock.advance(120_000);
      server.bookmark();
      await one.until(() => one.published.filter(type => type === 'BOOKMARK').length === minute);
    }
    expect(server.asked('watch')).toHaveLength(1);
  });

  it.each<[string, () => void]>([
    ['no JSON', () => server.write('{"type":\n')],
    ['no object', () => server.write('7\n')],
    ['an unknown type', () => server.send('RENAMED', {})],
    ['a bookmark without a version', () => server.send('BOOKMARK', { metadata: {} })],
  ])('by %s: goes on with another one', async (_, nonsense) => {
    const one = await followTwo();
    nonsense();
    putPod('web-2');
    expect(await one.toldUntil('+shop/web-2')).toEqual(['+shop/web-2']);
    expect(one.warnings[0]).toMatch(/^the watch makes no sense: ".*" is no event$/);
  });
});

describe('when the server has forgotten the version', () => {
  /** While the reflector is cut off: `web-0` goes, `web-1` changes, `web-2` comes, `web-3` stays. */
  async function missMuch(): Promise<Following> {
    putPod('web-3');
    const one = await followTwo();
    deletePod('web-0');
    putPod('web-1', 'b');
    putPod('web-2');
    return one;
  }

  it.each<[string, (one: Following) => void]>([
    [
      'an ERROR event on the next watch',
      () => {
        server.compact();
        server.http.cut();
      },
    ],
    [
      'status 410 for the next watch',
      () => {
        server.next('watch', (_, response) =>
          sendStatus(response, 410, 'Expired', 'too old resource version: 1003'),
        );
        server.http.cut();
      },
    ],
    [
      'a version that it has never had (a restored backup)',
      () => {
        server.next('watch', (_, response) =>
          sendStatus(response, 504, 'Timeout', 'Too large resource version: 1003'),
        );
        server.http.cut();
      },
    ],
  ])('by %s: lists again and tells the difference', async (_, forget) => {
    putPod('web-3');
    const one = await followTwo();
    server.deafen();
    deletePod('web-0');
    putPod('web-1', 'b');
    putPod('web-2');
    forget(one);
    const told = await one.toldUntil('listed');
    expect([...told].sort()).toEqual(['+shop/web-1', '+shop/web-2', '-shop/web-0', 'listed']);
    expect(one.published).toContain('expired');
    await one.until(() => server.watchers.size === 1);
    putPod('web-4');
    expect(await one.toldUntil('+shop/web-4')).toEqual(['+shop/web-4']);
  });

  it('by an ERROR event in the middle: keeps what came before', async () => {
    const one = await missMuch();
    await one.toldUntil('+shop/web-2');
    server.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
    expect(await one.toldUntil('listed')).toEqual(['listed']);
    expect(one.warnings).toEqual(['too old']);
  });

  it('does not list again for an ERROR event of another kind', async () => {
    const one = await followTwo();
    server.send('ERROR', { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd is away' });
    putPod('web-2');
    expect(await one.toldUntil('+shop/web-2')).toEqual(['+shop/web-2']);
    expect(one.warnings).toEqual(['etcd is away']);
    expect(server.asked('list')).toHaveLength(1);
  });

  it('tells a successor of the same name, with its uid', async () => {
    const one = await followTwo();
    server.deafen();
    deletePod('web-0');
    putPod('web-0');
    server.compact();
    server.http.cut();
    expect(await one.toldUntil('listed')).toEqual(['+shop/web-0', 'listed']);
  });
});

describe('when the list fails', () => {
  it('lists from the start, and tells no object twice', async () => {
    for (let count = 0; count < 700; count++) putPod(`web-${count}`);
    server.next('list', (_, response) => {
      sendStatus(response, 500, 'InternalError', 'etcdserver: leader changed');
    });
    const one = follow();
    expect(await one.toldUntil('listed')).toHaveLength(701);
    expect(one.warnings).toEqual(['cannot list pods: etcdserver: leader changed']);
  });

  it('as the continued list has expired: starts over, and deletes what went in between', async () => {
    for (let count = 0; count < 700; count++) putPod(`web-${count}`);
    const api = server.client();
    const one = new Following(
      intercept(api, request => {
        if (request.query?.continue === undefined || server.asked('list').length !== 1) return;
        deletePod('web-0');
        server.compact();
      }),
    );
    following.push(one);
    const told = await one.toldUntil('listed');
    expect(told.slice(0, 2)).toEqual(['+shop/web-0', '+shop/web-1']);
    expect(told.slice(-2)).toEqual(['-shop/web-0', 'listed']);
    expect(told).toHaveLength(702);
    expect(one.warnings).toEqual([expect.stringContaining('continue parameter is too old')]);
  });

  it('waits as long as the server asks for', async () => {
    server.next('list', (_, response) =>
      sendStatus(response, 429, 'TooManyRequests', 'later', { 'retry-after': '20' }),
    );
    const one = follow();
    await one.toldUntil('listed');
    expect(one.clock.now()).toBe(20_250);
  });

  it('is not through before a list is complete', async () => {
    server.next('list', (_, response) => sendStatus(response, 403, 'Forbidden', 'no'));
    const one = follow();
    await one.until(() => one.warnings.length === 1);
    expect(one.reflector.synced).toBe(false);
    await one.toldUntil('listed');
  });

  it('as it makes no sense: says so, and tries again', async () => {
    server.next('list', (_, response) => sendJson(response, { metadata: {}, items: [] }));
    server.next('list', (_, response) =>
      sendJson(response, { metadata: { resourceVersion: '1' }, items: {} }),
    );
    const one = follow();
    await one.toldUntil('listed');
    expect(one.warnings).toEqual(['the list of Pods has no resourceVersion', 'list.items must be a list']);
  });
});

describe('an object that cannot be read', () => {
  it('is said, and hinders no other', async () => {
    const items = [
      { metadata: { name: 'a', namespace: 'shop', resourceVersion: '1' } },
      { metadata: { name: 7, resourceVersion: '1' } },
      { metadata: { name: 'b', namespace: 'x/y', resourceVersion: '1' } },
      { metadata: { name: 'c' } },
      'd',
    ];
    server.next('list', (_, response) =>
      sendJson(response, { metadata: { resourceVersion: '1000' }, items }),
    );
    const one = follow();
    expect(await one.toldUntil('listed')).toEqual(['+shop/a', 'listed']);
    await one.until(() => server.watchers.size === 1);
    server.send('ADDED', { metadata: {} });
    putPod('web-0');
    await one.toldUntil('+shop/web-0');
    expect(one.unreadable).toEqual([
      'its name is 7',
      'its namespace is "x/y"',
      'it has no resourceVersion',
      'it has no metadata',
      'its name is undefined',
    ]);
  });
});

it('ends with what its listener throws', async () => {
  putPod('web-0');
  const one = follow();
  one.told.push = () => {
    throw new Error('a mistake');
  };
  await expect(one.ended).rejects.toThrow('a mistake');
  following.splice(0);
});

/** Calls `before` with each request, before it is sent. */
function intercept(
  api: KubernetesApi,
  before: (request: Parameters<KubernetesApi['request']>[0]) => void,
): KubernetesApi {
  return {
    request: request => {
      before(request);
      return api.request(request);
    },
    stream: request => api.stream(request),
  };
}
