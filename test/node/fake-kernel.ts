import type { Run } from '../../src/node/system/run.ts';

/** A kernel that knows host interfaces only; programs run at once unless `onRun` holds or fails them. */
export class FakeKernel {
  readonly links = new Set<string>();
  /** Interfaces in the pod's namespace that are not ours. */
  readonly podLinks: string[] = [];
  readonly commands: string[] = [];
  onRun: (text: string) => Promise<void> = async () => {};

  readonly run: Run = async (command, input = '') => {
    const text = `${command.join(' ')}\n${input}`;
    this.commands.push(text);
    await this.onRun(text);
    const made = /link add name (\S+)/.exec(input)?.[1];
    if (made) this.links.add(made);
    if (command.includes('delete')) this.links.delete(command.at(-1) ?? '');
    const names = command[0] === 'nsenter' ? this.podLinks : [...this.links];
    const shown = names.map(ifname => ({ ifname, address: '5a:00:00:00:00:01' }));
    return command.includes('show') ? JSON.stringify(shown) : '';
  };
}
