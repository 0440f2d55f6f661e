import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../src/commands/command.ts';
import type { DeployFlags } from '../../src/commands/shared/deploy-flags.ts';
import type { Fleet } from '../../src/commands/shared/fleet.ts';
import { rollOut } from '../../src/commands/shared/roll-out.ts';
import type { Rollout } from '../../src/commands/shared/rollout.ts';
import { undoing } from '../../src/commands/shared/undo.ts';
import { ShipError } from '../../src/core/errors.ts';
import { FINISHED, UNFINISHED } from '../../src/deploy/descriptions.ts';
import { testContext } from './context.ts';
import { clusterNode, configNode } from './fake-cluster.ts';
import { fakeHelm } from './fake-helm.ts';
import { testFolder } from './folder.ts';
import { CRASHES, manifestOf, OLD, rollingCluster } from './rolling-cluster.ts';

export const RELEASE = { name: 'cilium', namespace: 'kube-system' };
const NODES = ['master', 'worker'];
export const NEW = 'template: new';
export const FLEET: Fleet = {
  sessions: new Map(),
  failures: new Map(),
  [Symbol.asyncDispose]: async () => undefined,
};

type Strategy = Parameters<typeof manifestOf>[1];
/** How Helm describes what it made before, and whose the order of agents is there. */
export type Revisions = readonly (readonly [description: string, strategy: Strategy])[];

const BY_US: Revisions = [
  [UNFINISHED, 'OnDelete'],
  [FINISHED, 'RollingUpdate'],
];

/** A rollout of agents that crash, or of another template, over a finished one when `installed`. */
export async function crashing(
  flags: DeployFlags & { readonly dryRun?: boolean } = {},
  installed: boolean | Revisions = true,
  wanted = CRASHES,
) {
  const folder = testFolder();
  writeFileSync(join(folder, 'Chart.yaml'), '');
  const releaseOf = (template: string, strategy: Strategy) => {
    const values = join(folder, `${template} ${strategy}.yaml`);
    writeFileSync(values, manifestOf(template, strategy));
    return { ...RELEASE, chart: folder, values: [values] };
  };
  const helm = fakeHelm();
  const before = typeof installed === 'boolean' ? BY_US : installed;
  for (const [description, strategy] of installed === false ? [] : before) {
    await helm.upgrade(releaseOf(OLD, strategy), description);
  }
  const running = installed === false ? [] : NODES;
  const { cluster, changes } = rollingCluster(helm, RELEASE, NODES, running);
  const release = releaseOf(wanted, 'RollingUpdate');
  const rollout: Rollout = {
    cluster,
    helm,
    namespace: RELEASE.namespace,
    release,
    underWay: releaseOf(wanted, 'OnDelete'),
    rendered: manifestOf(wanted, 'RollingUpdate'),
    values: {},
    workloads: [],
    candidates: NODES.map((name) => clusterNode(name)),
    order: NODES.toReversed(),
    images: [],
    stores: new Map(),
    history: await helm.history(RELEASE),
    applied: { manifest: undefined, edits: [] },
  };
  return { ...twoNodes(folder, flags), rollout, helm, changes };
}

function twoNodes(folder: string, flags: DeployFlags) {
  const { context, lines } = testContext(folder);
  const { config } = context;
  const nodes = [configNode('master', { role: 'server' }), configNode('worker')];
  const deploy = { ...config.deploy, timeout: 1, soak: 1 };
  const own: Context<DeployFlags> = {
    ...context,
    flags: { ...context.flags, ...flags },
    config: { ...config, nodes, deploy },
  };
  return { context: own, lines };
}

/** The same, where each node gets so many milliseconds. */
export function patientFor<Run extends { readonly context: Context<DeployFlags> }>(
  timeout: number,
  run: Run,
): Run {
  const { config } = run.context;
  const context = { ...run.context, config: { ...config, deploy: { ...config.deploy, timeout } } };
  return { ...run, context };
}

/** @returns the error that the rollout ended with */
export async function failureOf({ context, rollout }: Awaited<ReturnType<typeof crashing>>) {
  const ended = undoing(context, FLEET, rollout, () => rollOut(context, FLEET, rollout));
  const error = await ended.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ShipError) return error;
  throw new Error('the rollout did not fail as it should', { cause: error });
}
