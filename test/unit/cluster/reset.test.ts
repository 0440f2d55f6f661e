import { describe, expect, test } from 'vitest';
import { actionsFor, removeStep } from '../../../src/cluster/reset/step.ts';
import { cniRefusal, refusal } from '../../../src/cluster/reset/guard.ts';
import { goes } from '../../../src/cluster/reset/interfaces.ts';
import { RESET, UNINSTALL } from '../../../src/cluster/reset/phases.ts';
import { quoteArgv } from '../../../src/core/quote.ts';
import { tracesOf } from '../../../src/facts/leftovers.ts';
import { parseLinks } from '../../../src/facts/links.ts';
import type { Remains } from '../../../src/facts/remains.ts';
import { fakeNode } from '../../support/fake-node.ts';
import { nodeData } from '../../support/node-data.ts';
import { bareRemains, madeLink } from '../../support/remains.ts';

const PIN = {
  device: 'eth1',
  program: 'cil_xdp_entry',
  path: '/sys/fs/bpf/cilium/devices/eth1/links/cil_xdp_entry',
};
const bind = (target: string) => ({ target, root: '/mine', type: 'ext4', source: '/dev/sda1' });

/** A node with everything of K3s and Cilium. */
const FULL = bareRemains({
  units: new Map([['k3s-agent', 'active']]),
  survivors: [{ pid: '7', command: '/usr/bin/cilium-agent --config-dir=/tmp' }],
  mounts: [bind('/run/k3s/containerd/rootfs'), bind('/var/lib/kubelet/pods/1/volumes/token')],
  namespaces: ['/run/netns/cni-1'],
  links: [...bareRemains().links, madeLink('cilium_host'), madeLink('lxc00aa11bb22cc')],
  pins: [PIN],
  paths: new Set([
    '/usr/local/bin/k3s-agent-uninstall.sh',
    '/var/lib/rancher/k3s',
    '/run/cilium',
    '/sys/fs/bpf/cilium',
  ]),
  cniFiles: ['05-cilium.conflist', '10-mine.conflist', '87-podman.conflist.cilium_bak'],
  rules: new Map([['iptables', 8]]),
});

const commands = (remains: Remains, phases = RESET): readonly string[] =>
  actionsFor(phases, remains).map(({ argv }) => quoteArgv(argv));
const indexOf = (all: readonly string[], part: string): number =>
  all.findIndex((line) => line.includes(part));

