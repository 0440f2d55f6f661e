import type { Check } from '../../core/check.ts';
import { kubernetesName } from '../../core/node.ts';
import type { Step } from '../../core/step.ts';
import { AGENT_SELECTOR, OPERATOR_SELECTOR } from '../../deploy/agents.ts';
import type { Cluster } from '../../deploy/cluster.ts';
import { checkNode, checkOperator } from '../../deploy/validate.ts';
import { wantedOn, type Shipped } from '../../deploy/wanted.ts';
import { settleStage } from '../../output/stage.ts';
import { combineFailures, ShipError } from '../../core/errors.ts';
import type { Context } from '../command.ts';
import { releaseOf } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { lookAtNode } from './look-at-node.ts';
import { looking } from './stages.ts';

/**
 * Looks at every node: the running agent, its own status, and the links of the kernel.
 *
 * @param shipped what agent and operator must run; where it is undefined, image IDs are not judged
 * @throws ShipError `deploy` when Cilium is not installed; `network`, `identity`
 */
export async function validateNodes(
  context: Context,
  fleet: Fleet,
  cluster: Cluster,
  shipped: Shipped,
): Promise<readonly Check[]> {
  const { config } = context;
  const { namespace } = releaseOf(context);
  const settings = await cluster.configMap(namespace, 'cilium-config');
  if (settings === undefined) throw notInstalled(namespace);
  const pods = await cluster.pods(namespace, AGENT_SELECTOR);
  const wanted = (node: string) => wantedOn(node, config.nodes, settings, shipped);
  const steps = [...fleet.sessions].map(([name, session]): Step<readonly Check[]> => ({
    id: name,
    title: `look at ${name}`,
    run: async ({ signal }) => {
      const node = config.nodes.find((known) => known.name === name);
      const kubernetes = node === undefined ? name : kubernetesName(node);
      const agent = pods.find((pod) => pod.node === kubernetes && !pod.deleting);
      const found = await lookAtNode(session, { cluster, namespace, agent }, signal);
      return checkNode(wanted(kubernetes), found);
    },
    describe: (checks) => `${name} ${summary(checks)}`,
  }));
  const settled = await settleStage('Validate', steps, looking(context));
  const failures = new Map([...fleet.failures, ...settled.failures]);
  if (failures.size > 0) throw combineFailures('validate', failures);
  const operator = checkOperator(wanted(''), await cluster.pods(namespace, OPERATOR_SELECTOR));
  const checks = [...[...settled.results.values()].flat(), ...operator];
  context.output.record({ checks });
  return checks;
}

function summary(checks: readonly Check[]): string {
  const good = checks.filter(({ state }) => state === 'ok').length;
  return `${good} of ${checks.length} ok`;
}

function notInstalled(namespace: string): ShipError {
  return new ShipError('deploy', `Cilium is not installed in namespace ${namespace}`, {
    hint: 'install it: ciliumship deploy',
  });
}
