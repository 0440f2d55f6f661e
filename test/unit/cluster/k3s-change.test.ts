import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { judgeChange } from '../../../src/cluster/k3s-change.ts';
import { k3sConfig, keptEntry } from '../../../src/cluster/k3s-config.ts';
import { installStep } from '../../../src/cluster/k3s-install.ts';
import { entryOf } from '../../../src/cluster/k3s-plan.ts';
import { changeStep, isToChange } from '../../../src/cluster/k3s-restart.ts';
import type { Node } from '../../../src/core/node.ts';
import { OUR_MARK } from '../../../src/facts/k3s.ts';
import { fakeNode } from '../../support/fake-node.ts';
import {
  HEX,
  joining,
  MASTER,
  ours,
  SECOND,
  SETTINGS,
  state,
  WORKER,
  type Lab,
} from '../../support/k3s-node.ts';

const RUN = { signal: new AbortController().signal, progress: () => undefined };

describe('what K3s cannot change any more', () => {
  const first = { as: 'first', others: false } as const;
  const found = (node: Node, before: string, after: string, binary = HEX) =>
    judgeChange(node, ours(before), { config: after, binary })
      .filter((check) => check.state === 'failed')
      .map(({ node: name, found: what, remedy }) => `${name}: ${what}; ${remedy}`);
  const config = k3sConfig(MASTER, first, SETTINGS);

  test('is nothing of a name more for its certificate', () => {
    const more = { ...SETTINGS, server: { 'tls-san': ['k3s.example'] } };
    expect(found(MASTER, config, k3sConfig(MASTER, first, more))).toEqual([]);
  });

  test('is a network of the cluster, the address of a server, or a label, each with what to do', () => {
    const cidr = { ...SETTINGS, clusterCidr: '10.44.0.0/16' };
    const [network, ...none] = found(MASTER, config, k3sConfig(MASTER, first, cidr));
    expect(network).toMatch(
      /^master: cluster-cidr: 10\.42\.0\.0\/16 → 10\.44\.0\.0\/16; set k3s\.clusterCidr back/,
    );
    expect(none).toEqual([]);
    const moved = k3sConfig({ ...MASTER, dataAddress: '10.4.100.9/16' }, first, SETTINGS);
    expect(found(MASTER, config, moved)[0]).toContain('node-ip: 10.4.100.1 → 10.4.100.9');
    const label = { ...SETTINGS, server: { 'node-label': ['rack=2'] } };
    expect(found(MASTER, config, k3sConfig(MASTER, first, label))[0]).toContain(
      'kubectl label node',
    );
  });

  test('is the database of a single server when others are to join it', () => {
    const kept = keptEntry(parse(config), { as: 'first', others: true }, ['10.4.100.1']);
    const [database] = found(MASTER, config, k3sConfig(MASTER, first, SETTINGS, kept));
    expect(database).toContain('cluster-init: (not set) → true');
    expect(database).toContain('cluster-init: true');
  });

  test('is its program, while an agent may get another address', () => {
    const joins = { as: 'joins', server: '10.4.100.1' } as const;
    const moved = { ...WORKER, dataAddress: '10.4.100.9/16' };
    const [before, after] = [WORKER, moved].map((node) => k3sConfig(node, joins, SETTINGS));
    expect(found(WORKER, before ?? '', after ?? '')).toEqual([]);
    expect(found(WORKER, before ?? '', before ?? '', '0'.repeat(64))[0]).toContain(
      'upgrades nothing',
    );
  });

  test('is never shown when it may be a secret', () => {
    const more = { ...SETTINGS, server: { 'datastore-endpoint': 'mysql://me:canary@tcp(db)/k3s' } };
    const [line] = found(MASTER, config, k3sConfig(MASTER, first, more));
    expect(line).toContain('datastore-endpoint: another value (not shown)');
    expect(line).not.toContain('canary');
  });

  test('is not asked of a node where K3s never started, or that is not ours', () => {
    const other = { config, binary: '0'.repeat(64) };
    expect(judgeChange(MASTER, ours(config, { started: false }), other)).toEqual([]);
    expect(judgeChange(MASTER, state('active'), other)).toEqual([]);
  });
});

