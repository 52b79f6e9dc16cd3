import {
  CNI_CODES,
  CNI_VERSIONS,
  type CniAttachment,
  CniError,
  type CniPod,
  type CniRequest,
  type CniResult,
  DEFAULT_AGENT_SOCKET,
  LATEST_CNI_VERSION,
} from '../../contracts/cni.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What we need of the network configuration on standard input. */
export interface NetworkConfig {
  readonly cniVersion: string;
  readonly name: string;
  readonly agentSocket: string;
  readonly prevResult?: CniResult;
  /** `cni.dev/valid-attachments`, which the runtime adds for GC. */
  readonly attachments?: readonly CniAttachment[];
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const VALID_ATTACHMENTS = 'cni.dev/valid-attachments';

/**
 * Reads the network configuration (CNI 1.1.0, section 1). A missing `cniVersion` means 0.1.0, as in libcni.
 * Throws {@link CniError}: 6 where it is not JSON, 7 where a field is wrong, 1 where the version is not ours.
 */
export function readConfig(stdin: string): NetworkConfig {
  const config = parseObject(stdin);
  const { cniVersion = '0.1.0', name, agentSocket = DEFAULT_AGENT_SOCKET } = config;
  const prevResult = config.prevResult ?? undefined;
  if (typeof cniVersion !== 'string') throw invalid('cniVersion', 'must be text such as "1.1.0"');
  if (!CNI_VERSIONS.includes(cniVersion)) {
    const supported = `supported: ${CNI_VERSIONS.join(', ')}`;
    throw incompatible(`CNI version "${cniVersion}" is not supported`, supported);
  }
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw invalid('name', 'must be letters, digits, "_", "." and "-", and begin with a letter or digit');
  }
  if (typeof agentSocket !== 'string' || !agentSocket.startsWith('/')) {
    throw invalid('agentSocket', `must be an absolute path such as "${DEFAULT_AGENT_SOCKET}"`);
  }
  if (prevResult !== undefined && !isRecord(prevResult)) throw invalid('prevResult', 'must be an object');
  const attachments = attachmentsOf(config[VALID_ATTACHMENTS]);
  return {
    cniVersion,
    name,
    agentSocket,
    ...(prevResult === undefined ? {} : { prevResult }),
    ...(attachments === undefined ? {} : { attachments }),
  };
}

function attachmentsOf(list: unknown): readonly CniAttachment[] | undefined {
  if (list === undefined || list === null) return undefined;
  if (!Array.isArray(list)) throw invalid(VALID_ATTACHMENTS, 'must be a list');
  return list.map((entry: unknown) => {
    const { containerID, ifname } = isRecord(entry) ? entry : {};
    if (typeof containerID === 'string' && containerID && typeof ifname === 'string' && ifname) {
      return { sandbox: containerID, interfaceName: ifname };
    }
    throw invalid(VALID_ATTACHMENTS, 'must have "containerID" and "ifname" in each entry');
  });
}

/** The version to answer an error in: that of the configuration where it is readable and ours, else our latest. */
export function versionForErrors(stdin: string): string {
  try {
    const { cniVersion } = parseObject(stdin);
    if (typeof cniVersion === 'string' && CNI_VERSIONS.includes(cniVersion)) return cniVersion;
  } catch {
    // The configuration's own error is reported elsewhere.
  }
  return LATEST_CNI_VERSION;
}

/** The command. Throws {@link CniError} 4 where it is missing or unknown, whatever the configuration is. */
export function readCommand(env: Environment): CniRequest['command'] {
  const command = env.CNI_COMMAND ?? '';
  switch (command) {
    case 'ADD':
    case 'DEL':
    case 'CHECK':
    case 'GC':
    case 'STATUS':
      return command;
    default:
      throw unsupportedCommand(command);
  }
}

/**
 * Reads the CNI_* environment variables (CNI 1.1.0, section 2). Throws {@link CniError}: 4 that names every missing
 * variable, or the first that is invalid; 1 where the version does not know the command; 7 where the configuration
 * lacks what the command needs. DEL needs neither a namespace (it may be gone) nor the pod's name.
 */
