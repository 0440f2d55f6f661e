import { planLines } from '../core/action.ts';
import { ShipError } from '../core/errors.ts';
import type { Run, Step } from '../core/step.ts';
import { K3S_CONFIG } from '../facts/k3s.ts';
import { changeLine, changesOf } from './k3s-change.ts';
import { installStep, perform, type Installed } from './k3s-install.ts';
import { readHeartbeat, waitUntilBack } from './k3s-register.ts';
import { changeTasks, COMPLETE, restoreTasks, type NodeInstall } from './k3s-tasks.ts';

/** Whether K3s is part of the cluster with another config.yaml of ours than it should have. */
export function isToChange({ node, state, config }: NodeInstall): boolean {
  if (state.unit !== 'active' || state.text === undefined) return false;
  return state.changing || changesOf(node, state.text, config).length > 0;
}

/**
 * Gives K3s of a node another config.yaml and starts it again. One that does not come up with it
 * gets back the one of before.
 *
 * @throws ShipError `deploy` when K3s does not come up; as `Remote.run`
 */
export function changeStep(install: NodeInstall): Step<Installed> {
  const { node } = install;
  const { done } = installStep(install);
  return {
    id: node.name,
    title: `change the settings of K3s on ${node.name}`,
    ...(done && { done }),
    plan: () => [
      ...changesOf(node, install.state.text ?? '', install.config).map(
        (change) => `${K3S_CONFIG}: ${changeLine(change)}`,
      ),
      ...planLines([...changeTasks(install), COMPLETE]),
    ],
    run: async (run) => {
      const before = await readHeartbeat(install, run.signal);
      for (const task of changeTasks(install)) await perform(install, task, run);
      await waitUntilBack(install, before, run).catch((error: unknown) =>
        restore(install, error, run),
      );
      await perform(install, COMPLETE, run);
      return { node: node.name, role: node.role, how: 'changed' };
    },
    describe: ({ how }) => `${node.name} ${how}`,
  };
}

async function restore(install: NodeInstall, error: unknown, run: Run): Promise<never> {
  if (!(error instanceof ShipError) || error.kind !== 'deploy') throw error;
  for (const task of restoreTasks(install)) await perform(install, task, run);
  throw new ShipError(
    'deploy',
    `${error.message} with its new settings; it has the old ones again`,
    {
      details: error.details,
      hint: `mend k3s of the config by what the journal says, and run the same command again; look on ${install.node.name}: cat ${K3S_CONFIG}`,
      cause: error,
    },
  );
}
