/**
 * Run as a process of its own: watches all pods and does nothing else. Ends when so many pods have come and so many
 * have got their addresses; reports when.
 *
 *     watch-pods KUBECONFIG COUNT COUNT_WITH_ADDRESSES
 */
import process from 'node:process';
import { ApiClient } from './api-client.ts';
import { LineReader, podEvent } from './arrivals.ts';
import type { PodsReport } from './burst.ts';
import { runHelper } from './helper-side.ts';
import { machineTime } from './machine-clock.ts';

const [kubeconfig = '', count, countWithAddresses] = process.argv.slice(2);

runHelper<PodsReport>(async ready => {
  const client = new ApiClient(kubeconfig, 2);
  const list = JSON.parse(await client.ask('GET', '/api/v1/pods?limit=1')) as {
    readonly metadata: { readonly resourceVersion: string };
  };
  let from = list.metadata.resourceVersion;
  const [seen, addressed] = [new Map<string, number>(), new Map<string, number>()];
  const isDone = () => seen.size >= Number(count) && addressed.size >= Number(countWithAddresses);
  const note = (line: string, now: number) => {
    const event = podEvent(line);
    if (!event) return;
    const { name, version, hasAddress } = event;
    from = version;
    if (!seen.has(name)) seen.set(name, now);
    if (hasAddress && !addressed.has(name)) addressed.set(name, now);
  };
  let cuts = 0;
  await new Promise<void>((resolve, reject) => {
    // The API server ends a watch that does not keep up with it, as it may on a busy machine.
    const watch = (): void => {
      const since = from;
      const reader = new LineReader();
      const take = (piece: string) => {
        const now = machineTime();
        for (const line of reader.take(piece)) note(line, now);
        if (isDone()) resolve();
      };
      const path = `/api/v1/pods?watch=true&resourceVersion=${from}`;
      const ended = () => {
        cuts++;
        if (from === since) reject(new Error('the API server ends watches at once'));
        else watch();
      };
      client.stream(path, ready, take).then(ended, reject);
    };
    watch();
  });
  return { seen: [...seen], addressed: [...addressed], cuts };
});
