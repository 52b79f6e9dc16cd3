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
  const from = list.metadata.resourceVersion;
  const [seen, addressed] = [new Map<string, number>(), new Map<string, number>()];
  const reader = new LineReader();
  await new Promise<void>((resolve, reject) => {
    const take = (piece: string) => {
      const now = machineTime();
      for (const line of reader.take(piece)) {
        const event = podEvent(line);
        if (!event) continue;
        const { name, hasAddress } = event;
        if (!seen.has(name)) seen.set(name, now);
        if (hasAddress && !addressed.has(name)) addressed.set(name, now);
      }
      if (seen.size >= Number(count) && addressed.size >= Number(countWithAddresses)) resolve();
    };
    client.stream(`/api/v1/pods?watch=true&resourceVersion=${from}`, ready, take).then(() => {
      reject(new Error('the API server ended the watch'));
    }, reject);
  });
  return { seen: [...seen], addressed: [...addressed] };
});
