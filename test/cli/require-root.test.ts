import { afterEach, describe, expect, it } from '@jest/globals';
import { requireRoot } from '../../src/cli/require-root.ts';

const { getuid } = process;
const become = (uid: number) => Object.assign(process, { getuid: () => uid });

afterEach(() => {
  Object.assign(process, { getuid });
});

describe('a command that needs root', () => {
  it('says so in one sentence to everybody else', () => {
    become(0);
    expect(requireRoot).not.toThrow();
    become(1000);
    expect(requireRoot).toThrow(
      expect.objectContaining({ exitCode: 1, message: expect.stringMatching(/^a sandbox needs root/) }),
    );
  });
});
