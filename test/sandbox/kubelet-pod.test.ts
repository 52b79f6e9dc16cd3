import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../../src/cluster/api/types.ts';
import type { Raw } from '../../src/cluster/facts/raw.ts';
import { poll } from '../../src/sandbox/processes/poll.ts';
import { attachment, PATH, patch, podRaw, ready, running, Scene } from './kubelet-scene.ts';

describe('a pod that is bound to a node of the sandbox', () => {
  it('is reported as pending at once, and as running when it is attached and answers', async () => {
    const scene = new Scene();
    scene.put();
    await scene.asked(patch);
    expect(scene.wishes).toEqual(['shop/web/u1 tcp:80']);
    expect(scene.status).toMatchObject({
      phase: 'Pending',
      startTime: '1970-01-01T00:00:00Z',
      hostIP: '172.31.0.11',
      hostIPs: [{ ip: '172.31.0.11' }, { ip: 'fd31::11' }],
      containerStatuses: [
        { name: 'c', image: 'web:1', ready: false, state: { waiting: { reason: 'ContainerCreating' } } },
      ],
    });
    expect(scene.status).not.toHaveProperty('podIP');
    scene.clock.advance(2000);
    scene.become({ attachment });
    await scene.asked(patch);
    scene.become({ state: 'ready' });
    await scene.asked(patch, patch);
    const since = (type: string, time: string) => ({
      type,
      status: 'True',
      message: '',
      lastTransitionTime: time,
    });
    expect(scene.status).toMatchObject({
      phase: 'Running',
      podIP: '10.128.0.5',
      podIPs: [{ ip: '10.128.0.5' }, { ip: 'fd01::5' }],
      startTime: '1970-01-01T00:00:00Z',
      conditions: [
        since('PodScheduled', '1970-01-01T00:00:00Z'),
        since('Initialized', '1970-01-01T00:00:00Z'),
        since('ContainersReady', '1970-01-01T00:00:02Z'),
        since('Ready', '1970-01-01T00:00:02Z'),
      ],
      containerStatuses: [
        { ready: true, started: true, state: { running: { startedAt: '1970-01-01T00:00:02Z' } } },
      ],
    });
    expect(scene.api.bodies.map(body => (body as { metadata: unknown }).metadata)).toEqual([
      { uid: 'u1' },
      { uid: 'u1' },
    ]);
  });

  it('is reported once: the same news again is no news', async () => {
    const scene = new Scene();
    scene.put();
    await scene.asked(patch);
    scene.become({ attachment, state: 'ready' });
    await scene.asked(patch, patch);
    scene.clock.advance(5000);
    scene.bring(scene.api.objects.get(PATH) ?? {});
    scene.become({});
    await scene.asked(patch, patch);
  });

  it('goes on running where it does not answer for a while', async () => {
    const scene = new Scene();
    await scene.up();
    scene.become({ state: 'waiting' });
    await scene.asked(patch);
    expect(scene.status).toMatchObject({
      phase: 'Running',
      podIP: '10.128.0.5',
      containerStatuses: [{ ready: false, state: { running: {} } }],
    });
    expect(ready(scene.status)).toBe('False');
  });

  it('is reported ready again where somebody has written that it is not', async () => {
    const scene = new Scene();
    await scene.up();
    const conditions = (scene.status.conditions as readonly Raw[]).map(condition =>
      condition.type === 'Ready' ? { ...condition, status: 'False' } : condition,
    );
    scene.put({ status: { ...scene.status, conditions } });
    await scene.asked(patch);
    expect(scene.api.bodies.at(-1)).toEqual({
      metadata: { uid: 'u1' },
      status: {
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: '',
            message: '',
            lastTransitionTime: '1970-01-01T00:00:00Z',
          },
        ],
      },
    });
  });

  it('tells why it cannot be attached', async () => {
    const scene = new Scene();
    scene.put();
    await scene.asked(patch);
    scene.clock.advance(1000);
    const problem = 'CNI ADD failed with code 11: no addresses';
    scene.become({ problem });
    await scene.asked(patch, patch);
    expect(scene.status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { message: problem } } }],
    });
    const conditions = scene.status.conditions as readonly Raw[];
    expect(conditions.find(({ type }) => type === 'Ready')).toMatchObject({
      reason: 'ContainersNotReady',
      message: problem,
      lastTransitionTime: '1970-01-01T00:00:00Z',
    });
  });

  it('is ready only when its readiness gates are open, and leaves the conditions of others alone', async () => {
    const scene = new Scene();
    const gated = { readinessGates: [{ conditionType: 'example.com/lb' }] };
    await scene.up({ spec: gated });
    expect(ready(scene.status)).toBe('False');
    const open = { type: 'example.com/lb', status: 'True' };
    scene.put({
      spec: gated,
      status: { ...scene.status, conditions: [...(scene.status.conditions as readonly Raw[]), open] },
    });
    await scene.asked(patch);
    expect(ready(scene.status)).toBe('True');
    expect(scene.status.conditions).toContainEqual(open);
  });

  it('reports init containers that have ended and sidecars that go on', async () => {
    const scene = new Scene();
    const initContainers = [{ name: 'init' }, { name: 'mesh', restartPolicy: 'Always' }];
    await scene.up({ spec: { initContainers } });
    expect(scene.status.initContainerStatuses).toMatchObject([
      { name: 'init', ready: true, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
      { name: 'mesh', ready: true, started: true, state: { running: {} } },
    ]);
    scene.clock.advance(5000);
    scene.become({});
    await scene.asked();
  });

  it('replaces its addresses where it was attached anew with others', async () => {
    const scene = new Scene();
    await scene.up({ status: { ...running, podIP: '10.128.0.9', podIPs: [{ ip: '10.128.0.9' }] } });
    expect(scene.status.podIPs).toEqual([{ ip: '10.128.0.5' }, { ip: 'fd01::5' }]);
  });

  it('may live in the network of its node', () => {
    const scene = new Scene();
    scene.put({ spec: { hostNetwork: true } });
    expect(scene.wishes).toEqual(['shop/web/u1 host tcp:80']);
  });
});