describe('a reset', () => {
  test('goes in the order in which nothing comes back and nobody is cut off', () => {
    const all = commands(FULL);
    const order = [
      'systemctl stop k3s-agent',
      'for signal in TERM KILL',
      'umount --',
      `bpftool link detach pinned ${PIN.path}`,
      `rm -f -- ${PIN.path}`,
      'ip link delete dev cilium_host',
      '/usr/local/bin/k3s-agent-uninstall.sh',
      '/var/lib/rancher/k3s',
      '/etc/cni/net.d/05-cilium.conflist',
      'iptables',
    ];
    const places = order.map((part) => indexOf(all, part));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  test('never asks for a program by an id when a pin names it', () => {
    expect(commands(FULL).join('\n')).not.toContain('detach id');
  });

  test('removes the pin alone where there is no bpftool', () => {
    const all = commands({ ...FULL, bpftool: false, traffic: undefined });
    expect(all).toContain(`rm -f -- ${PIN.path}`);
    expect(all.join('\n')).not.toContain('bpftool');
  });

  test('takes programs without a pin off by what was read a moment ago', () => {
    const traffic = [
      { device: 'eth1', hook: 'tcx/ingress', program: 'cil_from_netdev', link: 7 },
      { device: 'eth1', hook: 'clsact/egress', program: 'cil_to_netdev', link: undefined },
      { device: 'eth1', hook: 'tcx/ingress', program: 'someone_else', link: 8 },
    ];
    expect(commands(bareRemains({ traffic }))).toEqual([
      'bpftool link detach id 7',
      'tc filter del dev eth1 egress protocol all pref 1 handle 1 bpf',
    ]);
  });

  test('leaves the files of other CNIs, and gives those their name back that Cilium put aside', () => {
    const all = commands(FULL).filter((line) => line.includes('/etc/cni/net.d/'));
    expect(all).toEqual([
      'rm -f -- /etc/cni/net.d/05-cilium.conflist',
      'mv -f -- /etc/cni/net.d/87-podman.conflist.cilium_bak /etc/cni/net.d/87-podman.conflist',
    ]);
  });

  // As ip and Antrea 2 write it: its images cannot be had here.
  describe('of Antrea', () => {
    const links = parseLinks(nodeData('ip-addr-antrea.txt'));
    const cniFiles = ['10-antrea.conflist'];
    const taken = (all: Remains['links']): readonly string[] =>
      commands(bareRemains({ links: all, cniFiles })).filter((line) => /ovs|ip link/.test(line));

    test('takes its datapath away, which ip refuses', () => {
      expect(taken(links)).toEqual([
        'ovs-dpctl del-dp ovs-system',
        'ip link delete dev genev_sys_6081',
      ]);
    });

    test('leaves a datapath that has ports of others', () => {
      const vm = { ...madeLink('vnet-br'), kind: 'openvswitch' };
      expect(taken([...links, vm])).toEqual([
        'ovs-dpctl del-if ovs-system antrea-gw0',
        'ip link delete dev genev_sys_6081',
      ]);
      expect(taken([...bareRemains().links, vm])).toEqual([]);
    });

    test('is named as what is there', () => {
      expect(tracesOf(links, cniFiles, []).map(({ cni, what }) => `${cni}: ${what}`)).toEqual([
        'antrea: genev_sys_6081',
        'antrea: antrea-gw0',
        'antrea: /etc/cni/net.d/10-antrea.conflist',
      ]);
    });
  });

  test('finds nothing to do on a bare machine', () => {
    expect(commands(bareRemains())).toEqual([]);
  });

  test('of K3s alone leaves what is of CNIs', () => {
    const all = commands(FULL, UNINSTALL).join('\n');
    expect(all).not.toMatch(/cilium_host|bpftool|net\.d|iptables/);
    expect(all).toContain('/var/lib/rancher/k3s');
  });

  test.each([
    ['cilium_vxlan', true],
    ['lxc_health', true],
    ['flannel.1', true],
    ['cni0', true],
    ['antrea-gw0', true],
    ['lxcbr0', false],
    ['docker0', false],
    ['eth1', false],
    ['br-cilium', false],
  ])('takes %s for an interface of a CNI: %s', (name, made) => {
    expect(goes(name)).toBe(made);
  });
});

describe('a guard', () => {
  test.each([
    '/var/lib/rancher/k3s/storage/mine',
    '/var/lib/rancher/k3s',
    '/var/lib/kubelet',
    '/etc/rancher/k3s',
    '/var/lib/cni/x',
  ])('D22: refuses a node with a mount at %s', (target) => {
    const no = refusal(bareRemains({ mounts: [bind(target)] }));
    expect(no?.kind).toBe('usage');
    expect(no?.message).toContain(target);
    expect(no?.details).toEqual([`${target}: /dev/sda1 (/mine)`]);
  });

  test('D22: is content with a disk that K3s’s folder lies on, and with mounts of pods', () => {
    const mounts = ['/var/lib/rancher', '/var/lib/kubelet/pods/1/volumes/x', '/run/k3s/a'];
    expect(refusal(bareRemains({ mounts: mounts.map(bind) }))).toBeUndefined();
  });

  test('D22: follows no link to another folder', () => {
    const paths = new Set(['/var/lib/rancher/k3s']);
    const no = refusal(bareRemains({ paths, linked: ['/var/lib/rancher'] }));
    expect(no?.message).toContain('/var/lib/rancher is a link');
    expect(refusal(bareRemains({ linked: ['/opt/cni/bin'] }))).toBeUndefined();
  });

  test.each([
    ['carries our own SSH session', 'eth1'],
    ['is not known', undefined],
  ])('D21: leaves programs alone on an interface that %s', (said, sshInterface) => {
    expect(refusal({ ...FULL, sshInterface })?.message).toContain(said);
  });

  test('D21: does not mind which interface it is when none is touched', () => {
    expect(refusal(bareRemains({ sshInterface: undefined }))).toBeUndefined();
  });

  test('keeps K3s’s own uninstall from a node with a CNI', () => {
    expect(cniRefusal(FULL)?.hint).toContain('ciliumship reset --nodes worker');
    expect(cniRefusal(bareRemains({ cniFiles: ['10-mine.conflist'] }))).toBeUndefined();
  });
});

/** A node that prints what it has, and has less of it after what is done to it. */
function resettingNode(options: { readonly stubborn?: boolean; readonly cutAt?: string } = {}) {
  const paths = new Set(['/usr/local/bin/k3s', '/var/lib/rancher/k3s']);
  let files = ['05-cilium.conflist'];
  return fakeNode((command) => {
    if (options.cutAt !== undefined && command.includes(options.cutAt)) return new Error('lost');
    if (command.startsWith('ip -j -d addr')) return '[]';
    if (command.startsWith('sh -c for path; do [ ! -e')) return [...paths].join('\n');
    if (command.startsWith('ls -1 /etc/cni/net.d')) return files.join('\n');
    if (command.includes('rm -rf') && options.stubborn !== true) {
      for (const path of paths) if (command.includes(` ${path}`)) paths.delete(path);
    }
    if (command.startsWith('rm -f -- /etc/cni/net.d/')) files = [];
    if (command.startsWith('bpftool')) return { code: 127 };
    return undefined;
  });
}

const RUN = { signal: new AbortController().signal, progress: () => undefined };
const changes = (asked: readonly string[]): readonly string[] =>
  asked.filter((line) => /rm -|umount|delete|detach|stop/.test(line) && !line.includes('find '));

describe('on a node', () => {
  test('everything goes, and a second run has nothing to do', async () => {
    const node = resettingNode();
    const step = removeStep(node, RESET, bareRemains(), 'reset worker');
    const first = await step.run(RUN);
    expect(first.done).toHaveLength(2);
    node.asked.length = 0;
    expect((await step.run(RUN)).done).toEqual([]);
    expect(changes(node.asked)).toEqual([]);
  });

  test('F48: what was cut off in the middle is taken up', async () => {
    const cut = resettingNode({ cutAt: '05-cilium.conflist' });
    const step = removeStep(cut, RESET, bareRemains(), 'reset worker');
    await expect(step.run(RUN)).rejects.toThrow('lost');
    expect(cut.asked.some((line) => line.includes('rm -rf --one-file-system'))).toBe(true);
  });

  test('what does not go is named, and nothing after it is done', async () => {
    const node = resettingNode({ stubborn: true });
    const step = removeStep(node, RESET, bareRemains(), 'reset worker');
    await expect(step.run(RUN)).rejects.toMatchObject({ kind: 'storage', message: /files of K3s/ });
    expect(node.asked.join('\n')).not.toContain('rm -f -- /etc/cni/net.d');
  });

  test('D22: a mount that came since stops it at the command that would follow it', async () => {
    const node = fakeNode((command) => {
      if (command.startsWith('ip -j')) return '[]';
      if (command.startsWith('sh -c for path; do [ ! -e')) return '/var/lib/rancher/k3s';
      if (command.includes('rm -rf'))
        return { code: 64, stderr: 'mounted: /var/lib/rancher/k3s/x' };
      return undefined;
    });
    const step = removeStep(node, RESET, bareRemains(), 'reset worker');
    await expect(step.run(RUN)).rejects.toMatchObject({
      kind: 'usage',
      details: ['mounted: /var/lib/rancher/k3s/x'],
    });
  });
});
