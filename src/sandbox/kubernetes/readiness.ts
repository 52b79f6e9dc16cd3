import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { poll } from '../processes/poll.ts';
import { findProcess, type ProcessSpec } from '../processes/processes.ts';

const TIMEOUT = 120_000;
const ANSWER_TIMEOUT = 5_000;

/**
 * Waits until an API server says that it is ready, which everybody may ask. Rejects where one of the processes that it
 * takes ends, or after two minutes.
 */
export async function awaitApiServer(
  processes: readonly ProcessSpec[],
  { server, authority }: { readonly server: string; readonly authority: string },
): Promise<void> {
  const ca = readFileSync(authority);
  const found = await poll(TIMEOUT, async () => {
    const ended = processes.find(spec => !findProcess(spec));
    if (ended) return `${ended.name} has ended: see ${ended.output}`;
    return (await isReady(new URL('/readyz', server), ca)) && 'ready';
  });
  if (found !== 'ready') throw new Error(found ?? `the API server at ${server} does not get ready`);
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
