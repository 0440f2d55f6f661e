import { combineFailures, ShipError, toShipError } from '../core/errors.ts';
import { shortName } from '../core/image.ts';
import type { Pod } from '../deploy/cluster.ts';
import { textTable } from '../output/table.ts';
import { allOf } from '../output/together.ts';
import type { CommandSpec, Context } from './command.ts';
import { openClusterAccess, releaseOf } from './shared/cluster.ts';
import { connectFleet, type Fleet } from './shared/fleet.ts';
import { selectNodes } from './shared/nodes.ts';
import { probeImagesOf } from './shared/probe-fleet.ts';
import { noteRelease } from './shared/release.ts';
import { shippedNames } from './shared/shipped-names.ts';
import { statusRow, type StatusRow } from './shared/status-row.ts';
import { watching, watchOptions, type Round, type WatchFlags } from './shared/watch.ts';

export const status: CommandSpec<WatchFlags> = {
  name: 'status',
  summary: 'show which image each node has and which one runs there',
  description:
    'Reads, without changing anything, what each node has under the names of the config’s images, and which bytes the pods of these images really run there. "behind" is a pod that runs other bytes than the node has; "missing" is an image that was not shipped to the node.',
  examples: [
    ['ciliumship status', 'every node'],
    ['ciliumship status --watch', 'while somebody else rolls out'],
    ['ciliumship status --nodes worker -o json', 'one node, for a script'],
  ],
  options: watchOptions,
  run: async (context) => {
    await watching(context, (output) => lookOnce({ ...context, output }));
  },
};

async function lookOnce(context: Context): Promise<Round> {
  const { config, flags } = context;
  const nodes = selectNodes(config.nodes, flags.nodes);
  await using fleet = await connectFleet(context, nodes);
  const [probed, found] = await allOf(
    probeImagesOf(context, fleet),
    readPods(context, fleet).catch(asFound),
  );
  context.signal.throwIfAborted();
  const silent = found instanceof ShipError ? found : undefined;
  const pods = found instanceof ShipError ? undefined : found;
  const names = await shippedNames(context);
  const rows = nodes.flatMap((node) =>
    names.map((name) => statusRow(node, name, pods, probed.stores.get(node.name))),
  );
  const summary = summaryOf(rows);
  return {
    show: (output) => output.result(`${table(rows)}\n\n${summary}`, rows),
    summary,
    error: probed.failures.size === 0 ? silent : combineFailures('status', probed.failures),
  };
}

/** Without its API server a cluster is looked at all the more: what the nodes have is still shown. */
function asFound(error: unknown): ShipError {
  return toShipError(error);
}

async function readPods(context: Context, fleet: Fleet): Promise<readonly Pod[]> {
  await using access = await openClusterAccess(context, fleet);
  await noteRelease(context, access);
  return await access.cluster.pods(releaseOf(context).namespace, '');
}

/** `10 ok, 2 behind`: what a person looks for who watches a rollout. */
function summaryOf(rows: readonly StatusRow[]): string {
  const counts = Map.groupBy(rows, ({ state }) => state);
  return [...counts].map(([state, { length }]) => `${length} ${state}`).join(', ');
}

function table(rows: readonly StatusRow[]): string {
  return textTable(
    ['node', 'image', 'on node', 'running', 'state', 'pods'],
    rows.map((row) => [
      row.node,
      shortName(row.image),
      short(row.onNode),
      row.running.map(short).join(' ') || '-',
      row.state,
      row.pods.join(' '),
    ]),
  );
}

function short(digest: string | undefined): string {
  return digest === undefined ? '-' : digest.slice('sha256:'.length, 'sha256:'.length + 12);
}
