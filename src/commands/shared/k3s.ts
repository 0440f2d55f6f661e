import { k3sConfig, type K3sSettings } from '../../cluster/k3s-config.ts';
import { installStep, type Installed } from '../../cluster/k3s-install.ts';
import type { Brought } from '../../cluster/k3s-tasks.ts';
import { entryOf, founderOf, judgeInstall } from '../../cluster/k3s-plan.ts';
import { parseDuration } from '../../config/duration.ts';
import { hexOf } from '../../core/digest.ts';
import { combineFailures, ShipError } from '../../core/errors.ts';
import type { Node } from '../../core/node.ts';
import type { Step } from '../../core/step.ts';
import { readK3s, type K3sFacts } from '../../facts/k3s.ts';
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
    return [{ id: node.name, title: `look for K3s on ${node.name}`, run }];
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
 * Refuses networks that overlap and releases that would be overwritten, before anything is changed.
 *
 * @throws ShipError `config` with every finding
 */
export async function checkMachines(
  context: Context,
  fleet: Fleet,
  { nodes, settings }: K3sInstall,
): Promise<void> {
  const facts = await readFleetFacts(context, fleet);
  if (facts.failures.size > 0) throw combineFailures('k3s install', facts.failures);
  const checks = nodes.flatMap(({ name }) => {
    const found = facts.results.get(name);
    return found === undefined ? [] : judgeInstall(found, settings, context.config.k3s.version);
  });
  requireValid(checks, 'config', 'ciliumship k3s install');
}

/**
 * Installs K3s: the server that founds the cluster, the other servers one by one, then all agents.
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
  const stepOf = installer(context, fleet, install, founder);
  const servers = install.nodes.filter(({ role }) => role === 'server');
  const agents = install.nodes.filter(({ role }) => role === 'agent');
  const inOrder = servers.toSorted(
    (a, b) => Number(b.name === founder.name) - Number(a.name === founder.name),
  );
  const oneByOne = { ...acting(context), concurrency: 1, stopAtFailure: true };
  const first = await settleStage('Servers', inOrder.map(stepOf), oneByOne);
  if (first.failures.size > 0) throw combineFailures('k3s install', first.failures);
  const then = await settleStage('Agents', agents.map(stepOf), perNode(context));
  if (then.failures.size > 0) throw combineFailures('k3s install', then.failures);
  return {
    results: new Map([...first.results, ...then.results]),
    failures: new Map(),
    planned: new Set([...first.planned, ...then.planned]),
    already: new Set([...first.already, ...then.already]),
  };
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
  { files, settings }: K3sInstall,
  founder: Node,
): (node: Node) => Step<Installed> {
  const { config, flags } = context;
  const options = sendOptions(context);
  const sessionOf = ({ name }: Node): Session => {
    const session = sessions.get(name);
    if (session === undefined) throw new Error(`no session of ${name}`);
    return session;
  };
  return (node) => {
    const entry = entryOf(node, config.nodes, founder);
    const remote = sessionOf(node);
    return installStep({
      node,
      entry,
      config: k3sConfig(node, entry, settings),
      binary: broughtOf(files.binary),
      installer: broughtOf(files.installer),
      remote,
      server: sessionOf(founder),
      send: (run) => sendFiles(remote, [files.binary, files.installer], options, run),
      timeout: flags.timeout === undefined ? config.deploy.timeout : parseDuration(flags.timeout),
    });
  };
}

function broughtOf(file: WireBlob): Brought {
  return { sha256: hexOf(file.digest), path: inboxPath(file) };
}
