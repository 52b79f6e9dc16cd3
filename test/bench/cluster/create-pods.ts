/**
 * Run as a process of its own: creates pods as fast as the API server takes them, and reports for each when it was sent
 * and when the API server had answered.
 *
 *     create-pods KUBECONFIG PREFIX COUNT NODES CONNECTIONS
 */
import process from 'node:process';
import { ApiClient } from './api-client.ts';
import type { CreateReport } from './burst.ts';
import { runHelper } from './helper-side.ts';
import { machineTime } from './machine-clock.ts';
import { newPods } from './objects.ts';

const [kubeconfig = '', prefix = '', count, nodes, connections] = process.argv.slice(2);

runHelper<CreateReport>(async ready => {
  const client = new ApiClient(kubeconfig, Number(connections));
  const lanes = Array.from({ length: Number(connections) });
  // Handshakes are over before the first pod is sent.
  await Promise.all(lanes.map(() => client.ask('GET', '/readyz')));
  const requests = newPods(prefix, Number(count), Number(nodes)).map(pod => ({
    ...pod,
    body: Buffer.from(JSON.stringify(pod.body)),
  }));
  ready();
  const sent: [string, number][] = [];
  const answered: [string, number][] = [];
  const rest = requests.values();
  await Promise.all(
    lanes.map(async () => {
      for (const { name, path, body } of rest) {
        sent.push([name, machineTime()]);
        await client.ask('POST', path, body);
        answered.push([name, machineTime()]);
      }
    }),
  );
  return { sent, answered };
});
