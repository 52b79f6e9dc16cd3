import { describe, expect, it } from '@jest/globals';
import {
  CniError,
  type CniRequest,
  decodeAnswer,
  decodeRequest,
  encodeLine,
  errorAnswer,
} from '../../src/contracts/cni.ts';
import { readCommand, readConfig, readRequest, versionForErrors } from '../../src/node/cni/request.ts';

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

const config = (fields: object = {}) =>
  readConfig(JSON.stringify({ cniVersion: '1.1.0', name: 'test', ...fields }));

describe('the network configuration', () => {
  it('has a default socket', () => {
    expect(readConfig('{"cniVersion":"0.4.0","name":"test"}')).toEqual({
      cniVersion: '0.4.0',
      name: 'test',
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
    ['{"cniVersion":"1.0.0"}', 7],
    ['{"cniVersion":"1.0.0","name":"-x"}', 7],
    ['{"cniVersion":"1.0.0","name":"x","agentSocket":5}', 7],
    ['{"cniVersion":"1.0.0","name":"x","agentSocket":"relative"}', 7],
    ['{"cniVersion":"1.0.0","name":"x","prevResult":5}', 7],
    ['{"cniVersion":"1.1.0","name":"x","cni.dev/valid-attachments":{}}', 7],
    ['{"cniVersion":"1.1.0","name":"x","cni.dev/valid-attachments":[{"containerID":"a"}]}', 7],
    ['{"cniVersion":"1.1.0","name":"x","cni.dev/valid-attachments":["a"]}', 7],
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
    expect(readRequest(ADD, config())).toEqual({
      command: 'ADD',
      cniVersion: '1.1.0',
      network: 'test',
      sandbox: 'abc123',
      interfaceName: 'eth0',
      netns: '/run/netns/pod',
      pod: { namespace: 'shop', name: 'web', uid: 'u-1' },
    });
  });

  it('reads ADD without a uid', () => {
    const CNI_ARGS = 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web';
    expect(readRequest({ ...ADD, CNI_ARGS }, config())).toMatchObject({
      pod: { namespace: 'shop', name: 'web' },
    });
  });

  it('reads DEL without namespace and pod', () => {
    const env = { CNI_COMMAND: 'DEL', CNI_CONTAINERID: 'abc123', CNI_IFNAME: 'eth0', CNI_NETNS: '' };
    const expected = {
      command: 'DEL',
      cniVersion: '1.1.0',
      network: 'test',
      sandbox: 'abc123',
      interfaceName: 'eth0',
    };
    expect(readRequest(env, config())).toEqual(expected);
  });

  it.each(['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS', 'CNI_ARGS'])('needs %s', name => {
    for (const value of [undefined, '']) {
      const { code, message } = failure(() => readRequest({ ...ADD, [name]: value }, config()));
      expect(code).toBe(4);
      expect(message).toContain(name);
    }
  });

  it('names all that is missing', () => {
    const { message } = failure(() => readRequest({ CNI_COMMAND: 'ADD' }, config()));
    expect(message).toContain('CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_ARGS');
  });

  it.each([
    ['CNI_COMMAND', 'UPDATE'],
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
    const { code, message } = failure(() => readRequest({ ...ADD, [name]: value }, config()));
    expect(code).toBe(4);
    expect(message).toContain(name);
  });
});

describe('the commands beside ADD and DEL', () => {
  const CHECK = { ...ADD, CNI_COMMAND: 'CHECK' };
  const prevResult = { cniVersion: '1.1.0', interfaces: [] };

  it('CHECK has the last result, and needs no pod', () => {
    const { CNI_ARGS: _, ...bare } = CHECK;
    const request = readRequest(bare, config({ prevResult }));
    expect(request).toEqual({
      command: 'CHECK',
      cniVersion: '1.1.0',
      network: 'test',
      sandbox: 'abc123',
      interfaceName: 'eth0',
      netns: '/run/netns/pod',
      prevResult,
    });
    const named = readRequest(CHECK, config({ cniVersion: '0.4.0', prevResult }));
    expect(named).toMatchObject({ cniVersion: '0.4.0', pod: { namespace: 'shop', name: 'web', uid: 'u-1' } });
  });

  it('CHECK without the last result is a wrong configuration', () => {
    const { code, message } = failure(() => readRequest(CHECK, config()));
    expect([code, message]).toEqual([7, expect.stringContaining('prevResult')]);
  });

  it.each(['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS'])('CHECK needs %s', name => {
    const { code, message } = failure(() => readRequest({ ...CHECK, [name]: '' }, config({ prevResult })));
    expect([code, message]).toEqual([4, expect.stringContaining(name)]);
  });

  it('GC has the attachments that are valid, and needs their list', () => {
    const list = [{ containerID: 'abc123', ifname: 'eth0' }];
    const fields = { 'cni.dev/valid-attachments': list };
    expect(readRequest({ CNI_COMMAND: 'GC' }, config(fields))).toEqual({
      command: 'GC',
      cniVersion: '1.1.0',
      network: 'test',
      attachments: [{ sandbox: 'abc123', interfaceName: 'eth0' }],
    });
    const { code, message } = failure(() => readRequest({ CNI_COMMAND: 'GC' }, config()));
    expect([code, message]).toEqual([7, expect.stringContaining('cni.dev/valid-attachments')]);
  });

  it('STATUS needs no variable but its own', () => {
    const expected = { command: 'STATUS', cniVersion: '1.1.0', network: 'test' };
    expect(readRequest({ CNI_COMMAND: 'STATUS' }, config())).toEqual(expected);
  });

  it.each(['GC', 'STATUS'])('%s came with version 1.1.0', command => {
    const older = config({ cniVersion: '1.0.0' });
    const { code, message } = failure(() => readRequest({ CNI_COMMAND: command }, older));
    expect([code, message]).toEqual([1, expect.stringContaining(`${command} needs CNI version 1.1.0`)]);
  });

  it('an unknown one is told of whatever the configuration is', () => {
    expect(failure(() => readCommand({ CNI_COMMAND: 'UPDATE' })).code).toBe(4);
    expect(failure(() => readCommand({})).message).toContain('CNI_COMMAND');
    expect(readCommand({ CNI_COMMAND: 'CHECK' })).toBe('CHECK');
  });
});

describe('the wire', () => {
  const request: CniRequest = readRequest(ADD, config());

  it('carries requests on one line', () => {
    const line = encodeLine(request);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(decodeRequest(line)).toEqual(request);
    const { netns: _, ...withoutNetns } = ADD as Record<string, string>;
    const del = readRequest({ ...withoutNetns, CNI_COMMAND: 'DEL' }, config());
    expect(decodeRequest(encodeLine(del))).toEqual(del);
  });

  it.each<[string, object]>([
    ['ADD', { prevResult: { ips: [] } }],
    ['CHECK', { prevResult: { ips: [] } }],
    ['GC', { 'cni.dev/valid-attachments': [{ containerID: 'a', ifname: 'eth0' }] }],
    ['STATUS', {}],
  ])('carries %s', (command, fields) => {
    const sent = readRequest({ ...ADD, CNI_COMMAND: command }, config(fields));
    expect(decodeRequest(encodeLine(sent))).toEqual(sent);
  });

  it('carries answers', () => {
    const failed = errorAnswer(new CniError(11, 'later', 'why'));
    for (const answer of [{ result: null }, { result: { cniVersion: '1.0.0' } }, failed]) {
      expect(decodeAnswer(encodeLine(answer))).toEqual(answer);
    }
    expect(errorAnswer(new Error('disk'))).toEqual({ error: { code: 5, msg: 'disk', details: '' } });
  });

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"command":"ADD"}',
    JSON.stringify({ ...request, pod: { name: 'x' } }),
    JSON.stringify({ ...request, command: 'CHECK' }),
    '{"command":"GC","cniVersion":"1.1.0","attachments":[{"sandbox":"a"}]}',
    '{"command":"UPDATE","cniVersion":"1.1.0"}',
  ])('refuses the request %s', line => {
    expect(failure(() => decodeRequest(line)).code).toBe(6);
  });

  it.each(['', '{}', '{"result":5}', '{"error":{"code":3,"msg":"x","details":""}}'])(
    'refuses the answer %s',
    line => {
      expect(failure(() => decodeAnswer(line)).code).toBe(6);
    },
  );
});
