import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Remote } from '../../../src/core/remote.ts';
import { LAYOUT } from '../../../src/facts/node-paths.ts';
import { endImport, endLeft } from '../../../src/import/end.ts';
import { beginImport, hasBegun, isAtWork, runImport } from '../../support/begun-import.ts';
import { localNode, type LocalNode } from '../../support/local-node.ts';
import { until } from '../../support/parts.ts';

let node: LocalNode;
let remote: Remote;
beforeEach(() => {
  node = localNode();
  remote = { node: 'worker', run: async (argv) => node.run(argv) };
});
afterEach(async () => {
  await endLeft(remote);
});

describe.each(['dash', 'bash'])('F16: by %s, an import', (shell) => {
  beforeEach(() => node.program('sh', `exec ${shell} "$@"`));

  test('that is at work is over, with its ctr, when it was ended', async () => {
    const child = await beginImport(node, 't1');
    const gone = once(child, 'exit');
    await endImport(remote, 't1');
    expect(isAtWork(node, 't1')).toBe(false);
    await gone;
  });

  test('that has not begun when it is ended never does', async () => {
    await endImport(remote, 't1');
    expect(runImport(node, 't1').code).not.toBe(0);
    expect(hasBegun(node, 't1')).toBe(false);
    expect(runImport(node, 't2').code).toBe(0);
    expect(hasBegun(node, 't2')).toBe(true);
  });
});

describe('F16: an import that is at work', () => {
  test('is killed when it does not hear SIGTERM', async () => {
    node.program('sleep', 'exit 0');
    await beginImport(node, 't1', 'trap "" TERM');
    await endImport(remote, 't1');
    expect(isAtWork(node, 't1')).toBe(false);
  });

  test('of another token stays', async () => {
    await beginImport(node, 't1');
    await beginImport(node, 't2');
    await endImport(remote, 't2');
    expect([isAtWork(node, 't1'), isAtWork(node, 't2')]).toEqual([true, false]);
  });

  test('of any token is ended on a node that is ours, and that there was one is said', async () => {
    await beginImport(node, 't1');
    await beginImport(node, 't2');
    expect(await endLeft(remote)).toBe(true);
    expect([isAtWork(node, 't1'), isAtWork(node, 't2')]).toEqual([false, false]);
    expect(await endLeft(remote)).toBe(false);
  });

  test('is told from the shell of someone who looks around there', async () => {
    mkdirSync(node.at(`${LAYOUT}/t1`));
    const script = `cd ${node.at(LAYOUT)}/t1 && : > here; while :; do sleep 1; done`;
    const shell = node.start(['sh', '-c', script]);
    await until('it is there', 10, () => existsSync(node.at(`${LAYOUT}/t1/here`)));
    await endImport(remote, 't1');
    expect(await endLeft(remote)).toBe(false);
    expect(existsSync(`/proc/${shell.pid}/cwd/`)).toBe(true);
    shell.kill('SIGKILL');
  });
});
