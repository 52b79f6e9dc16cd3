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

/** Error codes of the CNI specification 1.1.0, sections "Error" and "STATUS". */
export const CNI_CODES = {
  incompatibleVersion: 1,
  invalidEnvironment: 4,
  inputOutput: 5,
  decodeFailure: 6,
  invalidConfiguration: 7,
  tryAgainLater: 11,
  /** STATUS: no ADD can be served. */
  notAvailable: 50,
  /** STATUS: no ADD can be served, and pods that are attached may be cut off as well. */
  limitedConnectivity: 51,
  /** Our own, from 100 on: CHECK found something else than what ADD left. */
  notAsAdded: 100,
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

/** The interface of one sandbox: what the specification calls an attachment. */
export interface CniAttachment {
  /** CNI_CONTAINERID. */
  readonly sandbox: string;
  /** CNI_IFNAME. */
  readonly interfaceName: string;
}

/** What every request has. */
interface CniCommon {
  readonly cniVersion: string;
  /** `name` of the network configuration; the plugins of older releases do not tell it. */
  readonly network?: string;
}

/** A result of the specification as it came, of the version that the request has. */
export type CniResult = Readonly<Record<string, unknown>>;

export interface CniAddRequest extends CniCommon, CniAttachment {
  readonly command: 'ADD';
  /** CNI_NETNS: the path of the pod's network namespace. */
  readonly netns: string;
  readonly pod: CniPod;
  /** What the plugins before ours in a chain have made. */
  readonly prevResult?: CniResult;
}

export interface CniDelRequest extends CniCommon, CniAttachment {
  readonly command: 'DEL';
}

export interface CniCheckRequest extends CniCommon, CniAttachment {
  readonly command: 'CHECK';
  readonly netns: string;
  /** Undefined where CNI_ARGS, which are optional here, do not tell it. */
  readonly pod?: CniPod;
  /** The result of the last ADD, of all plugins of the chain. */
  readonly prevResult: CniResult;
}

export interface CniGcRequest extends CniCommon {
  readonly command: 'GC';
  /** The attachments that are still wanted. */
  readonly attachments: readonly CniAttachment[];
}

export interface CniStatusRequest extends CniCommon {
  readonly command: 'STATUS';
}

export type CniRequest = CniAddRequest | CniDelRequest | CniCheckRequest | CniGcRequest | CniStatusRequest;

/** An answer: what the plugin prints on success (only ADD prints something), or the failure. */
export type CniAnswer =
  | { readonly result: CniResult | null }
  | { readonly error: { readonly code: CniCode; readonly msg: string; readonly details: string } };

/** One message on the wire. */
export function encodeLine(message: CniRequest | CniAnswer): string {
  return `${JSON.stringify(message)}\n`;
}

/** Reads a request. Throws {@link CniError} 6 where it is not one. */
export function decodeRequest(line: string): CniRequest {
  const message = parse(line);
  const request = requestOf(message);
  if (!request) {
    throw new CniError(CNI_CODES.decodeFailure, 'the request to the agent is malformed', line.slice(0, 200));
  }
  return isText(message.network) ? { ...request, network: message.network } : request;
}

function requestOf(message: Readonly<Record<string, unknown>>): CniRequest | undefined {
  const { command, cniVersion, netns, pod, prevResult, attachments } = message;
  if (!isText(cniVersion)) return undefined;
  if (command === 'STATUS') return { command, cniVersion };
  if (command === 'GC') {
    return isListOf(attachments, isAttachment) ? { command, cniVersion, attachments } : undefined;
  }
  if (!isAttachment(message)) return undefined;
  const { sandbox, interfaceName } = message;
  const common = { cniVersion, sandbox, interfaceName };
  if (command === 'DEL') return { command, ...common };
  if (!isText(netns)) return undefined;
  if (command === 'ADD' && isPod(pod)) {
    return { command, ...common, netns, pod, ...(isRecord(prevResult) ? { prevResult } : {}) };
  }
  if (command === 'CHECK' && isRecord(prevResult)) {
    return { command, ...common, netns, prevResult, ...(isPod(pod) ? { pod } : {}) };
  }
  return undefined;
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

function isAttachment(value: unknown): value is CniAttachment {
  return isRecord(value) && isText(value.sandbox) && isText(value.interfaceName);
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isItem);
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
