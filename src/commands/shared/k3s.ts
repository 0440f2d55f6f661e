import { judgeChange, settingsOf } from '../../cluster/k3s-change.ts';
import { k3sConfig, keptEntry, type K3sSettings } from '../../cluster/k3s-config.ts';
import { installStep, type Installed } from '../../cluster/k3s-install.ts';
import { changeStep, isToChange } from '../../cluster/k3s-restart.ts';
import type { Brought, NodeInstall } from '../../cluster/k3s-tasks.ts';
import { entryOf, founderOf, judgeInstall } from '../../cluster/k3s-plan.ts';
import { parseDuration } from '../../config/duration.ts';
import { hexOf } from '../../core/digest.ts';
import { combineFailures, ShipError } from '../../core/errors.ts';
import type { Node } from '../../core/node.ts';
import type { Step } from '../../core/step.ts';
import { readK3s, type K3sFacts } from '../../facts/k3s.ts';
import { dataAddress } from '../../facts/node-facts.ts';
import { runStage, settleStage, type Settled } from '../../output/stage.ts';
import type { Session } from '../../system/ssh/session.ts';
import { inboxPath, type WireBlob } from '../../transfer/send.ts';
import { sendFiles } from '../../transfer/send-files.ts';
import type { Context } from '../command.ts';
import { requireValid } from './checks.ts';
import type { Fleet } from './fleet.ts';
import type { K3sFiles } from './k3s-files.ts';
import { readFleetFacts } from './machines.ts';
import { sendOptions } from './send-options.ts';
import { acting, looking, perNode } from './stages.ts';
import { readUserText, textOf } from './user-text.ts';

/** K3s of the config; kube-proxy goes when the Helm values replace it. */
export async function k3sSettings({ config }: Context): Promise<K3sSettings> {
  const value = textOf(await readUserText(config.deploy.values));
  const replaced = value?.('kubeProxyReplacement') === 'true';
  return { ...config.k3s, kubeProxy: config.k3s.kubeProxy ?? !replaced };
}

/** The nodes of a run, and every server: the others join one of them. */
export function withServers(all: readonly Node[], chosen: readonly Node[]): readonly Node[] {
  return all.filter((node) => node.role === 'server' || chosen.includes(node));
}

/**
 * How far K3s is on each node.
 *
 * @throws ShipError of the nodes that could not be looked at
 */
export async function readFleetK3s(
  context: Context,
  nodes: readonly Node[],
  { sessions }: Fleet,
): Promise<ReadonlyMap<string, K3sFacts>> {
  const steps = nodes.flatMap((node): readonly Step<K3sFacts>[] => {
    const session = sessions.get(node.name);
    if (session === undefined) return [];
    const run: Step<K3sFacts>['run'] = ({ signal }) => readK3s(session, node.role, signal);
    const describe = ({ unit, binary }: K3sFacts): string =>
      `${node.name} ${binary === undefined ? 'without K3s' : `with K3s ${unit}`}`;
    return [{ id: node.name, title: `look for K3s on ${node.name}`, run, describe }];
  });
  return runStage('Look', steps, looking(context));
}

/** What is installed, on which nodes, and from which files. */
export interface K3sInstall {
  readonly nodes: readonly Node[];
  readonly settings: K3sSettings;
  readonly states: ReadonlyMap<string, K3sFacts>;
  readonly files: K3sFiles;
}

/**
 * Refuses what cannot be, before anything is changed: networks that overlap, another program than
 * the one that runs, and settings that K3s takes at its first start only.
 *
 * @throws ShipError `config` with every finding
 */
export async function checkMachines(
  context: Context,
  fleet: Fleet,
  { nodes, settings, states, files }: K3sInstall,
): Promise<void> {
  const facts = await readFleetFacts(context, fleet);
  if (facts.failures.size > 0) throw combineFailures('k3s install', facts.failures);
  const binary = hexOf(files.binary.digest);
  const founder = founderOf(context.config.nodes, states);
  const checks = nodes.flatMap((node) => {
    const [found, state] = [facts.results.get(node.name), states.get(node.name)];
    if (found === undefined || state === undefined) return [];
    const config = configOf(context.config.nodes, node, founder, { settings, state });
    return [
      ...judgeInstall(found, settings, context.config.k3s.version),
      ...judgeChange(node, state, { config, binary }),
    ];
  });
  requireValid(checks, 'config', 'ciliumship k3s install');
}

