/**
 * Run as a process of its own: syncs empty northbounds, one after the other, and reports the milliseconds of each from
 * the facts in memory to the mirror that shows all rows.
 *
 *     cold-sync PODS NODES FILE SOCKET...      FILE: where to write the transactions, a line each; '' for none
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { startClock } from './clock.ts';
import type { Sync } from './cold.ts';
import { Product } from './product.ts';
import { requestText } from './transcript.ts';
import { cluster, pods } from './workload.ts';

// Whoever started this one may be interrupted.
process.on('disconnect', () => process.exit(1));
const [podCount, nodeCount, file = '', ...paths] = process.argv.slice(2);
const syncs: Sync[] = [];
for (const path of paths) {
  const objects = [...cluster(Number(nodeCount)), ...pods(Number(podCount), Number(nodeCount))];
  const product = await Product.start({ kind: 'unix', path }, objects);
  const sent: string[] = [];
  if (file !== '') {
    product.onTransact = operations => {
      sent.push(requestText(sent.length, operations));
    };
  }
  const start = startClock();
  await product.sync();
  syncs.push({ ...start(), rows: product.rows() });
  if (file !== '') writeFileSync(file, sent.join('\n'));
  await product.close();
}
process.send?.(syncs, () => process.exit());
