import { describe, expect, it } from '@jest/globals';
import { PODS } from '../../support/following.ts';
import { sendStatus } from '../../support/scripted-http-server.ts';
import { usePodServer } from './pod-server.ts';

const shop = usePodServer();

describe('a reflector', () => {
  it('tells all objects, says that it is through, then tells changes', async () => {
    const one = shop.follow();
    expect(await one.toldUntil('listed')).toEqual(['listed']);
    expect(one.reflector.synced).toBe(true);
    shop.putPod('web-0');
    shop.putPod('web-0', 'b');
    shop.deletePod('web-0');
    expect(await one.toldUntil('-shop/web-0')).toEqual(['+shop/web-0', '+shop/web-0', '-shop/web-0']);
  });

  it('gives listed and watched objects in one shape', async () => {
    shop.putPod('web-0');
    const one = shop.follow();
    await one.toldUntil('listed');
    shop.deletePod('web-0');
    shop.putPod('web-0');
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
    for (let count = 0; count < 1201; count++) shop.putPod(`web-${count}`);
    const one = shop.follow();
    expect(await one.toldUntil('listed')).toHaveLength(1202);
    expect(shop.server.asked('list').map(({ query }) => query.get('limit'))).toEqual(['500', '500', '500']);
  });

  it('asks for bookmarks, and for an end at random after 5 to 10 minutes', async () => {
    let open = 0;
    for (const [random, seconds] of [
      [0, '300'],
      [0.5, '450'],
      [0.999, '599'],
    ] as const) {
      const one = shop.follow(PODS, () => random);
      await one.until(() => shop.server.watchers.size > open);
      open = shop.server.watchers.size;
      const query = shop.server.asked('watch').at(-1)?.query;
      expect(query?.get('timeoutSeconds')).toBe(seconds);
      expect(query?.get('allowWatchBookmarks')).toBe('true');
    }
  });

  it('follows only what the selectors select', async () => {
    shop.putPod('mine', 'a');
    shop.putPod('other', 'b');
    const one = shop.follow({ ...PODS, fieldSelector: 'spec.nodeName=a' });
    expect(await one.toldUntil('listed')).toEqual(['+shop/mine', 'listed']);
    shop.putPod('other', 'a');
    shop.putPod('mine', 'b');
    expect(await one.toldUntil('-shop/mine')).toEqual(['+shop/other', '-shop/mine']);
  });

  it('tells a successor of the same name, with its uid', async () => {
    const one = await shop.followTwo();
    shop.deletePod('web-0');
    shop.putPod('web-0');
    await one.toldUntil('+shop/web-0');
    const uids = one.objects
      .filter(({ name }) => name === 'web-0')
      .map(({ raw }) => Object(raw.metadata).uid);
    expect(new Set(uids).size).toBe(2);
  });

  it('stops by its signal, in the pause after a failure, too', async () => {
    shop.server.next('list', (_, response) => sendStatus(response, 500, 'InternalError', 'no'));
    const one = shop.follow();
    // Not by until: the clock stands still, so that the pause goes on.
    while (one.warnings.length === 0) await new Promise(resolve => setImmediate(resolve));
    await one.stop();
    const two = await shop.followTwo();
    await two.stop();
    await two.until(() => shop.server.watchers.size === 0, 'the end of the watch');
  });
});

