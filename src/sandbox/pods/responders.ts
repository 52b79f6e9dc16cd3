import { existsSync, rmSync } from 'node:fs';
import { inNamespace } from '../hosts/namespace-command.ts';
import { scriptFile } from '../package-files.ts';
import { poll } from '../processes/poll.ts';
import { findProcess, type ProcessSpec, startProcess, stopProcess } from '../processes/processes.ts';
import type { PodRecord, PodRecords } from './pod-record.ts';

const READY_TIMEOUT = 30_000;

/** The process that answers on a pod's ports. It outlives the runner. */
function responderProcess(pod: PodRecord, records: PodRecords): ProcessSpec {
  const ready = records.file(pod.id, 'ready');
  const text = `${pod.namespace}/${pod.name}`;
  return {
    name: `the responder of ${text}`,
    command: inNamespace(pod.netns, {
      file: 'perl',
      args: [scriptFile('pods/responder.pl'), ready, text, ...pod.ports],
    }),
    pidfile: records.file(pod.id, 'pid'),
    marker: ready,
    output: records.file(pod.id, 'log'),
    kind: 'service',
  };
}

/** Whether all that a pod declares is answered. */
export function isResponding(pod: PodRecord, records: PodRecords): boolean {
  if (pod.ports.length === 0) return true;
  return (
    existsSync(records.file(pod.id, 'ready')) && findProcess(responderProcess(pod, records)) !== undefined
  );
}

/** Starts a pod's responder anew; every port listens when this resolves. */
export async function startResponder(pod: PodRecord, records: PodRecords): Promise<void> {
  const spec = responderProcess(pod, records);
  await stopResponder(pod, records);
  if (pod.ports.length === 0) return;
  await startProcess(spec);
  const done = await poll(
    READY_TIMEOUT,
    () => existsSync(records.file(pod.id, 'ready')) || !findProcess(spec),
    20,
  );
  if (!done || !isResponding(pod, records))
    throw new Error(`${spec.name} does not listen: see ${spec.output}`);
}

/** Ends a pod's responder, if it runs. */
export async function stopResponder(pod: PodRecord, records: PodRecords): Promise<void> {
  await stopProcess(responderProcess(pod, records));
  rmSync(records.file(pod.id, 'ready'), { force: true });
}
