import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { generatedNodes, planTopology } from '../../src/sandbox/hosts/topology.ts';
import { RunPaths } from '../../src/sandbox/paths.ts';
import { poll } from '../../src/sandbox/processes/poll.ts';
import { readProcess } from '../../src/sandbox/processes/proc.ts';
import {
  findProcess,
  killProcess,
  type ProcessSpec,
  startProcess,
  stopProcess,
} from '../../src/sandbox/processes/processes.ts';
import { claimSandbox, readState, type SandboxState, writeState } from '../../src/sandbox/state.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'knb-proc-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const service = (script: string): ProcessSpec => ({
  name: 'thing',
  command: { file: process.execPath, args: ['-e', script, join(dir, 'mark')] },
  pidfile: join(dir, 'pid'),
  marker: join(dir, 'mark'),
  output: join(dir, 'out'),
  kind: 'service',
});
const WAIT = 'setInterval(() => {}, 1000)';

describe('a process of a sandbox', () => {
  it('is started, found, and asked to end', async () => {
    const spec = service(WAIT);
    await startProcess(spec);
    const found = findProcess(spec);
    expect(found?.command).toContain(spec.marker);
    await expect(startProcess(spec)).rejects.toThrow(`thing runs already (pid ${found?.pid})`);
    await stopProcess(spec);
    expect(findProcess(spec)).toBeUndefined();
    await stopProcess(spec);
  });

  it('is ended even while it is stopped', async () => {
    const spec = service(`console.log('up'); ${WAIT}`);
    const { pid } = await startProcess(spec);
    expect(await poll(4000, () => readFileSync(spec.output, 'utf8') === 'up\n', 5)).toBe(true);
    process.kill(pid, 'SIGSTOP');
    const stopped = () => /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    expect(await poll(4000, stopped, 5)).toBe(true);
    await stopProcess(spec);
    expect(findProcess(spec)).toBeUndefined();
  });

  it('can be killed once', async () => {
    const spec = service(WAIT);
    await startProcess(spec);
    await killProcess(spec);
    await expect(killProcess(spec)).rejects.toThrow('thing does not run');
    await startProcess(spec);
    await killProcess(spec);
  });

  it('is never mistaken for a stranger that has its pid now', async () => {
    const spec = service(WAIT);
    writeFileSync(spec.pidfile, `${process.pid}\n`);
    expect(findProcess(spec)).toBeUndefined();
    await stopProcess(spec);
    expect(readProcess(process.pid)).toBeDefined();
  });

  it('tells the end of its output where it does not start', async () => {
    const daemon: ProcessSpec = {
      ...service('console.error("no such table"); process.exit(3)'),
      kind: 'daemon',
    };
    await expect(startProcess(daemon)).rejects.toThrow(/thing ended with 3; .*no such table/);
  });
});

describe('the record of a sandbox', () => {
  const state: SandboxState = {
    phase: 'making',
    ovnRoot: '/',
    topology: planTopology('shop', generatedNodes(1)),
    manifests: [],
    ovnOnly: false,
  };

  it('takes a name once', () => {
    const paths = new RunPaths('shop', dir);
    expect(() => readState(paths)).toThrow(/no sandbox at .*: none is up/);
    claimSandbox(paths, state);
    expect(readState(paths)).toEqual(state);
    expect(() => claimSandbox(paths, state)).toThrow(/half made: .*sandbox down --name shop/);
    writeState(paths, { ...state, phase: 'up' });
    expect(() => claimSandbox(paths, state)).toThrow(/is up already/);
    expect(() => readState(new RunPaths('other', dir))).toThrow(/these are there: shop/);
    expect(readFileSync(paths.state, 'utf8')).toContain('"phase": "up"');
  });
});
