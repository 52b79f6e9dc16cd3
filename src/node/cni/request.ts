import {
  CNI_CODES,
  CNI_VERSIONS,
  CniError,
  type CniPod,
  type CniRequest,
  DEFAULT_AGENT_SOCKET,
  LATEST_CNI_VERSION,
} from '../../contracts/cni.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What we need of the network configuration on standard input. */
export interface NetworkConfig {
  readonly cniVersion: string;
  readonly agentSocket: string;
}

/**
 * Reads the network configuration (CNI 1.1.0, section 1). A missing `cniVersion` means 0.1.0, as in libcni.
 * Throws {@link CniError}: 6 where it is not JSON, 7 where a field is wrong, 1 where the version is not ours.
 */
export function readConfig(stdin: string): NetworkConfig {
  const config = parseObject(stdin);
  const { cniVersion = '0.1.0', agentSocket = DEFAULT_AGENT_SOCKET } = config;
  if (typeof cniVersion !== 'string') throw invalid('cniVersion', 'must be text such as "1.1.0"');
  if (!CNI_VERSIONS.includes(cniVersion)) {
    const supported = `supported: ${CNI_VERSIONS.join(', ')}`;
    throw new CniError(
      CNI_CODES.incompatibleVersion,
      `CNI version "${cniVersion}" is not supported`,
      supported,
    );
  }
  if (typeof agentSocket !== 'string' || !agentSocket.startsWith('/')) {
    throw invalid('agentSocket', `must be an absolute path such as "${DEFAULT_AGENT_SOCKET}"`);
  }
  return { cniVersion, agentSocket };
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

/**
 * Reads the CNI_* environment variables (CNI 1.1.0, section 2). Throws {@link CniError} 4 that names every missing
 * variable, or the first that is invalid. DEL needs neither a namespace (it may be gone) nor the pod's name.
 */
export function readRequest(env: Environment, cniVersion: string): CniRequest {
  const command = env.CNI_COMMAND;
  if (command !== 'ADD' && command !== 'DEL') throw unsupportedCommand(command);
  const required = ['CNI_CONTAINERID', 'CNI_IFNAME', ...(command === 'ADD' ? ['CNI_NETNS', 'CNI_ARGS'] : [])];
  const missing = required.filter(name => !env[name]);
  if (missing.length > 0) throw environment(`missing environment variables: ${missing.join(', ')}`);

  const sandbox = checked(env, 'CNI_CONTAINERID', /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/);
  const interfaceName = checked(env, 'CNI_IFNAME', /^(?!\.{1,2}$)[^/:\s"'\\#]{1,15}$/);
  if (command === 'DEL') return { command, cniVersion, sandbox, interfaceName };
  const netns = checked(env, 'CNI_NETNS', /^\/[^\s"'\\#]+$/);
  return { command, cniVersion, sandbox, interfaceName, netns, pod: podOf(env.CNI_ARGS ?? '') };
}

/** Reads the pod from CNI_ARGS (`KEY=VALUE;…`), as kubelet's runtimes give it. Keys of others are ignored. */
function podOf(args: string): CniPod {
  const values = new Map<string, string>();
  for (const pair of args.split(';').filter(text => text !== '')) {
    const at = pair.indexOf('=');
    if (at < 1) throw environment(`CNI_ARGS: "${pair}" is not KEY=VALUE`);
    values.set(pair.slice(0, at), pair.slice(at + 1));
  }
  const namespace = values.get('K8S_POD_NAMESPACE');
  const name = values.get('K8S_POD_NAME');
  const uid = values.get('K8S_POD_UID');
  if (!namespace || !name) throw environment('CNI_ARGS: K8S_POD_NAMESPACE and K8S_POD_NAME must be given');
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
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new CniError(CNI_CODES.decodeFailure, 'the network configuration on standard input is not an object');
}

function unsupportedCommand(command: string | undefined): CniError {
  return environment(
    command === undefined || command === ''
      ? 'missing environment variables: CNI_COMMAND'
      : `CNI_COMMAND: "${command}" is not supported`,
    'supported: ADD, DEL, VERSION',
  );
}

function environment(message: string, details = ''): CniError {
  return new CniError(CNI_CODES.invalidEnvironment, message, details);
}

function invalid(field: string, problem: string): CniError {
  return new CniError(CNI_CODES.invalidConfiguration, `network configuration: ${field} ${problem}`);
}
