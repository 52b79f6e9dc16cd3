import { describe, expect, it } from '@jest/globals';
import { PodLane } from '../../src/sandbox/pods/pod-lane.ts';
import type { PodRecord } from '../../src/sandbox/pods/pod-record.ts';
import type { PodWish } from '../../src/sandbox/pods/pod-wish.ts';
import { Limiter } from '../../src/sandbox/processes/limiter.ts';
import { poll } from '../../src/sandbox/processes/poll.ts';

const wish = (id: string, ports: readonly string[] = ['tcp:80']): PodWish => ({
  id,
  namespace: 'shop',
  name: 'web',
  uid: id,
  node: 'n-a',
  ports,
});

const attachment = { interface: 'eth0', mac: '0a:58:00:00:00:01', ips: ['10.0.0.1'] };
const recordOf = (of: PodWish): PodRecord => ({ ...of, netns: `ns-${of.id}`, sandboxId: `s-${of.id}` });

/** A maker that writes down what it is asked to do. `failures` says how many of the next ADDs fail. */
class Scene {
  readonly done: string[] = [];
  readonly errors: string[] = [];
  /** Where the steps were taken. */
  readonly nodes: string[] = [];
  failures = 0;
  responding = true;
  /** While it is set, an ADD lasts until it is taken back. */
  held = false;
  readonly lane: PodLane;

  constructor(records: readonly PodRecord[] = []) {
    const limiter = new Limiter(1);
    this.lane = new PodLane('shop/web', records, {
      limiterOf: node => {
        this.nodes.push(node);
        return limiter;
      },
      responding: () => this.responding,
      changed: () => undefined,
      failed: (pod, error) => this.errors.push(`${pod}: ${String(error)}`),
      maker: {
        make: async (of, signal, note) => {
          this.done.push(`make ${of.id}`);
          note(recordOf(of));
          if (this.held) await aborted(signal);
          if (this.failures > 0) {
            this.failures -= 1;
            throw new Error('no agent');
          }
          note({ ...recordOf(of), attachment });
        },
        listen: async (record, ports, note) => {
          this.done.push(`listen ${record.id} ${ports.join()}`);
          this.responding = true;
          note({ ...record, ports });
        },
        remove: async record => {
          this.done.push(`remove ${record.id}`);
        },
      },
    });
  }

  async untilReady(): Promise<void> {
    expect(await poll(4000, () => this.lane.progress()?.state === 'ready', 5)).toBe(true);
  }
  async untilGone(): Promise<void> {
    expect(await poll(4000, () => this.lane.progress() === undefined, 5)).toBe(true);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

describe('the lane of one pod name', () => {
  it('makes what is wanted and removes what is not', async () => {
    const scene = new Scene();
    scene.lane.want(wish('p1'));
    await scene.untilReady();
    scene.lane.want(undefined);
    await scene.untilGone();
    expect(scene.done).toEqual(['make p1', 'remove p1']);
  });

  it('does nothing twice', async () => {
    const scene = new Scene();
    for (let time = 0; time < 3; time += 1) {
      scene.lane.want(wish('p1'));
      await scene.untilReady();
    }
    expect(scene.done).toEqual(['make p1']);
  });

  it('removes the old instance before it makes the new one', async () => {
    const scene = new Scene([{ ...recordOf(wish('old')), attachment }]);
    scene.lane.want(wish('new'));
    await scene.untilReady();
    expect(scene.done).toEqual(['remove old', 'make new']);
  });

  it('takes each step on the node that it concerns', async () => {
    const elsewhere = { ...recordOf(wish('old')), node: 'n-b', attachment };
    const scene = new Scene([elsewhere]);
    scene.lane.want(wish('new'));
    await scene.untilReady();
    expect(scene.done).toEqual(['remove old', 'make new']);
    expect(scene.nodes).toEqual(['n-b', 'n-a']);
  });

  it('adopts a pod that is whole, and makes a half-made one anew', async () => {
    const whole = new Scene([{ ...recordOf(wish('p1')), attachment }]);
    whole.lane.want(wish('p1'));
    await whole.untilReady();
    expect(whole.done).toEqual([]);
    const half = new Scene([recordOf(wish('p1'))]);
    half.lane.want(wish('p1'));
    await half.untilReady();
    expect(half.done).toEqual(['remove p1', 'make p1']);
  });

  it('lets a pod answer on other ports, and starts an answerer that has died', async () => {
    const scene = new Scene([{ ...recordOf(wish('p1')), attachment }]);
    scene.lane.want(wish('p1', ['udp:53']));
    await scene.untilReady();
    scene.responding = false;
    scene.lane.want(wish('p1', ['udp:53']));
    await scene.untilReady();
    expect(scene.done).toEqual(['listen p1 udp:53', 'listen p1 udp:53']);
  });

  it('tries again after a failure, with a clean start, and tells why meanwhile', async () => {
    const scene = new Scene();
    scene.failures = 1;
    scene.lane.want(wish('p1'));
    expect(await poll(4000, () => scene.lane.progress()?.problem, 5)).toBe('no agent');
    await scene.untilReady();
    expect(scene.done).toEqual(['make p1', 'remove p1', 'make p1']);
    expect(scene.errors).toEqual(['shop/web: Error: no agent']);
    expect(scene.lane.progress()).not.toHaveProperty('problem');
  });

  it('takes an attachment back that is no longer wanted', async () => {
    const scene = new Scene();
    scene.held = true;
    scene.lane.want(wish('p1'));
    expect(await poll(4000, () => scene.done.length === 1, 5)).toBe(true);
    scene.held = false;
    scene.lane.want(wish('p2'));
    await scene.untilReady();
    expect(scene.done).toEqual(['make p1', 'remove p1', 'make p2']);
    expect(scene.errors).toEqual([]);
  });
});
