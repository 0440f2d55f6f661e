import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Finished } from '../../src/core/remote.ts';
import { NODE_FOLDER } from '../../src/facts/node-paths.ts';
import { importCommand } from '../../src/import/layout.ts';
import type { LocalNode } from './local-node.ts';
import { until } from './parts.ts';
import { shipImage } from './values.ts';

/** Imports that take for ever on a local node, each with a ctr that says when it is at work. */

const argvOf = (token: string) =>
  importCommand(shipImage('cilium', ['base']), { staging: 's', token, maxRate: undefined }, []);

/**
 * Starts one, and waits until its ctr is at work.
 *
 * @param first what that ctr does before
 */
export async function beginImport(
  node: LocalNode,
  token: string,
  first = '',
): Promise<ChildProcess> {
  const pid = `"$NODE/${token}.pid"`;
  node.program('k3s', `${first}\ncat > /dev/null; echo $$ > ${pid}; while :; do sleep 1; done`);
  const child = node.start(argvOf(token));
  await until('ctr is at work', 10, () => existsSync(pidFile(node, token)));
  return child;
}

/** Runs one whose ctr has nothing to do. */
export function runImport(node: LocalNode, token: string): Finished {
  node.program('k3s', `cat > /dev/null; echo $$ > "$NODE/${token}.pid"`);
  return node.run(argvOf(token));
}

export function hasBegun(node: LocalNode, token: string): boolean {
  return existsSync(pidFile(node, token));
}

/** Whether the ctr of one is still at work. */
export function isAtWork(node: LocalNode, token: string): boolean {
  return existsSync(`/proc/${readFileSync(pidFile(node, token), 'utf8').trim()}/cwd/`);
}

function pidFile(node: LocalNode, token: string): string {
  return node.at(`${NODE_FOLDER}/${token}.pid`);
}
