import { describe, expect, it } from '@jest/globals';
import type { KubernetesApi } from '../../../src/cluster/api/index.ts';
import { type Following, PODS } from '../../support/following.ts';
import { sendJson, sendStatus } from '../../support/scripted-http-server.ts';
import { usePodServer } from './pod-server.ts';

const shop = usePodServer();

describe('when the server has forgotten the version', () => {
  /** While the reflector is cut off: `web-0` goes, `web-1` changes, `web-2` comes, `web-3` stays. */
  async function missMuch(): Promise<Following> {
    shop.putPod('web-3');
    const one = await shop.followTwo();
    shop.deletePod('web-0');
    shop.putPod('web-1', 'b');
    shop.putPod('web-2');
    return one;
  }

  it.each<[string, (one: Following) => void]>([
    [
      'an ERROR event on the next watch',
      () => {
        shop.server.compact();
        shop.server.http.cut();
      },
    ],
    [
      'status 410 for the next watch',
      () => {
        shop.server.next('watch', (_, response) =>
          sendStatus(response, 410, 'Expired', 'too old resource version: 1003'),
        );
        shop.server.http.cut();
      },
    ],
    [
      'a version that it has never had (a restored backup)',
      () => {
        shop.server.next('watch', (_, response) =>
          sendStatus(response, 504, 'Timeout', 'Too large resource version: 1003'),
        );
        shop.server.http.cut();
      },
    ],
  ])('by %s: lists again and tells the difference', async (_, forget) => {
    shop.putPod('web-3');
    const one = await shop.followTwo();
    shop.server.deafen();
    shop.deletePod('web-0');
    shop.putPod('web-1', 'b');
    shop.putPod('web-2');
    forget(one);
    const told = await one.toldUntil('listed');
    expect([...told].sort()).toEqual(['+shop/web-1', '+shop/web-2', '-shop/web-0', 'listed']);
    expect(one.published).toContain('expired');
    await one.until(() => shop.server.watchers.size === 1);
    shop.putPod('web-4');
    expect(await one.toldUntil('+shop/web-4')).toEqual(['+shop/web-4']);
  });

  it('by an ERROR event in the middle: keeps what came before', async () => {
    const one = await missMuch();
    await one.toldUntil('+shop/web-2');
    shop.server.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
    expect(await one.toldUntil('listed')).toEqual(['listed']);
    expect(one.warnings).toEqual(['too old']);
  });

  it('does not list again for an ERROR event of another kind', async () => {
    const one = await shop.followTwo();
    shop.server.send('ERROR', {
      kind: 'Status',
      code: 500,
      reason: 'InternalError',
      message: 'etcd is away',
    });
    shop.putPod('web-2');
    expect(await one.toldUntil('+shop/web-2')).toEqual(['+shop/web-2']);
    expect(one.warnings).toEqual(['etcd is away']);
    expect(shop.server.asked('list')).toHaveLength(1);
  });

  it('tells a successor of the same name, with its uid', async () => {
    const one = await shop.followTwo();
    shop.server.deafen();
    shop.deletePod('web-0');
    shop.putPod('web-0');
    shop.server.compact();
    shop.server.http.cut();
    expect(await one.toldUntil('listed')).toEqual(['+shop/web-0', 'listed']);
  });
});

describe('when the list fails', () => {
  it('lists from the start, and tells no object twice', async () => {
    for (let count = 0; count < 700; count++) shop.putPod(`web-${count}`);
    shop.server.next('list', (_, response) => {
      sendStatus(response, 500, 'InternalError', 'etcdserver: leader changed');
    });
    const one = shop.follow();
    expect(await one.toldUntil('listed')).toHaveLength(701);
    expect(one.warnings).toEqual(['cannot list pods: etcdserver: leader changed']);
  });

  it('as the continued list has expired: starts over, and deletes what went in between', async () => {
    for (let count = 0; count < 700; count++) shop.putPod(`web-${count}`);
    const api = shop.server.client();
    const one = shop.follow(
      PODS,
      () => 0,
      intercept(api, request => {
        if (request.query?.continue === undefined || shop.server.asked('list').length !== 1) return;
        shop.deletePod('web-0');
        shop.server.compact();
      }),
    );
    const told = await one.toldUntil('listed');
    expect(told.slice(0, 2)).toEqual(['+shop/web-0', '+shop/web-1']);
    expect(told.slice(-2)).toEqual(['-shop/web-0', 'listed']);
    expect(told).toHaveLength(702);
    expect(one.warnings).toEqual([expect.stringContaining('continue parameter is too old')]);
  });

  it('waits as long as the server asks for', async () => {
    shop.server.next('list', (_, response) =>
      sendStatus(response, 429, 'TooManyRequests', 'later', { 'retry-after': '20' }),
    );
    const one = shop.follow();
    await one.toldUntil('listed');
    expect(one.clock.now()).toBe(20_250);
  });

  it('is not through before a list is complete', async () => {
    shop.server.next('list', (_, response) => sendStatus(response, 403, 'Forbidden', 'no'));
    const one = shop.follow();
    await one.until(() => one.warnings.length === 1);
    expect(one.reflector.synced).toBe(false);
    await one.toldUntil('listed');
  });

  it('as it makes no sense: says so, and tries again', async () => {
    shop.server.next('list', (_, response) => sendJson(response, { metadata: {}, items: [] }));
    shop.server.next('list', (_, response) =>
      sendJson(response, { metadata: { resourceVersion: '1' }, items: {} }),
    );
    const one = shop.follow();
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
    shop.server.next('list', (_, response) =>
      sendJson(response, { metadata: { resourceVersion: '1000' }, items }),
    );
    const one = shop.follow();
    expect(await one.toldUntil('listed')).toEqual(['+shop/a', 'listed']);
    await one.until(() => shop.server.watchers.size === 1);
    shop.server.send('ADDED', { metadata: {} });
    shop.putPod('web-0');
    await one.toldUntil('+shop/web-0');
    expect(one.unreadable).toEqual([
      'its name is 7',
      'its namespace is "x/y"',
      'it has no resourceVersion',
      'it has no metadata',
      'its name is undefined',
    ]);
  });

  it('is not taken for one that has gone', async () => {
    const one = await shop.followTwo();
    const items = [{ metadata: { name: 'web-0', namespace: 'shop' } }];
    shop.server.next('list', (_, response) =>
      sendJson(response, { metadata: { resourceVersion: '2000' }, items }),
    );
    shop.server.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
    expect(await one.toldUntil('listed')).toEqual(['listed']);
    expect(one.unreadable).toEqual(['it has no resourceVersion']);
    // What is right by then shows with the next list, which comes when the watch ends.
    await one.until(() => shop.server.watchers.size === 1);
    shop.server.delete('pods', { name: 'web-1', namespace: 'shop' });
    await one.toldUntil('-shop/web-1');
    shop.server.endWatches();
    expect(await one.toldUntil('listed')).toEqual(['listed']);
  });
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
