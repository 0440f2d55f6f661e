import { spawnSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hardenStep, type Hardened } from '../../../src/cluster/harden.ts';
import { hardenRefusal } from '../../../src/cluster/harden-guard.ts';
import { persistence, unwritten } from '../../../src/cluster/harden-persist.ts';
import { settingsOf, type Hardening } from '../../../src/cluster/harden-plan.ts';
import { parseFeatures, type Offloads } from '../../../src/facts/offloads.ts';
import type { Argv } from '../../../src/core/remote.ts';
import { configNode } from '../../support/fake-cluster.ts';
import { fakeNode, type FakeNode } from '../../support/fake-node.ts';
import { testFolder } from '../../support/folder.ts';
import { machineFacts } from '../../support/machine-facts.ts';
import { nodeData } from '../../support/node-data.ts';

const NODE = configNode('worker', { dataInterface: 'eth1', devices: ['eth1'] });
const NOTHING: Hardening = { gro: undefined, queues: undefined };

const VETH: Offloads = {
  device: 'eth1',
  driver: 'veth',
  mac: '02:42:0a:f5:64:02',
  features: parseFeatures(
    nodeData('ethtool-k-veth.txt').replace('receive-offload: off\n', 'receive-offload: on\n'),
  ),
  channels: { rx: { now: 2, most: 2 }, tx: { now: 2, most: 2 } },
};
// As virtio_net and i40e print it; there is no such card in these machines.
const VIRTIO: Offloads = {
  ...VETH,
  driver: 'virtio_net',
  features: parseFeatures(
    'large-receive-offload: on\ngeneric-receive-offload: on\nrx-gro-hw: on\n',
  ),
  channels: { combined: { now: 4, most: 4 } },
};
const I40E: Offloads = {
  ...VETH,
  driver: 'i40e',
  features: parseFeatures(
    'large-receive-offload: off [fixed]\ngeneric-receive-offload: on\nrx-gro-hw: off [fixed]\n',
  ),
  channels: { combined: { now: 16, most: 64 } },
};

const changed = (at: Offloads, wanted: Hardening): readonly string[] =>
  settingsOf('worker', at, wanted).flatMap(({ change }) => change?.argv.join(' ') ?? []);

describe('the plan', () => {
  test('E2: switches off what merges packets in hardware, where the driver has it', () => {
    expect(changed(VIRTIO, NOTHING)).toEqual([
      'ethtool -K eth1 lro off',
      'ethtool -K eth1 rx-gro-hw off',
    ]);
  });

  test.each([I40E, VETH])('E2: changes nothing on a driver without it ($driver)', (at) => {
    expect(changed(at, NOTHING)).toEqual([]);
  });

  test('E9: leaves GRO and queues unless they are asked for', () => {
    expect(changed(VETH, { gro: false, queues: 1 })).toEqual([
      'ethtool -K eth1 gro off',
      'ethtool -L eth1 rx 1 tx 1',
    ]);
    expect(changed(I40E, { gro: undefined, queues: 8 })).toEqual(['ethtool -L eth1 combined 8']);
  });

  test('changes nothing that is as wanted', () => {
    expect(changed(I40E, { gro: true, queues: 16 })).toEqual([]);
  });

  test('refuses more queues than there can be', () => {
    expect(() => changed(VETH, { gro: undefined, queues: 8 })).toThrow('at most 2 queues');
  });
});

describe('a guard', () => {
  const facts = machineFacts({ tools: new Set(['ethtool']) });

  test('D21: refuses a node where an agent runs', () => {
    expect(hardenRefusal(NODE, facts, true)?.message).toContain('an agent of Cilium runs');
  });

  test.each(['eth1', undefined])(
    'D21, F47: leaves %s alone when SSH comes by it',
    (sshInterface) => {
      const no = hardenRefusal(NODE, { ...facts, sshInterface }, false);
      expect(no?.message).toContain('our own SSH session');
    },
  );

  test('F47: refuses an interface that is not there', () => {
    const other = configNode('worker', { devices: ['eth7'] });
    expect(hardenRefusal(other, facts, false)?.message).toContain('has no interface eth7');
  });

  test('lets all else pass', () => {
    expect(hardenRefusal(NODE, facts, false)).toBeUndefined();
  });
});

const RUN = { signal: new AbortController().signal, progress: () => undefined };

/** A node whose GRO and queues follow what it is told. */
function vethNode(): FakeNode {
  let gro = 'on';
  return fakeNode((command) => {
    if (command.startsWith('systemctl is-active')) return { code: 3 };
    if (command.startsWith('cat /sys')) return VETH.mac ?? '';
    if (command.startsWith('ethtool -k')) return `generic-receive-offload: ${gro}\n`;
    if (command.startsWith('ethtool -l')) return nodeData('ethtool-l-veth.txt');
    if (command.startsWith('ethtool -K')) gro = command.split(' ').at(-1) ?? '';
    return undefined;
  });
}

