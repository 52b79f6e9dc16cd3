/**
 * Run as a process of its own: syncs an empty northbound once and reports the milliseconds from the objects in memory
 * to the mirror that shows them all.
 *
 *     cold-sync SOCKET PODS NODES [FILE]      FILE: where to write the transactions, a line each; the run is slower then
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { startClock } from './clock.ts';
import { Product } from './product.ts';
import { requestText } from './transcript.ts';
import { cluster, pods } from './workload.ts';

// Whoever started this one may be interrupted.
process.on('disconnect', () => process.exit(1));
const [path = '', podCount, nodeCount, file] = process.argv.slice(2);
const objects = [...cluster(Number(nodeCount)), ...pods(Number(podCount), Number(nodeCount))];
const product = await Product.start({ kind: 'unix', path });
const sent: string[] = [];
if (file !== undefined) {
  product.onTransact = operations => {
    sent.push(requestText(sent.length, operations));
  };
}
const start = startClock();
await product.take(objects);
const times = start();
if (file !== undefined) writeFileSync(file, sent.join('\n'));
process.send?.({ ...times, rows: product.rows() }, () => process.exit());