describe('how a node came into the cluster stays as it is', () => {
  const second = entryOf(SECOND, [MASTER, SECOND], MASTER);

  test('when another server is the founder now', () => {
    const joined = parse(k3sConfig(SECOND, second, SETTINGS));
    const now = entryOf(SECOND, [MASTER, SECOND], SECOND);
    expect(keptEntry(joined, now, ['10.4.100.1', '10.4.100.3'])).toEqual({
      server: 'https://10.4.100.1:6443',
      'token-file': '/etc/rancher/k3s/token',
    });
    const made = parse(k3sConfig(MASTER, { as: 'first', others: true }, SETTINGS));
    const joins = entryOf(MASTER, [MASTER, SECOND], SECOND);
    expect(keptEntry(made, joins, ['10.4.100.1'])).toEqual({ 'cluster-init': true });
  });

  test('but not when the server that it joined is none of the config any more', () => {
    const joined = parse(k3sConfig(WORKER, second, SETTINGS));
    const moved = { as: 'joins', server: '10.4.100.7' } as const;
    expect(keptEntry(joined, moved, ['10.4.100.7'])).toMatchObject({
      server: 'https://10.4.100.7:6443',
    });
  });
});

const CONFIG = '/etc/rancher/k3s/config.yaml';

/** A worker in the cluster whose config.yaml is `text`; it is ready again once it was restarted. */
function member(
  text: string,
  {
    changing = false,
    restarts = 0,
  }: { readonly changing?: boolean; readonly restarts?: number } = {},
): Lab {
  const inputs: string[] = [];
  let now = text;
  let beats = 0;
  let kept = changing;
  const node = fakeNode((command, { input }) => {
    if (typeof input === 'string') {
      inputs.push(input);
      now = input;
    }
    if (command.startsWith('sha256sum')) return `${HEX}  /usr/local/bin/k3s`;
    if (command.startsWith('ls -d')) {
      const paths = [CONFIG, '/var/lib/rancher/k3s/agent', ...(kept ? [`${CONFIG}.before`] : [])];
      return paths.join('\n');
    }
    if (command.startsWith('head')) return OUR_MARK;
    if (command.startsWith('cat')) return now;
    if (command.startsWith('systemctl is-active')) return 'active';
    if (command.includes(' keep ')) kept = true;
    if (command.startsWith('rm -f') || command.startsWith('mv -f')) kept = false;
    if (command.startsWith('systemctl restart') && restarts === 0) beats += 1;
    if (command.startsWith('systemctl show')) return String(restarts);
    if (command.startsWith('journalctl')) return 'level=fatal msg="flag provided but not defined"';
    return undefined;
  });
  const founder = fakeNode((command) => (command.includes('jsonpath') ? `True at-${beats}` : ''));
  const { install } = joining();
  const facts = ours(text, { changing });
  return {
    node,
    server: founder,
    inputs,
    install: { ...install, state: facts, remote: node, server: founder },
  };
}

describe('a change of the config of a node that is in the cluster', () => {
  const { install: wanted } = joining();
  const before = wanted.config.replace('10.4.100.2', '10.4.100.8');

  test('is nothing when its config.yaml says the same, in whatever order', async () => {
    const same = `${OUR_MARK}\n${wanted.config.trimEnd().split('\n').slice(1).toReversed().join('\n')}`;
    const { install } = member(same);
    expect(isToChange(install)).toBe(false);
    expect(await installStep(install).done?.(RUN)).toMatchObject({ how: 'already there' });
  });

  test('is shown, written, and waited for until the node is ready anew', async () => {
    const { node, install, inputs } = member(before);
    expect(isToChange(install)).toBe(true);
    const step = changeStep(install);
    expect(await step.done?.(RUN)).toBeUndefined();
    expect(step.plan?.()[0]).toBe(`${CONFIG}: node-ip: 10.4.100.8 → 10.4.100.2`);
    expect(await step.run(RUN)).toMatchObject({ how: 'changed' });
    expect(inputs).toEqual([install.config]);
    const all = node.asked.join('\n');
    expect(all.indexOf('keep')).toBeLessThan(all.indexOf('write'));
    expect(node.asked.at(-1)).toBe(`sudo rm -f -- ${CONFIG}.before`);
    expect(all).not.toContain('INSTALL_K3S');
    expect(await step.done?.(RUN)).toMatchObject({ how: 'already there' });
  });

  test('F48: that was cut before K3s started again is taken up', async () => {
    const { node, install } = member(wanted.config, { changing: true });
    expect(isToChange(install)).toBe(true);
    expect(await changeStep(install).done?.(RUN)).toBeUndefined();
    await changeStep(install).run(RUN);
    expect(node.asked.join('\n')).toContain('systemctl restart');
  });

  test('with which K3s does not come up is taken back, and says why', async () => {
    const { node, install } = member(before, { restarts: 5 });
    await expect(changeStep(install).run(RUN)).rejects.toMatchObject({
      kind: 'deploy',
      message: 'worker: K3s ends again and again with its new settings; it has the old ones again',
      details: ['level=fatal msg="flag provided but not defined"'],
    });
    expect(node.asked.at(-2)).toBe(`sudo mv -f -- ${CONFIG}.before ${CONFIG}`);
    expect(node.asked.at(-1)).toContain('systemctl restart');
  });
});
