import { existsSync } from 'node:fs';
import { assert, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { k3sConfig } from '../../../src/cluster/k3s-config.ts';
import { checkSchema } from '../../../src/config/validate.ts';
import type { Argv } from '../../../src/core/remote.ts';
import { testFolder } from '../../support/folder.ts';
import {
  CANARY,
  expectUntouched,
  isTouched,
  linesWith,
  QUICK_SH,
  seed,
  several,
  value,
  VALUES,
} from '../../support/injection.ts';

/** Shells that a node may have as /bin/sh, as far as they are here; busybox has a test of its own. */
const SHELLS: readonly Argv[] = [['/bin/sh'], ['/bin/dash'], ['/bin/bash']];
const present = SHELLS.filter(([file]) => existsSync(file));

/** What may be a host, an interface or a name. */
const PLAIN = /^[A-Za-z0-9_[][A-Za-z0-9_.:@[\]-]*$/;

describe('10,000 random values', () => {
  test('D6: never run anything as interface, path or name of what a node has', () => {
    expectUntouched(present);
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
    for (const shell of present) {
      expect(isTouched(testFolder(), nested, QUICK_SH, shell)).toBe(true);
    }
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
