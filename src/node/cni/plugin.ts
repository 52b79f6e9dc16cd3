/**
 * The CNI plugin: reads the request from its environment and standard input, lets the node's agent do the work, and
 * prints the answer. It starts once for each pod, so it loads nothing beyond Node's own modules.
 */
import {
  CNI_CODES,
  CNI_VERSIONS,
  type CniAnswer,
  CniError,
  type CniRequest,
  decodeAnswer,
  encodeLine,
  errorAnswer,
  LATEST_CNI_VERSION,
  MAX_LINE,
} from '../../contracts/cni.ts';
import { readCommand, readConfig, readRequest, versionForErrors } from './request.ts';

/** The agent gives up before this, so that its reason reaches the runtime. */
const TIMEOUT_MS = 120_000;

async function main(): Promise<void> {
  let cniVersion = LATEST_CNI_VERSION;
  let answer: CniAnswer;
  try {
    const stdin = await readAll();
    cniVersion = versionForErrors(stdin);
    answer =
      process.env.CNI_COMMAND === 'VERSION'
        ? { result: { cniVersion, supportedVersions: CNI_VERSIONS } }
        : await answerTo(stdin);
  } catch (error) {
    answer = errorAnswer(error);
  }
  if ('error' in answer) {
    print({ cniVersion, ...answer.error });
    process.exitCode = 1;
  } else if (answer.result !== null) {
    print(answer.result);
  }
}

async function answerTo(stdin: string): Promise<CniAnswer> {
  const command = readCommand(process.env);
  const config = readConfig(stdin);
  const request = readRequest(process.env, config);
  try {
    return await ask(config.agentSocket, request);
  } catch (error) {
    if (command !== 'STATUS' || !(error instanceof CniError)) throw error;
    // An agent that does not answer cannot serve: that is what STATUS asks.
    throw new CniError(CNI_CODES.notAvailable, error.message, error.details);
  }
}

async function readAll(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_LINE) {
      throw new CniError(
        CNI_CODES.decodeFailure,
        `the network configuration on standard input has more than ${MAX_LINE} characters`,
      );
    }
  }
  return text;
}

async function ask(path: string, request: CniRequest): Promise<CniAnswer> {
  // Not a static import: the bundle has no file extension, so Node runs it as a CommonJS or as an ES module,
  // depending on the folder that it is installed in. This form is the same in both.
  const { connect } = await import('node:net');
  return new Promise((resolve, reject) => {
    let received = '';
    const tryAgain = (message: string, details = '') => {
      socket.destroy();
      reject(new CniError(CNI_CODES.tryAgainLater, message, details));
    };
    const socket = connect(path, () => socket.write(encodeLine(request)));
    const timer = setTimeout(() => tryAgain(`no answer from the agent at ${path} in 2 minutes`), TIMEOUT_MS);
    socket.setEncoding('utf8');
    socket.on('error', error => tryAgain(`the agent at ${path} is not reachable`, error.message));
    socket.on('close', () => {
      clearTimeout(timer);
      tryAgain(`the agent at ${path} closed the connection without an answer`);
    });
    socket.on('data', (chunk: string) => {
      received += chunk;
      const end = received.indexOf('\n');
      if (end < 0 && received.length <= MAX_LINE) return;
      try {
        resolve(decodeAnswer(received.slice(0, Math.max(end, 0))));
      } catch (error) {
        reject(error);
      }
      socket.destroy();
    });
  });
}

function print(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

void main();
