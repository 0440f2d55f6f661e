import { setTimeout as sleep } from 'node:timers/promises';
import { ShipError } from '../core/errors.ts';
import { kubernetesName } from '../core/node.ts';
import type { Argv } from '../core/remote.ts';
import type { Run } from '../core/step.ts';
import { lastLines } from '../core/text.ts';
import { unitOf } from '../facts/k3s.ts';
import type { NodeInstall } from './k3s-tasks.ts';

const PAUSE = 500;
/** A unit that systemd started so often does not come up by itself. */
const MOST_RESTARTS = 5;

/** Whether the cluster knows the node. Throws as `Remote.run`. */
export async function isRegistered(
  { node, server }: NodeInstall,
  signal: AbortSignal,
): Promise<boolean> {
  const argv: Argv = ['k3s', 'kubectl', 'get', 'node', kubernetesName(node), '-o', 'name'];
  const { code } = await server.run(argv, { sudo: true, signal, accept: [1, 126, 127] });
  return code === 0;
}

/** What the cluster knows of a node: whether it is ready, and when its kubelet said so. */
interface Heartbeat {
  readonly ready: boolean;
  readonly at: string;
}

const HEARTBEAT =
  'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{end}';

/** Undefined when nobody says. Throws as `Remote.run`. */
export async function readHeartbeat(
  { node, server }: NodeInstall,
  signal: AbortSignal,
): Promise<Heartbeat | undefined> {
  const argv: Argv = ['k3s', 'kubectl', 'get', 'node', kubernetesName(node), '-o', HEARTBEAT];
  const { code, stdout } = await server.run(argv, { sudo: true, signal, accept: [1, 126, 127] });
  const [status, at] = stdout.trim().split(' ');
  return code === 0 && at !== undefined ? { ready: status === 'True', at } : undefined;
}

/**
 * Waits until K3s runs and its kubelet says anew that the node is as it was before: ready, or, where
 * there is no CNI, only there.
 *
 * @throws ShipError `deploy` with the last lines of its journal; as `Remote.run`
 */
export async function waitUntilBack(
  install: NodeInstall,
  before: Heartbeat | undefined,
  run: Run,
): Promise<void> {
  const { node, remote } = install;
  const unit: Argv = ['systemctl', 'is-active', '--quiet', unitOf(node.role)];
  run.progress({ text: before?.ready === true ? 'waiting until it is ready' : 'waiting for it' });
  await waitUntil(install, run, async ({ signal }) => {
    const { code } = await remote.run(unit, { sudo: true, signal, accept: [1, 2, 3, 4] });
    if (code !== 0) return false;
    const now = await readHeartbeat(install, signal);
    return now !== undefined && now.at !== before?.at && (now.ready || before?.ready !== true);
  });
}

/**
 * Waits until the cluster knows the node; not until it is ready: without a CNI no node is.
 *
 * @throws ShipError `deploy` with the last lines of its journal; as `Remote.run`
 */
export async function waitUntilRegistered(install: NodeInstall, run: Run): Promise<void> {
  run.progress({ text: 'waiting until it registers' });
  await waitUntil(install, run, ({ signal }) => isRegistered(install, signal));
}

async function waitUntil(
  install: NodeInstall,
  run: Run,
  isThere: (run: Run) => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + install.timeout;
  while (!(await isThere(run))) {
    const late = performance.now() > end;
    if (late || (await restarts(install, run.signal)) >= MOST_RESTARTS) {
      throw await neverCame(install, late, run.signal);
    }
    await sleep(PAUSE, undefined, { signal: run.signal });
  }
}

async function restarts({ node, remote }: NodeInstall, signal: AbortSignal): Promise<number> {
  const argv: Argv = ['systemctl', 'show', '-p', 'NRestarts', '--value', unitOf(node.role)];
  return Number((await remote.run(argv, { sudo: true, signal })).stdout.trim());
}

async function neverCame(
  { node, remote, timeout }: NodeInstall,
  late: boolean,
  signal: AbortSignal,
): Promise<ShipError> {
  const unit = unitOf(node.role);
  const journal: Argv = ['journalctl', '-u', unit, '-n', '20', '--no-pager', '-o', 'cat'];
  const { stdout } = await remote.run(journal, { sudo: true, signal, accept: [1] });
  const how = late ? `did not come up within ${timeout / 1000} s` : 'ends again and again';
  return new ShipError('deploy', `${node.name}: K3s ${how}`, {
    details: lastLines(stdout, 20),
    hint: `look on ${node.name}: journalctl -u ${unit}; then run the same command again, it goes on from here`,
  });
}
