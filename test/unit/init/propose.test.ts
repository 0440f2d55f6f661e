import { describe, expect, it } from 'vitest';
import { propose } from '../../../src/init/propose.ts';
import { link, machine } from '../../support/machines.ts';

const management = (last: number) => link('em1', `192.0.2.${last}/24`);

const master = machine('master', [management(1), link('eth0', '10.4.100.1/16')], {
  setup: { role: 'server' },
});
const worker = machine('worker', [management(2), link('eth1', '10.4.100.2/16')]);

function fields(machines: Parameters<typeof propose>[0]) {
  return propose(machines, undefined).nodes.map(
    ({ name, role, dataInterface, dataAddress, profile }) =>
      [name, role, dataInterface, dataAddress, profile].join(' '),
  );
}

describe('the proposal for two nodes', () => {
  it('puts data on the network that does not carry SSH, with a profile for each layout', () => {
    expect(fields([worker, master])).toEqual([
      'master server eth0 10.4.100.1/16 master-layout',
      'worker agent eth1 10.4.100.2/16 worker-layout',
    ]);
  });

  it('needs no profile where all have the same device', () => {
    const alike = machine('worker', [management(2), link('eth0', '10.4.100.2/16')]);
    expect(fields([master, alike])[1]).toBe('worker agent eth0 10.4.100.2/16 ');
  });

  it('takes the network that carries SSH where it is the only one in common', () => {
    const elsewhere = machine('worker', [management(2), link('eth1', '10.9.0.2/16')]);
    expect(fields([master, elsewhere])).toEqual([
      'master server em1 192.0.2.1/24 ',
      'worker agent em1 192.0.2.2/24 ',
    ]);
  });

  it('takes the address that K3s was told before every other', () => {
    const told = machine('master', master.facts.links, {
      setup: { role: 'server', nodeIp: '192.0.2.1' },
    });
    expect(fields([told, worker])[0]).toContain('em1 192.0.2.1/24');
  });

  it('takes native XDP before a driver without it', () => {
    const links = [link('eth0', '10.4.100.1/16'), link('eth2', '10.5.100.1/16')];
    const drivers = new Map([['eth0', 'tg3'], ['eth2', 'ice']]); // prettier-ignore
    const one = machine('master', links, { facts: { drivers }, setup: { role: 'server' } });
    expect(fields([one])[0]).toContain('eth2 10.5.100.1/16');
  });

  it('passes by what has no carrier, what containers made and a bridge that is the same on both', () => {
    const junk = [
      link('eth5', '10.4.100.9/16', { carrier: false }),
      link('cilium_host', '10.4.100.8/16'),
      link('br0', '10.4.100.7/16', { kind: 'bridge' }),
      link('eth6', '169.254.1.1/16'),
    ];
    const full = machine('master', [...junk, ...master.facts.links], { setup: { role: 'server' } });
    expect(fields([full, worker])[0]).toContain('eth0 10.4.100.1/16');
  });

  it('leaves the address of a node open that shares no network', () => {
    const far = machine('worker', [link('eth1', '10.9.0.2/16')]);
    expect(fields([master, far])[1]).toMatch(/^worker agent {2,}$/);
  });

  it('keeps the Kubernetes name of a node that is called otherwise here', () => {
    const other = machine('worker', worker.facts.links, { setup: { nodeName: 'node-7' } });
    expect(propose([master, other], undefined).nodes[1]?.nodeName).toBe('node-7');
  });

  it('takes pods a network that no node uses', () => {
    const taken = machine('worker', [link('eth1', '10.42.0.2/8')]);
    expect(propose([master, worker], undefined).podCidr).toBe('10.42.0.0/16');
    expect(propose([master, taken], undefined).podCidr).toBe('172.20.0.0/16');
    expect(propose([master, worker], '10.99.0.0/16').podCidr).toBe('10.99.0.0/16');
  });
});

describe('roles', () => {
  const fresh = (name: string) => machine(name, [management(3)], { setup: { role: undefined } });

  it('are the first one a server and the rest agents, before K3s is there', () => {
    expect(fields([fresh('a'), fresh('b')]).map((line) => line.split(' ')[1])).toEqual([
      'server',
      'agent',
    ]);
  });

  it('are what was typed, whatever the machine says', () => {
    const typed = machine('worker', worker.facts.links, { role: 'server' });
    expect(fields([typed])[0]).toContain('worker server');
  });

  it('without any server are refused', () => {
    expect(() => propose([worker], undefined)).toThrow('all of worker are agents of K3s');
  });
});

it('refuses machines of two platforms, naming each', () => {
  const arm = machine('worker', worker.facts.links, { setup: { platform: 'linux/arm64' } });
  expect(() => propose([master, arm], undefined)).toThrow(
    'one platform in a run, and these are several: master linux/amd64, worker linux/arm64',
  );
});