describe('a pod that is being deleted', () => {
  it('is detached first, and then its object goes, with its uid as a precondition', async () => {
    const scene = new Scene();
    await scene.up();
    scene.put({ status: scene.status, deletionTimestamp: '2026-01-01T00:00:00Z' });
    await scene.asked();
    expect(scene.wishes.at(-1)).toBe('no shop/web/u1');
    expect(scene.keeper.progress()).toMatchObject([{ name: 'web', state: 'leaving' }]);
    scene.become(undefined);
    await scene.asked(`DELETE ${PATH}`);
    expect(scene.api.bodies.at(-1)).toMatchObject({ gracePeriodSeconds: 0, preconditions: { uid: 'u1' } });
    scene.gone();
    expect(scene.keeper.progress()).toEqual([]);
    await scene.asked(`DELETE ${PATH}`);
  });

  it('goes at once where it was never attached', async () => {
    const scene = new Scene();
    scene.put({ deletionTimestamp: '2026-01-01T00:00:00Z' });
    await scene.asked(`DELETE ${PATH}`);
  });

  it('goes also after it has finished', async () => {
    const scene = new Scene();
    scene.put({ status: { phase: 'Failed' } });
    await scene.asked();
    expect(scene.wishes).toEqual(['no shop/web/u1']);
    scene.put({ status: { phase: 'Failed' }, deletionTimestamp: '2026-01-01T00:00:00Z' });
    await scene.asked(`DELETE ${PATH}`);
  });

  it('is not forgotten where an older answer comes after the news of it', async () => {
    const scene = new Scene();
    scene.put();
    // The patch is on its way when the watch tells of the deletion; its answer does not know of it.
    scene.bring(podRaw({ deletionTimestamp: '2026-01-01T00:00:00Z' }));
    scene.become(undefined);
    await scene.asked(patch, `DELETE ${PATH}`);
  });

  it('is detached also where the object is gone already', () => {
    const scene = new Scene();
    scene.put();
    scene.gone();
    expect(scene.wishes).toEqual(['shop/web/u1 tcp:80', 'no shop/web/u1']);
  });
});

describe('two pods of one name after another', () => {
  it('have nothing to do with each other', async () => {
    const scene = new Scene();
    await scene.up();
    scene.put({ uid: 'u2' });
    await scene.asked(patch);
    expect(scene.wishes).toEqual(['shop/web/u1 tcp:80', 'no shop/web/u1', 'shop/web/u2 tcp:80']);
    // The end of the first does not end the second.
    scene.become(undefined, 'u1');
    expect(scene.status).toMatchObject({ phase: 'Pending' });
    scene.become({ attachment: { ...attachment, ips: ['10.128.0.6'] }, state: 'ready' }, 'u2');
    await scene.asked(patch, patch);
    expect(scene.status).toMatchObject({ phase: 'Running', podIP: '10.128.0.6' });
  });
});

describe('an API server that does not take what it is told', () => {
  it('is told again, later each time, and the pod stays meanwhile', async () => {
    const scene = new Scene();
    scene.api.down = true;
    scene.put();
    for (const pause of [250, 500, 1000]) {
      expect(await poll(1000, () => scene.clock.next() === scene.clock.now() + pause, 1)).toBe(true);
      scene.clock.advance(pause);
    }
    await poll(1000, () => scene.clock.next() !== undefined, 1);
    scene.api.down = false;
    scene.clock.advance(2000);
    await scene.asked(patch, patch, patch, patch, patch);
    expect(scene.status).toMatchObject({ hostIP: '172.31.0.11' });
    expect(scene.wishes).toEqual(['shop/web/u1 tcp:80']);
  });

  it('is told again after a conflict', async () => {
    const scene = new Scene();
    scene.api.failures.push(new ApiError('modified', { status: 409, reason: 'Conflict' }));
    scene.put();
    await poll(1000, () => scene.clock.next() !== undefined, 1);
    scene.clock.advance(250);
    await scene.asked(patch, patch);
    expect(scene.status).toMatchObject({ hostIP: '172.31.0.11' });
  });

  it('is not told again of a pod that it does not have any more', async () => {
    const scene = new Scene();
    scene.put();
    scene.api.objects.delete(PATH);
    await scene.asked(patch);
    expect(scene.clock.next()).toBeUndefined();
  });

  it('loses no news that come while it is being told', async () => {
    const scene = new Scene();
    scene.put();
    scene.become({ attachment, state: 'ready' });
    scene.become({ attachment, state: 'ready' });
    await poll(1000, () => ready(scene.status) === 'True', 1);
    expect(ready(scene.status)).toBe('True');
  });
});

describe('the progress of pods', () => {
  it('is ready only once the API server knows it', async () => {
    const scene = new Scene();
    scene.put();
    await scene.asked(patch);
    scene.become({ attachment, state: 'ready' });
    expect(scene.keeper.progress()).toMatchObject([{ state: 'waiting' }]);
    await scene.asked(patch, patch);
    expect(scene.keeper.progress()).toMatchObject([{ state: 'ready' }]);
  });
});
