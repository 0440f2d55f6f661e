import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, constantFrom, oneof, property, string, tuple, array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { k3sConfig } from '../../../src/cluster/k3s-config.ts';
import { persistence } from '../../../src/cluster/harden-persist.ts';
import { settingsOf } from '../../../src/cluster/harden-plan.ts';
import { actionsFor } from '../../../src/cluster/reset/step.ts';
import { RESET } from '../../../src/cluster/reset/phases.ts';
import { checkSchema } from '../../../src/config/validate.ts';
import { quoteArgv } from '../../../src/core/quote.ts';
import type { Argv } from '../../../src/core/remote.ts';
import { parseFeatures } from '../../../src/facts/offloads.ts';
import { testFolder } from '../../support/folder.ts';
import { seedOf } from '../../support/random.ts';
import { bareRemains, madeLink } from '../../support/remains.ts';

const VALUES = 10_000;
/** Values of one shell. */
const AT_ONCE = 250;
const CANARY = 'canary';
const END = 'end';
const seed = seedOf('injection');

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
const value = oneof(
  { weight: 3, arbitrary: tuple(plain, constantFrom(...PAYLOADS), plain) },
  { weight: 1, arbitrary: tuple(string({ unit: 'binary', maxLength: 20 })) },
).map((parts) => parts.join('').replaceAll('\0', ''));

const BARE = bareRemains();

const several = (count: number) => array(value, { minLength: count, maxLength: count });

/** Command lines in which each value is an interface, a path, a name or an address. */
function linesWith(text: string): readonly string[] {
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
const QUICK_SH = [
  'sh() { case $2 in "ethtool "*) eval "$2" ;; esac; }',
  ...['bpftool', 'ethtool', 'ip', 'mv', 'rm', 'umount'].map((name) => `${name}() { :; }`),
].join('\n');
const REAL_SH = 'sh() { /bin/sh "$@"; }';

/** Shells that a node may have as /bin/sh, as far as they are here. */
const SHELLS: readonly Argv[] = [['/bin/sh'], ['/bin/dash'], ['/bin/bash'], ['/bin/busybox', 'sh']];
const present = SHELLS.filter(([file]) => existsSync(file));

/** Runs lines with no program to be found, so that only the shell itself can act. */
function isTouched(
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

/** What may be a host, an interface or a name. */
const PLAIN = /^[A-Za-z0-9_[][A-Za-z0-9_.:@[\]-]*$/;

describe('10,000 random values', () => {
  test('D6: never run anything as interface, path or name of what a node has', () => {
    const folder = testFolder();
    const check = (texts: readonly string[]): void => {
      const lines = texts.flatMap(linesWith);
      for (const shell of present) expect(isTouched(folder, lines, QUICK_SH, shell)).toBe(false);
    };
    assert(property(several(AT_ONCE), check), { seed, numRuns: VALUES / AT_ONCE });
  }, 300_000);

  test('D6: never run anything in the scripts that get them as arguments', () => {
    const folder = testFolder();
    const check = (texts: readonly string[]): void => {
      expect(isTouched(folder, texts.flatMap(linesWith))).toBe(false);
    };
    assert(property(several(20), check), { seed, numRuns: 5 });
  });

  test('D6: would be seen to run where they are not quoted', () => {
    expect(isTouched(testFolder(), [`echo $(>${CANARY})`])).toBe(true);
    const nested = [`sh -c 'ethtool x;>${CANARY}'`];
    expect(isTouched(testFolder(), nested)).toBe(true);
    expect(isTouched(testFolder(), nested, QUICK_SH)).toBe(true);
  });

  test('D5: as host, user, interface or profile of a config are refused, or plain words', () => {
    const check = (text: string): void => {
      const nodes = {
        host: { ssh: text, role: 'server' },
        user: { ssh: `${text}@host`, role: 'server' },
        interface: { ssh: 'host', role: 'server', dataInterface: text },
        device: { ssh: 'host', role: 'server', devices: [text] },
        name: { ssh: 'host', role: 'server', nodeName: text },
        profile: { ssh: 'host', role: 'server', profile: text },
      };
      const parsed = checkSchema({ version: 1, source: '.', nodes });
      const refused = new Set(
        'problems' in parsed ? parsed.problems.map(({ path }) => path[1]) : [],
      );
      if (refused.size === Object.keys(nodes).length) return;
      expect(text, `not refused beside ${[...refused].join(', ')}`).toMatch(PLAIN);
    };
    assert(property(value, check), { seed, numRuns: VALUES });
  }, 300_000);

  test('D5: are refused where they stand, and nowhere else', () => {
    const nodes = {
      good: { ssh: 'host', role: 'server' },
      bad: { ssh: '-oX=$(id)', role: 'agent' },
    };
    const parsed = checkSchema({ version: 1, source: '.', nodes });
    expect(parsed).toMatchObject({ problems: [{ path: ['nodes', 'bad', 'ssh'] }] });
  });

  test('D5: as a setting of K3s stay one value of its config.yaml', () => {
    const settings = {
      clusterCidr: '10.42.0.0/16',
      serviceCidr: '10.43.0.0/16',
      kubeProxy: false,
      server: {},
    };
    const node = { name: 'worker', ssh: 'worker', role: 'agent', devices: [] } as const;
    const check = (text: string): void => {
      const entry = { as: 'joins', server: '10.4.100.1' } as const;
      const config = k3sConfig(node, entry, { ...settings, agent: { 'node-label': [text] } });
      expect(parse(config)).toMatchObject({ 'node-label': [text], 'node-name': 'worker' });
    };
    assert(property(value, check), { seed, numRuns: 1_000 });
  });
});
