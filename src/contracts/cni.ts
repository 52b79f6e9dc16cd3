/**
 * What the CNI plugin and the node's agent say to each other. One connection carries one request and one answer, each
 * a JSON text on one line ended by a newline. The plugin closing the connection before the answer cancels the request.
 */

/** Versions of the CNI specification whose results we can print. */
export const CNI_VERSIONS: readonly string[] = ['0.4.0', '1.0.0', '1.1.0'];

/** The version that we speak where nobody asks for one. */
export const LATEST_CNI_VERSION = '1.1.0';

/** The agent's socket where the network configuration has no `agentSocket`. */
export const DEFAULT_AGENT_SOCKET = '/run/kube-northbound/cni.sock';

/** Longest line that either side accepts, in characters. */
export const MAX_LINE = 1 << 20;

/** Error codes of the CNI specification 1.1.0, section "Error". */
export const CNI_CODES = {
  incompatibleVersion: 1,
  invalidEnvironment: 4,
  inputOutput: 5,
  decodeFailure: 6,
  invalidConfiguration: 7,
  tryAgainLater: 11,
} as const;

export type CniCode = (typeof CNI_CODES)[keyof typeof CNI_CODES];

/** A failure as the specification wants it told: `message` is short, `details` says what to do. */
export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: CniCode;
  readonly details: string;

  constructor(code: CniCode, message: string, details = '') {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** The pod behind an ADD, from CNI_ARGS. Without `uid` any instance of that name will do. */
export interface CniPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}

export interface CniAddRequest {
  readonly command: 'ADD';
  readonly cniVersion: string;
  /** CNI_CONTAINERID. */
  readonly sandbox: string;
  /** CNI_IFNAME. */
  readonly interfaceName: string;
  /** CNI_NETNS: the path of the pod's network namespace. */
  readonly netns: string;
  readonly pod: CniPod;
}

export interface CniDelRequest {
  readonly command: 'DEL';
  readonly cniVersion: string;
  readonly sandbox: string;
  readonly interfaceName: string;
}

export type CniRequest = CniAddRequest | CniDelRequest;

/** An answer: what the plugin prints on success (nothing for DEL), or the failure. */
export type CniAnswer =
  | { readonly result: Readonly<Record<string, unknown>> | null }
  | { readonly error: { readonly code: CniCode; readonly msg: string; readonly details: string } };

/** One message on the wire. */
export function encodeLine(message: CniRequest | CniAnswer): string {
  return `${JSON.stringify(message)}\n`;
}

/** Reads a request. Throws {@link CniError} 6 where it is not one. */
export function decodeRequest(line: string): CniRequest {
  const { command, pod, ...rest } = parse(line);
  const { cniVersion, sandbox, interfaceName, netns } = rest;
  if (isText(cniVersion) && isText(sandbox) && isText(interfaceName)) {
    const common = { cniVersion, sandbox, interfaceName };
    if (command === 'DEL') return { command, ...common };
    if (command === 'ADD' && isText(netns) && isPod(pod)) return { command, ...common, netns, pod };
  }
  throw new CniError(CNI_CODES.decodeFailure, 'the request to the agent is malformed', line.slice(0, 200));
}

/** Reads an answer. Throws {@link CniError} 6 where it is not one. */
export function decodeAnswer(line: string): CniAnswer {
  const answer = parse(line);
  if (answer.result === null) return { result: null };
  if (isRecord(answer.result)) return { result: answer.result };
  const { error } = answer;
  if (isRecord(error) && isCode(error.code) && isText(error.msg) && typeof error.details === 'string') {
    return { error: { code: error.code, msg: error.msg, details: error.details } };
  }
  throw new CniError(CNI_CODES.decodeFailure, 'the answer of the agent is malformed', line.slice(0, 200));
}

/** An error as an answer. Whatever is no {@link CniError} becomes an I/O failure (code 5). */
export function errorAnswer(error: unknown): CniAnswer {
  if (error instanceof CniError) {
    return { error: { code: error.code, msg: error.message, details: error.details } };
  }
  const msg = error instanceof Error ? error.message : String(error);
  return { error: { code: CNI_CODES.inputOutput, msg, details: '' } };
}

function parse(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  if (isRecord(value)) return value;
  throw new CniError(CNI_CODES.decodeFailure, 'not a JSON object', line.slice(0, 200));
}

function isPod(value: unknown): value is CniPod {
  if (!isRecord(value)) return false;
  return isText(value.namespace) && isText(value.name) && (value.uid === undefined || isText(value.uid));
}

function isCode(value: unknown): value is CniCode {
  return Object.values(CNI_CODES).some(code => code === value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
