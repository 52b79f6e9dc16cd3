import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../../../src/cluster/api/types.ts';
import { failureOf } from '../../../src/cluster/write/outcome.ts';

describe('a refusal of a write (403)', () => {
  const kindOf = (message: string) => failureOf(new ApiError(message, { status: 403 })).kind;

  it('is for later where a right is missing, which an API server that starts says of every right', () => {
    const said =
      'pods "web" is forbidden: User "system:serviceaccount:kube-northbound:kube-northbound-master" cannot patch ' +
      'resource "pods/status" in API group "" in the namespace "shop": RBAC: clusterrole "kube-northbound-master" not found';
    expect(
      kindOf(`the account must not patch pods/status: RBAC lacks a rule (the server says: ${said})`),
    ).toBe('later');
  });

  it('is for later where admission is not ready yet', () => {
    const said = 'pods "web" is forbidden: not yet ready to handle request';
    expect(kindOf(`cannot patch pods/status web in namespace shop: ${said}`)).toBe('later');
  });

  it('is for good where admission refuses the object', () => {
    const said = 'admission webhook "policy.example.com" denied the request: no annotations';
    expect(kindOf(`cannot patch pods/status web in namespace shop: ${said}`)).toBe('refused');
  });
});
