import { describe, expect, it } from '@jest/globals';
import { auditFolder, deniedRequests, gatheredLogs, unusedRights } from '../support/audit.ts';
import { deployedRights } from '../support/rights.ts';
import { describeIf, itIf } from '../support/skip.ts';

/** Runs last: looks at what all tests before it asked of real API servers, in the name of master and agents. */
const rights = deployedRights();
const folder = auditFolder();
const logs: ReturnType<typeof gatheredLogs> = folder === undefined ? new Map() : gatheredLogs(folder, rights);
const events = [...logs.values()].flat();
const origins = new Set([...logs.keys()].map(file => file.split('-')[0]));

describe('deploy/rbac.yaml', () => {
  it('grants something', () => {
    expect(rights.length).toBeGreaterThan(0);
  });

  describeIf(events.length > 0, 'no test before asked a Kubernetes API server')('grants', () => {
    it('all that master and agents ask for', () => {
      const denied = [...logs].flatMap(([file, own]) => {
        const others = [...logs].filter(([other]) => other !== file).flatMap(([, theirs]) => theirs);
        return deniedRequests(rights, own, others);
      });
      expect(denied).toEqual([]);
    });

    itIf(
      origins.has('integration') && origins.has('e2e'),
      'not all tests that ask a Kubernetes API server have run',
    )('nothing that they never use', () => {
      expect(unusedRights(rights, events)).toEqual([]);
    });
  });
});
