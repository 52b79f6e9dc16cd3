import { connect, createServer, type Server } from 'node:net';

/** The listening socket that `listen.pl` leaves. */
const LISTENING = 3;

/**
 * Passes TCP connections on to `host:port`, byte by byte. They come in where the inherited socket was made, and go out
 * from where this program runs.
 */
export function runRelay({ host, port }: { readonly host: string; readonly port: number }): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, incoming => {
    const outgoing = connect({ host, port, allowHalfOpen: true, noDelay: true });
    // Either end's failure is the other one's, too.
    incoming.on('error', () => outgoing.destroy());
    outgoing.on('error', () => incoming.destroy());
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => incoming.destroy());
    incoming.pipe(outgoing).pipe(incoming);
  });
  return server.listen({ fd: LISTENING });
}
