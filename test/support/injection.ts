import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { array, assert, constantFrom, oneof, property, string, tuple } from 'fast-check';
import { expect } from 'vitest';
import { persistence } from '../../src/cluster/harden-persist.ts';
import { settingsOf } from '../../src/cluster/harden-plan.ts';
import { RESET } from '../../src/cluster/reset/phases.ts';
import { actionsFor } from '../../src/cluster/reset/step.ts';
import { quoteArgv } from '../../src/core/quote.ts';
import type { Argv } from '../../src/core/remote.ts';
import { parseFeatures } from '../../src/facts/offloads.ts';
import { testFolder } from './folder.ts';
import { seedOf } from './random.ts';
import { bareRemains, madeLink } from './remains.ts';

/** Values that would act if any shell saw them as more than words, and whether one did. */

export const VALUES = 10_000;
/** Values of one shell. */
const AT_ONCE = 250;
export const CANARY = 'canary';
const END = 'end';
export const seed = seedOf('injection');

/** What a shell would make the canary of, were it ever to see it as more than a word. */
const PAYLOADS = [
  `$(>${CANARY})`,
  `\`>${CANARY}\``,
  `;>${CANARY};`,
  `|>${CANARY}`,
  `&>${CANARY}&`,
  `\n>${CANARY}\n`,
  `'>${CANARY};'`,
  `";>${CANARY};"`,
  `\\';>${CANARY};\\'`,
  `-oProxyCommand=>${CANARY}`,
  `--;>${CANARY}`,
  `../../>${CANARY}`,
];
const plain = string({ maxLength: 12 });
export const value = oneof(
  { weight: 3, arbitrary: tuple(plain, constantFrom(...PAYLOADS), plain) },
  { weight: 1, arbitrary: tuple(string({ unit: 'binary', maxLength: 20 })) },
).map((parts) => parts.join('').replaceAll('\0', ''));

const BARE = bareRemains();

export const several = (count: number) => array(value, { minLength: count, maxLength: count });

/** Command lines in which each value is an interface, a path, a name or an address. */
export function linesWith(text: string): readonly string[] {
  const remains = {
    ...BARE,
    pins: [{ device: text, program: text, path: text }],
    traffic: [{ device: 'eth1', hook: text, program: `cil_${text}`, link: undefined }],
    links: [madeLink(`flannel.${text}`)],
    mounts: [{ target: `/run/k3s/${text}`, root: '/', type: 'x', source: 'x' }],
    namespaces: [`/run/netns/cni-${text}`],
    cniFiles: [`${text}cilium`, `${text}.cilium_bak`],
    maps: [text],
  };
  const at = {
    device: text,
    driver: text,
    mac: text,
    features: parseFeatures('generic-receive-offload: on'),
    channels: { combined: { now: 4, most: 4 } },
  };
  const settings = settingsOf('worker', at, { gro: false, queues: 1 });
  const argvs: readonly Argv[] = [
    ...actionsFor(RESET, remains).map(({ argv }) => argv),
    ...settings.flatMap(({ change }) => (change === undefined ? [] : [change.argv, change.undo])),
    // As the undo of a change travels: a line within a word.
    [
      'sh',
      '-c',
      settings.flatMap(({ change }) => change?.undo ?? []).length > 0
        ? quoteArgv(['ethtool', text])
        : ':',
    ],
    ...persistence('wicked', at, settings).map(({ argv }) => argv),
  ];
  return [...new Set(argvs.map(quoteArgv))];
}

/**
 * A process for each command takes minutes. Words are read before a function is called as they are
 * before a program is; and a line within a word is what the shell of `sh -c` reads of it.
 */
export const QUICK_SH = [
  'sh() { case $2 in "ethtool "*) eval "$2" ;; esac; }',
  ...['bpftool', 'ethtool', 'ip', 'mv', 'rm', 'umount'].map((name) => `${name}() { :; }`),
].join('\n');
const REAL_SH = 'sh() { /bin/sh "$@"; }';

/** Runs lines with no program to be found, so that only the shell itself can act. */
export function isTouched(
  folder: string,
  lines: readonly string[],
  nested = REAL_SH,
  [shell, ...args]: Argv = ['/bin/sh'],
): boolean {
  const script = join(folder, 'script');
  writeFileSync(script, [nested, ...lines, `>${END}`, ''].join('\n'));
  const env = { PATH: '/nowhere' };
  spawnSync(shell, [...args, script], { cwd: folder, env, stdio: 'ignore' });
  // A shell that gave up on the way has seen nothing of the rest.
  expect(existsSync(join(folder, END)), `${shell} read to the end`).toBe(true);
  const touched = existsSync(join(folder, CANARY));
  for (const file of [CANARY, END]) rmSync(join(folder, file), { force: true });
  return touched;
}

/** 10,000 values as interface, path or name of what a node has: none of these shells runs any. */
export function expectUntouched(shells: readonly Argv[]): void {
  const folder = testFolder();
  const check = (texts: readonly string[]): void => {
    const lines = texts.flatMap(linesWith);
    for (const shell of shells) expect(isTouched(folder, lines, QUICK_SH, shell)).toBe(false);
  };
  assert(property(several(AT_ONCE), check), { seed, numRuns: VALUES / AT_ONCE });
}