function configOf(
  all: readonly Node[],
  node: Node,
  founder: Node,
  { settings, state }: { readonly settings: K3sSettings; readonly state: K3sFacts },
): string {
  const entry = entryOf(node, all, founder);
  if (!state.started || state.text === undefined) return k3sConfig(node, entry, settings);
  const servers = all.flatMap((other) =>
    other.role === 'server' ? (dataAddress(other) ?? []) : [],
  );
  const kept = keptEntry(settingsOf(node, state.text), entry, servers);
  return k3sConfig(node, entry, settings, kept);
}

/**
 * Installs K3s, or changes its settings: the server that founds the cluster, the other servers one by
 * one, then all agents; those whose settings change one by one too, so that none that does not come
 * back takes the next with it.
 *
 * @throws ShipError of the first of these groups that failed
 */
export async function installAll(
  context: Context,
  fleet: Fleet,
  install: K3sInstall,
): Promise<Settled<Installed>> {
  const { config } = context;
  const founder = founderOf(config.nodes, install.states);
  requireFounder(install, founder);
  const installOf = installer(context, fleet, install, founder);
  const servers = install.nodes.filter(({ role }) => role === 'server');
  const agents = install.nodes.filter(({ role }) => role === 'agent').map(installOf);
  const inOrder = servers.toSorted(
    (a, b) => Number(b.name === founder.name) - Number(a.name === founder.name),
  );
  const oneByOne = { ...acting(context), concurrency: 1, stopAtFailure: true };
  const first = await settleStage('Servers', inOrder.map(installOf).map(stepOf), oneByOne);
  if (first.failures.size > 0) throw combineFailures('k3s install', first.failures);
  const how = agents.some(isToChange) ? oneByOne : perNode(context);
  const then = await settleStage('Agents', agents.map(stepOf), how);
  if (then.failures.size > 0) throw combineFailures('k3s install', then.failures);
  return {
    results: new Map([...first.results, ...then.results]),
    failures: new Map(),
    planned: new Set([...first.planned, ...then.planned]),
    already: new Set([...first.already, ...then.already]),
  };
}

function stepOf(install: NodeInstall): Step<Installed> {
  return isToChange(install) ? changeStep(install) : installStep(install);
}

function requireFounder({ nodes, states }: K3sInstall, founder: Node): void {
  if (nodes.includes(founder) || states.get(founder.name)?.unit === 'active') return;
  throw new ShipError('usage', `${founder.name}: no K3s runs there, and the others join it`, {
    hint: `take it in: ciliumship k3s install --nodes ${[founder, ...nodes].map(({ name }) => name).join(',')}`,
  });
}

function installer(
  context: Context,
  { sessions }: Fleet,
  { files, settings, states }: K3sInstall,
  founder: Node,
): (node: Node) => NodeInstall {
  const { config, flags } = context;
  const options = sendOptions(context);
  const sessionOf = ({ name }: Node): Session => {
    const session = sessions.get(name);
    if (session === undefined) throw new Error(`no session of ${name}`);
    return session;
  };
  return (node) => {
    const remote = sessionOf(node);
    const state = states.get(node.name);
    if (state === undefined) throw new Error(`nobody looked for K3s on ${node.name}`);
    return {
      node,
      entry: entryOf(node, config.nodes, founder),
      config: configOf(config.nodes, node, founder, { settings, state }),
      state,
      binary: broughtOf(files.binary),
      installer: broughtOf(files.installer),
      remote,
      server: sessionOf(founder),
      send: (run) => sendFiles(remote, [files.binary, files.installer], options, run),
      timeout: flags.timeout === undefined ? config.deploy.timeout : parseDuration(flags.timeout),
    };
  };
}

function broughtOf(file: WireBlob): Brought {
  return { sha256: hexOf(file.digest), path: inboxPath(file) };
}
