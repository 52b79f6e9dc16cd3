import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { poll } from '../processes/poll.ts';
import { findProcess, type ProcessSpec } from '../processes/processes.ts';

const TIMEOUT = 120_000;
const ANSWER_TIMEOUT = 5_000;

/**
 * Waits until an API server says that it is ready, which everybody may ask. Rejects where its process ends, or after two
 * minutes.
 */
export async function awaitApiServer(
  spec: ProcessSpec,
  { server, authority }: { readonly server: string; readonly authority: string },
): Promise<void> {
  const ca = readFileSync(authority);
  const found = await poll(TIMEOUT, async () => {
    if (!findProcess(spec)) return 'ended';
    return (await isReady(new URL('/readyz', server), ca)) && 'ready';
  });
  if (found !== 'ready') throw new Error(`${spec.name} ${found ?? 'does not get ready'}: see ${spec.output}`);
}

function isReady(url: URL, ca: Buffer): Promise<boolean> {
  return new Promise(resolve => {
    const asked = request(url, { ca, agent: false, timeout: ANSWER_TIMEOUT }, answer => {
      answer.resume();
      answer.once('close', () => resolve(answer.statusCode === 200));
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
    asked.end();
  });
}
