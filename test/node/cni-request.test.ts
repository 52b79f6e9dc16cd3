import { describe, expect, it } from '@jest/globals';
import {
  CniError,
  type CniRequest,
  decodeAnswer,
  decodeRequest,
  encodeLine,
  errorAnswer,
} from '../../src/contracts/cni.ts';
import { readConfig, readRequest, versionForErrors } from '../../src/node/cni/request.ts';

const ADD = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'abc123',
  CNI_IFNAME: 'eth0',
  CNI_NETNS: '/run/netns/pod',
  CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_UID=u-1',
};

function failure(act: () => unknown): { readonly code: number; readonly message: string } {
  try {
    act();
  } catch (error) {
    if (error instanceof CniError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('did not throw');
}

describe('the network configuration', () => {
  it('has a default socket', () => {
    expect(readConfig('{"cniVersion":"0.4.0"}')).toEqual({
      cniVersion: '0.4.0',
      agentSocket: '/run/kube-northbound/cni.sock',
    });
  });

  it.each([
    ['', 6],
    ['{', 6],
    ['[]', 6],
    ['{}', 1],
    ['{"cniVersion":"0.3.1"}', 1],
    ['{"cniVersion":"2.0.0"}', 1],
    ['{"cniVersion":1}', 7],
    ['{"cniVersion":"1.0.0","agentSocket":5}', 7],
    ['{"cniVersion":"1.0.0","agentSocket":"relative"}', 7],
  ])('%s fails with code %i', (text, code) => {
    expect(failure(() => readConfig(text)).code).toBe(code);
  });

  it('gives the version of errors', () => {
    expect(versionForErrors('{"cniVersion":"0.4.0","agentSocket":5}')).toBe('0.4.0');
    expect(versionForErrors('{"cniVersion":"9.9.9"}')).toBe('1.1.0');
    expect(versionForErrors('no JSON')).toBe('1.1.0');
  });
});

describe('the environment', () => {
  it('reads ADD', () => {
    expect(readRequest(ADD, '1.0.0')).toEqual({
      command: 'ADD',
      cniVersion: '1.0.0',
      sandbox: 'abc123',
      interfaceName: 'eth0',
      netns: '/run/netns/pod',
      pod: { namespace: 'shop', name: 'web', uid: 'u-1' },
    });
  });

  it('reads ADD without a uid', () => {
    const CNI_ARGS = 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web';
    expect(readRequest({ ...ADD, CNI_ARGS }, '1.0.0')).toMatchObject({
      pod: { namespace: 'shop', name: 'web' },
    });
  });

  it('reads DEL without namespace and pod', () => {
    const env = { CNI_COMMAND: 'DEL', CNI_CONTAINERID: 'abc123', CNI_IFNAME: 'eth0', CNI_NETNS: '' };
    const expected = { command: 'DEL', cniVersion: '1.0.0', sandbox: 'abc123', interfaceName: 'eth0' };
    expect(readRequest(env, '1.0.0')).toEqual(expected);
  });

  it.each(['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS', 'CNI_ARGS'])('needs %s', name => {
    for (const value of [undefined, '']) {
      const { code, message } = failure(() => readRequest({ ...ADD, [name]: value }, '1.0.0'));
      expect(code).toBe(4);
      expect(message).toContain(name);
    }
  });

  it('names all that is missing', () => {
    const { message } = failure(() => readRequest({ CNI_COMMAND: 'ADD' }, '1.0.0'));
    expect(message).toContain('CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_ARGS');
  });

  it.each([
    ['CNI_COMMAND', 'CHECK'],
    ['CNI_CONTAINERID', '../x'],
    ['CNI_IFNAME', 'a-name-of-16-cha'],
    ['CNI_IFNAME', 'eth/0'],
    ['CNI_IFNAME', '..'],
    ['CNI_IFNAME', 'eth0\nlink'],
    ['CNI_NETNS', 'relative/path'],
    ['CNI_NETNS', '/run/netns/a\nlink del dev x'],
    ['CNI_NETNS', '/run/netns/a b'],
    ['CNI_ARGS', 'K8S_POD_NAMESPACE=shop'],
    ['CNI_ARGS', 'K8S_POD_NAME=web'],
    ['CNI_ARGS', 'nonsense'],
  ])('refuses %s=%j', (name, value) => {
    const { code, message } = failure(() => readRequest({ ...ADD, [name]: value }, '1.0.0'));
    expect(code).toBe(4);
    expect(message).toContain(name);
  });
});

describe('the wire', () => {
  const request: CniRequest = readRequest(ADD, '1.0.0');

  it('carries requests on one line', () => {
    const line = encodeLine(request);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(decodeRequest(line)).toEqual(request);
    const { netns: _, ...withoutNetns } = ADD as Record<string, string>;
    const del = readRequest({ ...withoutNetns, CNI_COMMAND: 'DEL' }, '0.4.0');
    expect(decodeRequest(encodeLine(del))).toEqual(del);
  });

  it('carries answers', () => {
    const failed = errorAnswer(new CniError(11, 'later', 'why'));
    for (const answer of [{ result: null }, { result: { cniVersion: '1.0.0' } }, failed]) {
      expect(decodeAnswer(encodeLine(answer))).toEqual(answer);
    }
    expect(errorAnswer(new Error('disk'))).toEqual({ error: { code: 5, msg: 'disk', details: '' } });
  });

  it.each(['', 'null', '[]', '{}', '{"command":"ADD"}', JSON.stringify({ ...request, pod: { name: 'x' } })])(
    'refuses the request %s',
    line => {
      expect(failure(() => decodeRequest(line)).code).toBe(6);
    },
  );

  it.each(['', '{}', '{"result":5}', '{"error":{"code":3,"msg":"x","details":""}}'])(
    'refuses the answer %s',
    line => {
      expect(failure(() => decodeAnswer(line)).code).toBe(6);
    },
  );
});