export function readRequest(env: Environment, config: NetworkConfig): CniRequest {
  const command = readCommand(env);
  const { cniVersion, name: network, prevResult } = config;
  const common = { cniVersion, network };
  if (command === 'GC' || command === 'STATUS') {
    requireVersion(command, cniVersion);
    if (command === 'STATUS') return { command, ...common };
    // Without a list, nobody has said that nothing is valid.
    if (!config.attachments) throw invalid(VALID_ATTACHMENTS, 'must be a list for GC');
    return { command, ...common, attachments: config.attachments };
  }
  const attachment = { ...common, ...attachmentOf(env, command) };
  if (command === 'DEL') return { command, ...attachment };
  const netns = checked(env, 'CNI_NETNS', /^\/[^\s"'\\#]+$/);
  const pod = podOf(env.CNI_ARGS ?? '');
  if (command === 'CHECK') {
    if (!prevResult) throw invalid('prevResult', 'must be there for CHECK: the result of the last ADD');
    return { command, ...attachment, netns, prevResult, ...(pod ? { pod } : {}) };
  }
  if (!pod) throw environment('CNI_ARGS: K8S_POD_NAMESPACE and K8S_POD_NAME must be given');
  return { command, ...attachment, netns, pod, ...(prevResult ? { prevResult } : {}) };
}

const REQUIRED = {
  ADD: ['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS', 'CNI_ARGS'],
  CHECK: ['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS'],
  DEL: ['CNI_CONTAINERID', 'CNI_IFNAME'],
} as const;

function attachmentOf(env: Environment, command: keyof typeof REQUIRED): CniAttachment {
  const missing = REQUIRED[command].filter(name => !env[name]);
  if (missing.length > 0) throw environment(`missing environment variables: ${missing.join(', ')}`);
  return {
    sandbox: checked(env, 'CNI_CONTAINERID', NAME),
    interfaceName: checked(env, 'CNI_IFNAME', /^(?!\.{1,2}$)[^/:\s"'\\#]{1,15}$/),
  };
}

/** GC and STATUS came with 1.1.0; as in libcni, a configuration of an older version cannot ask for them. */
function requireVersion(command: string, cniVersion: string): void {
  if (cniVersion === '1.1.0') return;
  throw incompatible(`${command} needs CNI version 1.1.0, and the configuration is of ${cniVersion}`);
}

/** Reads the pod from CNI_ARGS (`KEY=VALUE;…`), as kubelet's runtimes give it. Keys of others are ignored. */
function podOf(args: string): CniPod | undefined {
  const values = new Map<string, string>();
  for (const pair of args.split(';').filter(text => text !== '')) {
    const at = pair.indexOf('=');
    if (at < 1) throw environment(`CNI_ARGS: "${pair}" is not KEY=VALUE`);
    values.set(pair.slice(0, at), pair.slice(at + 1));
  }
  const namespace = values.get('K8S_POD_NAMESPACE');
  const name = values.get('K8S_POD_NAME');
  const uid = values.get('K8S_POD_UID');
  if (!namespace || !name) return undefined;
  return uid ? { namespace, name, uid } : { namespace, name };
}

function checked(env: Environment, variable: string, pattern: RegExp): string {
  const value = env[variable] ?? '';
  if (!pattern.test(value)) throw environment(`${variable}: "${value}" is invalid`);
  return value;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const details = error instanceof Error ? error.message : String(error);
    throw new CniError(
      CNI_CODES.decodeFailure,
      'the network configuration on standard input is not JSON',
      details,
    );
  }
  if (isRecord(value)) return value;
  throw new CniError(CNI_CODES.decodeFailure, 'the network configuration on standard input is not an object');
}

function unsupportedCommand(command: string): CniError {
  return environment(
    command === ''
      ? 'missing environment variables: CNI_COMMAND'
      : `CNI_COMMAND: "${command}" is not supported`,
    'supported: ADD, DEL, CHECK, GC, STATUS, VERSION',
  );
}

function incompatible(message: string, details = ''): CniError {
  return new CniError(CNI_CODES.incompatibleVersion, message, details);
}

function environment(message: string, details = ''): CniError {
  return new CniError(CNI_CODES.invalidEnvironment, message, details);
}

function invalid(field: string, problem: string): CniError {
  return new CniError(CNI_CODES.invalidConfiguration, `network configuration: ${field} ${problem}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
