import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../../src/cli/exit.ts';
import { observationAddress } from '../../src/cli/observation.ts';

describe('where metrics and health are served', () => {
  it.each([
    ['by default with an API server', {}, { host: '127.0.0.1', port: 9409 }],
    ['by default with manifests', { manifests: ['folder'] }, undefined],
    ['where it is said, with manifests', { manifests: ['a'], metricsBindAddress: ':1' }, { port: 1 }],
    ['where it is said', { metricsBindAddress: '[::1]:9000' }, { host: '::1', port: 9000 }],
    ['where it is said that it is nowhere', { metricsBindAddress: '0' }, undefined],
  ])('%s', (_, options, address) => {
    expect(observationAddress(options, 'master')).toEqual(address);
  });

  it('is another port for an agent, as both run on one machine', () => {
    expect(observationAddress({}, 'node')).toEqual({ host: '127.0.0.1', port: 9410 });
  });

  it('must be an address', () => {
    const wrong = () => observationAddress({ metricsBindAddress: 'localhost' }, 'master');
    expect(wrong).toThrow(UsageError);
    expect(wrong).toThrow('--metrics-bind-address: "localhost" is no address to listen at');
  });
});
