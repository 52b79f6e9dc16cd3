import type { Session, SessionOptions } from '../ovsdb-client/index.ts';
import type { Database } from './database.ts';

type Tables = SessionOptions['tables'];

/** The columns of the local Open vSwitch that the agent looks at; no statistics, which change all the time. */
export const LOCAL_TABLES: Tables = {
  Open_vSwitch: ['external_ids', 'bridges'],
  Bridge: ['name', 'ports', 'datapath_type'],
  Port: ['name', 'interfaces'],
  Interface: ['name', 'type', 'external_ids', 'mac', 'mtu_request', 'ofport', 'error', 'ifindex'],
};

/** The columns of the southbound that the agent looks at. */
export const SOUTHBOUND_TABLES: Tables = {
  Port_Binding: ['logical_port', 'mac', 'options', 'chassis'],
  Chassis: ['name'],
};

/** A session as the agent sees it. */
export function asDatabase(session: Session): Database {
  return {
    get connected() {
      return session.state === 'ready';
    },
    rows: table => session.rows(table).values(),
    onChange(listener) {
      const ends = [session.onDelta(listener), session.onState(() => listener([]))];
      return () => {
        for (const end of ends) end();
      };
    },
    transact: operations => session.transact(operations),
  };
}
