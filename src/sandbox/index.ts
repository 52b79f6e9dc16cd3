/** A real OVN cluster on one machine, in network namespaces. `up.ts` and `down.ts` are the places to start reading. */
export { ovsEnvironment } from './chassis.ts';
export { takeDown } from './down.ts';
export { runThrough } from './exec.ts';
export { runMatrix } from './matrix.ts';
export { isAllAnswered, matrixText } from './matrix-text.ts';
export { inNamespace } from './namespace-command.ts';
export { NodeCountError } from './nodes.ts';
export { OVN_RELEASES, type OvnRelease, ovnRoot, ovnRootAt } from './ovn-root.ts';
export { RunPaths } from './paths.ts';
export { killByName, startByName } from './process-control.ts';
export { runPods } from './runner.ts';
export { readState, type SandboxState } from './state.ts';
export { sandboxStatus, statusText } from './status.ts';
export { nodeByName, targetNamespace } from './targets.ts';
export { SANDBOX_NAME } from './topology.ts';
export { bringUp } from './up.ts';
