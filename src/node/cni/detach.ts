import { CNI_CODES, type CniAttachment, CniError } from '../../contracts/cni.ts';
import { INTEGRATION_BRIDGE } from '../../contracts/names.ts';
import type { Row } from '../../ovsdb-client/index.ts';
import { type Database, findRow, settle } from '../database.ts';
import { isOfSandbox, portsWhere, removePorts } from '../ovs/ports.ts';
import type { Run } from '../system/run.ts';
import { hostInterfaceName } from '../system/veth.ts';

export interface DetachContext {
  readonly ovs: Database;
  readonly run: Run;
}

/**
 * DEL: removes the port and the interface of this attachment, and no other's. Nothing there is success. Rejects with
 * {@link CniError} 11 where the local OVS is not reachable; the interface is gone even then, and the pod cut off.
 */
export async function detach({ ovs, run }: DetachContext, attachment: CniAttachment): Promise<void> {
  try {
    await unplug(ovs, attachment);
  } finally {
    await deleteLink(run, hostInterfaceName(attachment.sandbox, attachment.interfaceName));
  }
}

async function unplug(ovs: Database, { sandbox, interfaceName }: CniAttachment): Promise<void> {
  requireOvs(ovs);
  const ours = () => portsWhere(ovs, row => isOfSandbox(row, sandbox, interfaceName)).map(({ port }) => port);
  await settle(ovs, () => {
    const ports = ours();
    return ports.length === 0 ? [] : removePorts(integrationBridge(ovs), ports);
  });
}

/** Removes a veth pair by the name of the host's end. Nothing there is success. */
export async function deleteLink(run: Run, name: string): Promise<void> {
  const exists = async () =>
    (await run(['ip', '-json', 'link', 'show', 'type', 'veth'])).includes(`"${name}"`);
  if (!(await exists())) return;
  // The kernel takes the pair away by itself, in the background, when the pod's namespace goes: it may be faster.
  await run(['ip', 'link', 'delete', 'dev', name]).catch(async error => {
    if (await exists()) throw error;
  });
}

/** The row of br-int. Throws {@link CniError} 11 where there is none yet. */
export function integrationBridge(ovs: Database): Row {
  const bridge = findRow(ovs, 'Bridge', 'name', INTEGRATION_BRIDGE);
  if (!bridge) throw new CniError(CNI_CODES.tryAgainLater, `there is no ${INTEGRATION_BRIDGE} yet`);
  return bridge;
}

/** Throws {@link CniError} 11 where the local Open vSwitch database is away. */
export function requireOvs(ovs: Database): void {
  if (!ovs.connected)
    throw new CniError(CNI_CODES.tryAgainLater, 'the local Open vSwitch database is not reachable');
}
