import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import { logConnections } from '../../src/observe/connections.ts';

describe('the log of connections', () => {
  it('tells of failed attempts once for each reason, of losses and of success', () => {
    const lines: string[] = [];
    const add = (fields: { reason?: unknown }, message: string) =>
      lines.push([message, fields.reason ?? []].flat().join(': '));
    logConnections({ debug: add, info: add, warn: add, error: add });
    const database = 'OVN_Northbound';
    const publish = (event: object) => channel('kube-northbound:ovsdb').publish({ database, ...event });
    const fail = (reason: string) => publish({ kind: 'attempt-failed', cause: new Error(reason) });
    fail('refused');
    fail('refused');
    fail('no route');
    publish({ kind: 'state', state: 'ready' });
    publish({ kind: 'state', state: 'connecting', cause: new Error('closed') });
    fail('no route');
    publish({ kind: 'state', state: 'closed', cause: new Error('over') });
    publish({ kind: 'listener-threw', cause: new Error('a mistake') });
    expect(lines).toEqual([
      'the database cannot be reached yet; going on trying: refused',
      'the database cannot be reached yet; going on trying: no route',
      'the database is connected',
      'the connection to the database is lost: closed',
      'the database cannot be reached yet; going on trying: no route',
      'a listener of the database session threw',
    ]);
  });
});
