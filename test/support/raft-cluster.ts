import { freePorts, ovn, RealServer } from './ovsdb-server.ts';

const DATABASE = 'OVN_Northbound';

/** Makes and starts a RAFT cluster of three real northbound servers. */
export async function startRaftNorthbound(folder: string, name: string): Promise<readonly RealServer[]> {
  const root = await ovn('trixie');
  const addresses = (await freePorts(3)).map(port => `tcp:127.0.0.1:${port}`);
  const [first = ''] = addresses;
  return addresses.map((address, index) => {
    const member = new RealServer({ root, folder, name: `${name}${index + 1}` });
    if (index === 0) member.createCluster('ovn-nb', address);
    else member.joinCluster(DATABASE, address, first);
    member.start();
    return member;
  });
}

/** The member that leads, or undefined while there is none. */
export function raftLeader(members: readonly RealServer[]): RealServer | undefined {
  return members.find(member => /^Role: leader$/m.test(member.control('cluster/status', DATABASE)));
}
