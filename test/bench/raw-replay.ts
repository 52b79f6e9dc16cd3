/**
 * Run as a process of its own: sends the requests of a file, a line each, and reports the milliseconds from the first
 * one to the last answer.
 *
 *     raw-replay SOCKET FILE [monitor]      monitor: with a monitor like ours, whose updates are thrown away
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { startClock } from './clock.ts';
import { RawClient } from './raw-client.ts';
import { monitorText } from './transcript.ts';

// Whoever started this one may be interrupted.
process.on('disconnect', () => process.exit(1));
const [path = '', file = '', monitor] = process.argv.slice(2);
const requests = readFileSync(file, 'utf8')
  .split('\n')
  .map(line => Buffer.from(line));
const client = await RawClient.open(path);
if (monitor !== undefined) {
  const id = requests.length;
  await client.send([Buffer.from(monitorText(id))], id);
}
const start = startClock();
await client.send(requests, requests.length - 1);
process.send?.(start(), () => process.exit());