describe('a slow watch', () => {
  it('tells of an object that comes byte by byte, and is not taken for dead meanwhile', async () => {
    const one = await shop.followTwo();
    one.impatient = false;
    const object = { metadata: { name: 'grün', namespace: 'shop', resourceVersion: '1003' } };
    const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object })}\n`);
    for (const byte of bytes) {
      const read = one.heardBytes;
      shop.server.write(Uint8Array.of(byte));
      await one.until(() => one.heardBytes > read);
      one.clock.advance(10_000);
    }
    expect(await one.toldUntil('+shop/grün')).toEqual(['+shop/grün']);
    expect(one.published).toEqual(['2 pods', 'ADDED']);
  });
});

describe('when the watch ends', () => {
  it('in order: goes on from the last version, without a list', async () => {
    const one = await shop.followTwo();
    shop.putPod('web-2');
    await one.toldUntil('+shop/web-2');
    one.clock.advance(40_000);
    shop.server.endWatches();
    await shop.watches(one, 2);
    expect(shop.server.asked('watch')[1]?.query.get('resourceVersion')).toBe('1003');
    shop.deletePod('web-2');
    expect(await one.toldUntil('-shop/web-2')).toEqual(['-shop/web-2']);
    expect(shop.server.asked('list')).toHaveLength(1);
    expect(one.published).toEqual(['2 pods', 'ADDED', 'closed', 'DELETED']);
    expect(one.warnings).toEqual([]);
  });

  it('goes on from the last bookmark', async () => {
    const one = await shop.followTwo();
    shop.server.put('nodes', { name: 'a' });
    shop.server.bookmark();
    await one.until(() => one.published.includes('BOOKMARK'));
    shop.server.http.cut();
    await shop.watches(one, 2);
    expect(shop.server.asked('watch')[1]?.query.get('resourceVersion')).toBe('1003');
  });

  it('by a cut after any number of bytes: loses nothing, tells nothing twice', async () => {
    const one = await shop.followTwo();
    for (const bytes of [0, 1, 20, 60, 150, 200, 250, 400]) {
      shop.server.cutAfter = bytes;
      shop.server.http.cut();
      const before = shop.server.asked('watch').length;
      await one.until(
        () => shop.server.watchers.size === 1 && shop.server.asked('watch').length > before,
        'a watch',
      );
      shop.putPod(`ü-${bytes}`);
      shop.putPod(`ü-${bytes}-more`);
      shop.deletePod(`ü-${bytes}`);
      expect(await one.toldUntil(`-shop/ü-${bytes}`)).toEqual([
        `+shop/ü-${bytes}`,
        `+shop/ü-${bytes}-more`,
        `-shop/ü-${bytes}`,
      ]);
    }
    expect(shop.server.asked('list')).toHaveLength(1);
  });

  it('at once, again and again: pauses ever longer', async () => {
    const one = await shop.followTwo();
    for (let count = 0; count < 4; count++)
      shop.server.next('watch', (_, response) => response.writeHead(200).end());
    shop.server.endWatches();
    await shop.watches(one, 6);
    // The open watch, then four: 250, 500, 1000, 2000 and 4000 ms.
    expect(one.clock.now()).toBe(7750);
    expect(one.warnings).toHaveLength(5);
    expect(one.warnings[4]).toBe('the server ended the watch of Pods at once');
    shop.putPod('web-2');
    await one.toldUntil('+shop/web-2');
    const at = one.clock.now();
    shop.server.endWatches();
    await shop.watches(one, 7);
    expect(one.clock.now() - at).toBe(250);
  });

  it('by silence: takes the connection for dead after 150 s, not after 149, and goes on', async () => {
    const one = await shop.followTwo();
    one.impatient = false;
    one.clock.advance(149_000);
    shop.putPod('web-2');
    await one.toldUntil('+shop/web-2');
    shop.server.deafen();
    shop.putPod('web-3');
    one.clock.advance(149_000);
    expect(shop.server.asked('watch')).toHaveLength(1);
    one.clock.advance(1000);
    one.impatient = true;
    expect(await one.toldUntil('+shop/web-3')).toEqual(['+shop/web-3']);
    expect(one.published).toEqual(['2 pods', 'ADDED', 'silent', 'ADDED']);
    expect(one.warnings).toEqual(['nothing came on the watch for 150 s: the connection is taken for dead']);
    expect(shop.server.asked('list')).toHaveLength(1);
  });

  it('does not take bookmarks only for silence', async () => {
    const one = await shop.followTwo();
    one.impatient = false;
    for (let minute = 1; minute <= 10; minute++) {
      one.clock.advance(120_000);
      shop.server.bookmark();
      await one.until(() => one.published.filter(type => type === 'BOOKMARK').length === minute);
    }
    expect(shop.server.asked('watch')).toHaveLength(1);
  });

  it.each<[string, () => void]>([
    ['no JSON', () => shop.server.write('{"type":\n')],
    ['no object', () => shop.server.write('7\n')],
    ['an unknown type', () => shop.server.send('RENAMED', {})],
    ['a bookmark without a version', () => shop.server.send('BOOKMARK', { metadata: {} })],
  ])('by %s: goes on with another one', async (_, nonsense) => {
    const one = await shop.followTwo();
    nonsense();
    shop.putPod('web-2');
    expect(await one.toldUntil('+shop/web-2')).toEqual(['+shop/web-2']);
    expect(one.warnings[0]).toMatch(/^the watch makes no sense: ".*" is no event$/);
  });
});

it('ends with what its listener throws', async () => {
  shop.putPod('web-0');
  const one = shop.follow();
  one.told.push = () => {
    throw new Error('a mistake');
  };
  await expect(one.ended).rejects.toThrow('a mistake');
  shop.forget();
});
