/**
 * Run as a process of its own: sends the requests of a file, a line each, to empty northbounds, one after the other, and
 * reports the milliseconds of each from the first request to the last answer.
 *
 *     raw-replay FILE monitor|alone SOCKET...      monitor: with a monitor like ours, whose updates are thrown away
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { startClock } from './clock.ts';
import type { Sync } from './cold.ts';
import { RawClient } from './raw-client.ts';
import { monitorText } from './transcript.ts';

// Whoever started this one may be interrupted.
process.on('disconnect', () => process.exit(1));
const [file = '', mode, ...paths] = process.argv.slice(2);
const syncs: Sync[] = [];
for (const path of paths) {
  const requests = readFileSync(file, 'utf8')
    .split('\n')
    .map(line => Buffer.from(line));
  const client = await RawClient.open(path);
  if (mode === 'monitor') {
    const id = requests.length;
    await client.send([Buffer.from(monitorText(id))], id);
  }
  const start = startClock();
  await client.send(requests, requests.length - 1);
  syncs.push({ ...start(), rows: 0 });
  client.close();
}
process.send?.(syncs, () => process.exit());
