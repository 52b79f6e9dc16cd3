/**
 * Run as a process of its own: monitors the names of logical switch ports and does nothing else. Ends when so many pods'
 * ports have come; reports when.
 *
 *     watch-ports SOCKET COUNT
 */
import { connect } from 'node:net';
import process from 'node:process';
import { NameScanner, POD_OF_PORT } from './arrivals.ts';
import type { PortsReport } from './burst.ts';
import { runHelper } from './helper-side.ts';
import { machineTime } from './machine-clock.ts';

const [socketPath = '', count] = process.argv.slice(2);

/** RFC 7047, 4.1.5: only what comes from now on. */
const REQUEST = {
  id: 1,
  method: 'monitor',
  params: [
    'OVN_Northbound',
    'ports',
    {
      Logical_Switch_Port: {
        columns: ['name'],
        select: { initial: false, insert: true, delete: false, modify: false },
      },
    },
  ],
};

runHelper<PortsReport>(async ready => {
  const shown = new Map<string, number>();
  const scanner = new NameScanner(POD_OF_PORT);
  const socket = connect(socketPath).setEncoding('utf8');
  await new Promise<void>((resolve, reject) => {
    // The first thing that comes is the answer to the request.
    socket.once('data', ready);
    socket.on('data', (piece: string) => {
      const now = machineTime();
      for (const name of scanner.take(piece)) if (!shown.has(name)) shown.set(name, now);
      if (shown.size >= Number(count)) resolve();
    });
    socket.on('error', reject).on('close', () => reject(new Error('the database closed the connection')));
    socket.write(JSON.stringify(REQUEST));
  });
  return { shown: [...shown] };
});
