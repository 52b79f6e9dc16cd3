import { describe, expect, it } from '@jest/globals';
import { annotationPatch } from '../../../src/cluster/write/annotation-writer.ts';

const write = { name: 'web', uid: 'u', version: undefined, annotations: { a: '1' } };

describe("a patch of an object's annotations", () => {
  it('names the very object, and our keys alone', () => {
    expect(annotationPatch({ ...write, kind: 'Pod', namespace: 'shop' })).toEqual({
      method: 'PATCH',
      path: '/api/v1/namespaces/shop/pods/web/status',
      query: { fieldManager: 'kube-northbound' },
      contentType: 'application/merge-patch+json',
      body: { metadata: { uid: 'u', annotations: { a: '1' } } },
    });
    expect(annotationPatch({ ...write, kind: 'Node', namespace: undefined }).path).toBe(
      '/api/v1/nodes/web/status',
    );
  });

  it('names the version, too, where it carries what others wrote', () => {
    expect(annotationPatch({ ...write, kind: 'Node', namespace: undefined, version: '7' }).body).toEqual({
      metadata: { uid: 'u', resourceVersion: '7', annotations: { a: '1' } },
    });
  });
});
