import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a server says of itself as a member of a cluster (ovsdb-server(7), database `_Server`). */
interface RaftMember {
  readonly leader: boolean;
  readonly connected: boolean;
}

/** Asks the server behind a unix socket what it is to the cluster of a database; neither where it does not run. */
export async function raftMember(path: string, database: string): Promise<RaftMember> {
  const select = { op: 'select', table: 'Database', where: [['name', '==', database]] };
  const request = { id: 0, method: 'transact', params: ['_Server', select] };
  const socket = connect(path);
  try {
    // The server closes when it has answered all, as nothing more can come.
    socket.end(JSON.stringify(request));
    const { result } = JSON.parse(await text(socket)) as { result: [{ rows: [RaftMember] }] };
    return result[0].rows[0];
  } catch {
    return { leader: false, connected: false };
  }
}
