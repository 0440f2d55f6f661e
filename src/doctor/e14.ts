import { cniOf } from '../facts/leftovers.ts';
import { CNI_FOLDER } from '../facts/node-health.ts';
import { found, ok, onNodes, unknown, type Fix, type Problem, type Verdict } from './problem.ts';

/** Where a file goes that may be needed again; outside the folder that containerd reads. */
const ASIDE = '/var/lib/cni/ciliumship-removed';

/** What no CNI that is known here left may be somebody's own, such as that of Multus. */
function moveAside(files: readonly string[]): Fix {
  return {
    consent: files.every((file) => cniOf(file) !== undefined) ? 'safe' : 'confirm',
    actions: [
      { argv: ['mkdir', '-p', ASIDE], effect: 'makes a folder that containerd does not read' },
      ...files.map((file) => ({
        argv: ['mv', '-f', '--', `${CNI_FOLDER}/${file}`, `${ASIDE}/${file}`] as const,
        effect:
          'containerd reads the folder again at once; pods that hang are made within a minute',
        undo: `mv ${ASIDE}/${file} ${CNI_FOLDER}/${file}`,
      })),
    ],
  };
}

/** With `cni.exclusive: false` Cilium leaves files of others alone, because they are wanted. */
function shared(others: readonly string[]): Verdict {
  const left = others.filter((file) => cniOf(file) !== undefined);
  const proof = `${others.join(', ')} beside Cilium’s, and cni-exclusive is false`;
  return left.length === 0
    ? ok(proof)
    : unknown(`${proof}: whether ${left[0]} is wanted is not known`);
}

export const e14: Problem = {
  id: 'E14',
  title: 'a CNI that is gone left its configuration',
  patterns: [
    /failed ?create ?pod ?sandbox/i,
    /unable to connect to cilium daemon/i,
    /cni plugin not initialized/i,
    /plugin type="[\w-]+" failed/i,
    /failed to find plugin/i,
    /containercreating/i,
  ],
  document:
    'Old .conflist files in /etc/cni/net.d conflict with the new CNI. Remove them and restart K3s.',
  known:
    'containerd takes the file whose name sorts first, and only that. Cilium renames foreign files to *.cilium_bak while it runs, but leaves its own 05-cilium.conflist behind when it goes. containerd watches the folder: no restart is needed. doctor moves files aside in place of deleting them, those of CNIs that it does not know only with --confirm. With `cni.exclusive: false` other files are wanted, such as that of Multus, and stay.',
  recognised:
    'more than one configuration in /etc/cni/net.d without cni-exclusive: false, or one of Cilium where no agent is',
  example: moveAside(['10-flannel.conflist']),
  look: onNodes(({ cniFiles, agentRuns, node }, { cluster }) => {
    const own = cniFiles.filter((file) => /cilium/.test(file));
    const others = cniFiles.filter((file) => !/cilium/.test(file));
    const installed = agentRuns || cluster?.config !== undefined;
    if (installed && others.length > 0) {
      if (cluster?.config?.['cni-exclusive'] === 'false') return shared(others);
      return found(`${others.join(', ')} beside Cilium’s`, moveAside(others));
    }
    // Without the cluster an agent that is only restarting cannot be told from one that is gone.
    if (!installed && cluster !== undefined && own.length > 0) {
      return found(`${own.join(', ')}, and no Cilium in the cluster`, moveAside(own));
    }
    if (cniFiles.length <= 1) return ok(cniFiles[0] ?? `none on ${node.name}`);
    return unknown(`${cniFiles.join(', ')}: which CNI runs is not known`);
  }),
};
