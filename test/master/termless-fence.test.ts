import { describe, expect, it } from '@jest/globals';
import { termlessFence } from '../../src/master/termless-fence.ts';
import type { Row, RowDelta } from '../../src/ovsdb-client/index.ts';

const STAMP = 'kube-northbound/term/blue';

function setup() {
  let ids = new Map<string, string>();
  let lock = true;
  const lockListeners = new Set<() => void>();
  const deltaListeners = new Set<(deltas: readonly RowDelta[]) => void>();
  const errors: string[] = [];
  const nothing = () => {};
  const row = (): Row => ({ uuid: 'u', columns: { external_ids: ids } });
  const fence = termlessFence({
    fence: {
      get held() {
        return lock;
      },
      operations: [{ op: 'assert', lock: 'ours' }],
      onChange: listener => {
        lockListeners.add(listener);
        return () => lockListeners.delete(listener);
      },
    },
    database: {
      rows: table => new Map(table === 'NB_Global' ? [['u', row()]] : []),
      onDelta: listener => {
        deltaListeners.add(listener);
        return () => deltaListeners.delete(listener);
      },
    },
    installation: 'blue',
    log: { debug: nothing, info: nothing, warn: nothing, error: (_, text) => errors.push(text) },
  });
  let told = 0;
  const stop = fence.onChange(() => told++);
  const say = (...entries: readonly (readonly [string, string])[]) => {
    ids = new Map(entries);
    const delta: RowDelta = { table: 'NB_Global', kind: 'modify', row: row(), changed: {} };
    for (const listener of deltaListeners) listener([delta]);
  };
  const setLock = (held: boolean) => {
    lock = held;
    for (const listener of lockListeners) listener();
  };
  return { fence, say, setLock, errors, stop, told: () => told };
}

describe('the right of a master with manifests to write', () => {
  it('is that of its lock', () => {
    const { fence, setLock, told } = setup();
    expect([fence.held, fence.operations]).toEqual([true, [{ op: 'assert', lock: 'ours' }]]);
    setLock(false);
    expect([fence.held, told()]).toEqual([false, 1]);
  });

  it('is lost while a master with an API server leads, and that is said once', () => {
    const { fence, say, errors, told } = setup();
    say(['other', 'x']);
    expect([fence.held, told()]).toEqual([true, 0]);
    say(['other', 'x'], [STAMP, '1/one']);
    say([STAMP, '2/two']);
    expect([fence.held, told()]).toEqual([false, 1]);
    expect(errors).toEqual([
      expect.stringContaining(`nothing is written any more: NB_Global says ${STAMP}=1/one`),
    ]);
    say();
    expect([fence.held, told()]).toEqual([true, 2]);
  });

  it('is told to nobody who has stopped to listen', () => {
    const { say, setLock, stop, told } = setup();
    stop();
    say([STAMP, '1/one']);
    setLock(false);
    expect(told()).toBe(0);
  });
});
