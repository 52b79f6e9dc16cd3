/** A real OVN cluster on one machine, in network namespaces. `up.ts` and `down.ts` are the places to start reading. */

export { takeDown } from './down.ts';
export { ovsEnvironment } from './hosts/chassis.ts';
export { inNamespace } from './hosts/namespace-command.ts';
export { NodeCountError } from './hosts/nodes.ts';
export { SANDBOX_NAME } from './hosts/topology.ts';
export { kubectlEnvironment } from './kubernetes/kubectl.ts';
export { controlPlanePrograms } from './kubernetes/programs.ts';
export { runRelay } from './kubernetes/relay.ts';
export { relayTarget } from './kubernetes/sandbox-plane.ts';
export { runMatrix } from './matrix/matrix.ts';
export { isAllAnswered, matrixText } from './matrix/matrix-text.ts';
export { OVN_RELEASES, type OvnRelease, ovnRoot, ovnRootAt } from './ovn/ovn-root.ts';
export { RunPaths } from './paths.ts';
export { runPods } from './pods/runner.ts';
export { runThrough } from './processes/exec.ts';
export { killByName, startByName } from './processes/process-control.ts';
export { readState, type SandboxState } from './state.ts';
export { sandboxStatus, statusText } from './status.ts';
export { databaseTarget, nodeByName, targetNamespace } from './targets.ts';
export { bringUp } from './up.ts';
