import type { Cluster, Helm, Pod, ReleaseName } from '../../src/deploy/cluster.ts';
import { NODE_CONFIG_ANNOTATION } from '../../src/deploy/node-config.ts';
import { HOLD_LABEL } from '../../src/deploy/values.ts';
import { AGENT_SELECTOR } from '../../src/deploy/agents.ts';
import { agent, clusterNode, clusterThat, container } from './fake-cluster.ts';

export const OLD = 'template: old';
export const CRASHES = 'template: crashes';

/** What Helm applies of a template, as agents are replaced by us or by the DaemonSet's controller. */
export function manifestOf(template: string, strategy: 'OnDelete' | 'RollingUpdate'): string {
  return `kind: DaemonSet\nmetadata: { name: cilium }\nspec:\n  updateStrategy:\n    type: ${strategy}\n  ${template}\n`;
}

/**
 * A cluster of one DaemonSet: its template is what Helm applied last, a node that is not held gets an
 * agent of it when it has none, and agents of the template CRASHES crash for ever. With RollingUpdate
 * its controller deletes two agents of another template at once, as Cilium's chart allows by default.
 *
 * @param running nodes that have a proved agent already, of the template OLD
 */
export function rollingCluster(
  helm: Helm,
  release: ReleaseName,
  nodes: readonly string[],
  running: readonly string[] = nodes,
): { readonly cluster: Cluster; readonly changes: string[] } {
  const changes: string[] = [];
  const labels = new Map<string, Record<string, string>>(nodes.map((name) => [name, {}]));
  const proved = { [NODE_CONFIG_ANNOTATION]: 'none' };
  const pods = new Map<string, Pod>(running.map((node) => [node, podOf(node, OLD, proved)]));
  const configMaps = new Map<string, Readonly<Record<string, string>>>();
  const applied = async (): Promise<string> => (await helm.manifest(release)) ?? '';
  const template = async (): Promise<string> => templateIn(await applied());
  const rollAll = async (): Promise<void> => {
    if (!(await applied()).includes('RollingUpdate')) return;
    const hash = await template();
    const old = [...pods.values()].filter((pod) => pod.labels[HASH] !== hash).slice(0, 2);
    for (const pod of old) {
      changes.push(`the controller deletes ${pod.name}`);
      pods.delete(pod.node ?? '');
    }
  };
  const schedule = async (): Promise<void> => {
    if ((await helm.status(release)) === undefined) return;
    await rollAll();
    const free = nodes.filter((node) => !pods.has(node) && !labels.get(node)?.[HOLD_LABEL]);
    for (const node of free) pods.set(node, podOf(node, await template()));
  };
  const cluster = clusterThat({
    nodes: async () => nodes.map((name) => clusterNode(name, { labels: labels.get(name) ?? {} })),
    nodeConfigVersion: async () => undefined,
    configMap: async (_, name) => configMaps.get(name) ?? {},
    applyConfigMap: async (_, name, data) => void configMaps.set(name, data),
    workload: async (_, kind, name) => ({ kind, name, ...SETTLED }),
    currentHash: template,
    pods: async (_, selector) => {
      await schedule();
      return selector === AGENT_SELECTOR ? [...pods.values()] : [];
    },
    labelNode: async (name, change) => {
      changes.push(`label ${name} ${JSON.stringify(change)}`);
      const all = Object.entries({ ...labels.get(name), ...change });
      labels.set(name, Object.fromEntries(all.filter(isSet)));
    },
    deletePod: async (_, pod) => {
      changes.push(`delete ${pod.name}`);
      pods.delete(pod.node ?? '');
    },
    annotatePod: async (_, pod, annotations) => {
      pods.set(pod.node ?? '', { ...pod, annotations });
    },
    logs: async (_, { name }) => [`last words of ${name}`],
    evidence: async (_, { name }) => new Map([['agent.log', `${name} said hunter2-hunter2`]]),
  });
  return { cluster, changes };
}

const HASH = 'controller-revision-hash';

function templateIn(manifest: string): string {
  return /template: \w+/.exec(manifest)?.[0] ?? manifest.trim();
}

const SETTLED = { observed: true, desired: 2, updated: 2, ready: 2 };

function isSet(entry: readonly [string, string | null]): entry is [string, string] {
  return entry[1] !== null;
}

function podOf(node: string, template: string, annotations: Pod['annotations'] = {}): Pod {
  const crashed = { waiting: 'CrashLoopBackOff', restarts: 3 };
  const name = `${template.replace('template: ', '')}-${node}`;
  return agent(name, {
    node,
    labels: { [HASH]: template },
    annotations,
    ready: template !== CRASHES,
    containers: [container(template === CRASHES ? crashed : {})],
  });
}