function hardened(remote: FakeNode, connect: Hardened['connect'], deadMan = 5_000): Hardened {
  const hardening = { gro: false, queues: undefined };
  return { node: NODE, remote, hardening, writings: [], devices: [VETH], deadMan, connect };
}

const answering =
  (again: FakeNode): Hardened['connect'] =>
  async () => ({
    ...again,
    [Symbol.asyncDispose]: async () => undefined,
  });

describe('a change', () => {
  test('F45: is undone by the node unless a new connection calls that off', async () => {
    const [node, again] = [vethNode(), fakeNode()];
    const { settings } = await hardenStep(hardened(node, answering(again))).run(RUN);
    const timer = node.asked.findIndex((line) => line.includes('systemd-run'));
    const change = node.asked.indexOf('sudo ethtool -K eth1 gro off');
    expect(node.asked[timer]).toContain('sh -c ethtool -K eth1 gro on');
    expect(timer).toBeLessThan(change);
    expect(again.asked).toEqual(['sudo systemctl stop ciliumship-undo.timer']);
    expect(settings.find(({ setting }) => setting === 'gro')).toMatchObject({
      before: 'on',
      after: 'off',
    });
  });

  test('F45: that nobody could confirm is left to the node, and says so', async () => {
    const node = vethNode();
    const dead = async (): Promise<never> => {
      throw new Error('no route to host');
    };
    await expect(hardenStep(hardened(node, dead)).run(RUN)).rejects.toMatchObject({
      kind: 'network',
      retryable: true,
      message: /the node undoes it within 5 s/,
      details: ['no route to host'],
    });
    expect(node.asked.join('\n')).not.toContain('systemctl stop');
  });

  test('F45: does not wait longer than the node does', async () => {
    const silent = (signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    const step = hardenStep(hardened(vethNode(), silent, 2_000));
    const started = performance.now();
    await expect(step.run(RUN)).rejects.toMatchObject({ kind: 'network' });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('is not made where everything is as wanted', async () => {
    const step = hardenStep({
      ...hardened(vethNode(), answering(fakeNode())),
      hardening: NOTHING,
    });
    expect(await step.done?.(RUN)).toBeDefined();
  });

  test('F45: is not called done while the node is about to undo it', async () => {
    const due = fakeNode(() => ({ code: 0 }));
    const step = hardenStep({ ...hardened(due, answering(fakeNode())), hardening: NOTHING });
    expect(await step.done?.(RUN)).toBeUndefined();
  });
});

describe('what outlasts a reboot', () => {
  const wanted = { gro: false, queues: 1 };
  const settings = settingsOf('worker', VETH, wanted);

  test('is a .link file that keeps the name of the interface', () => {
    const [writing] = persistence('udev', VETH, settings);
    expect(writing?.argv.at(-1)).toBe('/etc/systemd/network/10-ciliumship-eth1.link');
    expect(writing?.input).toContain('MACAddress=02:42:0a:f5:64:02');
    expect(writing?.input).toContain('NamePolicy=keep kernel');
    expect(writing?.input).toContain('GenericReceiveOffload=false\nRxChannels=1\nTxChannels=1\n');
  });

  test('is lines of the ifcfg file where wicked runs', () => {
    const [writing] = persistence('wicked', VETH, settings);
    expect(writing?.argv.at(-1)).toBe('/etc/sysconfig/network/ifcfg-eth1');
    expect(writing?.input).toBe(
      "ETHTOOL_OPTIONS_ciliumship0='-K eth1 gro off'\nETHTOOL_OPTIONS_ciliumship1='-L eth1 rx 1 tx 1'\n",
    );
  });

  test.each(['udev', 'wicked'] as const)('is written only where it is not there (%s)', (keeper) => {
    const [writing] = persistence(keeper, VETH, settings);
    if (writing === undefined) throw new Error('nothing is written');
    const file = join(testFolder(), 'kept');
    const run = ([shell, ...args]: Argv): number | null =>
      spawnSync(shell, [...args.slice(0, -1), file], { input: writing.input }).status;
    writeFileSync(file, "BOOTPROTO='static'\n");
    expect(run(writing.there)).toBe(1);
    expect(run(writing.argv)).toBe(0);
    expect(run(writing.there)).toBe(0);
    appendFileSync(file, "ETHTOOL_OPTIONS_ciliumship9='-K eth1 lro on'\n");
    expect(run(writing.there)).toBe(1);
  });

  test('is what the node lacks', async () => {
    const writings = [VETH, { ...VETH, device: 'eth2' }].flatMap((at) =>
      persistence('udev', at, settings),
    );
    const node = fakeNode((command) => ({ code: command.includes('eth2') ? 1 : 0 }));
    const missing = await unwritten(node, writings, RUN.signal);
    expect(missing.map(({ effect }) => effect)).toEqual([
      'writes /etc/systemd/network/10-ciliumship-eth2.link',
    ]);
  });

  test('is nothing where the driver has nothing', () => {
    expect(persistence('udev', I40E, settingsOf('worker', I40E, NOTHING))).toEqual([]);
  });
});
