import { describe, expect, test } from 'vitest';
import { mendStep, type Look } from '../../../src/doctor/mend.ts';
import { examine } from '../../../src/doctor/examine.ts';
import { problemOf } from '../../../src/doctor/find.ts';
import type { NodeView } from '../../../src/doctor/view.ts';
import { fakeNode, type FakeNode } from '../../support/fake-node.ts';
import { machineFacts } from '../../support/machine-facts.ts';
import { nodeView, view } from '../../support/views.ts';

const RUN = { signal: new AbortController().signal, progress: () => undefined };
const FROM = { device: 'eth1', hook: 'tcx/ingress', program: 'cil_from_netdev' };
const TO = { device: 'eth1', hook: 'tcx/egress', program: 'cil_to_netdev' };
const ORPHANS = { agentRuns: false, traffic: [{ ...FROM, link: 103 }] };

/** Mends a problem of a node that is, look by look, as given; the last look stays. */
function mending(
  id: string,
  looks: readonly Partial<NodeView>[],
  remote: FakeNode,
  confirmed: readonly string[] = ['worker'],
) {
  let count = 0;
  const look = async (): Promise<Look> => {
    const health = nodeView(looks[Math.min(count, looks.length - 1)]);
    count += 1;
    const [finding] = examine(view({ nodes: [health] }), [problemOf(id)]);
    if (finding === undefined) throw new Error('nothing was looked for');
    return { finding, health };
  };
  return async () => {
    const { finding } = await look();
    count = 0;
    return mendStep({ finding, remote, confirmed, look }).run(RUN);
  };
}

describe('a fix', () => {
  test('acts, looks again, and is content when the problem is gone', async () => {
    const node = fakeNode();
    const finding = await mending('E2', [ORPHANS, { traffic: [] }], node)();
    expect(node.asked).toEqual(['sudo bpftool link detach id 103']);
    expect(finding.state).toBe('ok');
  });

  test('F46: takes the id that the link has now, not the one that was listed before', async () => {
    const node = fakeNode();
    const now = { agentRuns: false, traffic: [{ ...FROM, link: 200 }] };
    const remedy = mending('E2', [now, { traffic: [] }], node);
    await remedy();
    expect(node.asked).toEqual(['sudo bpftool link detach id 200']);
  });

  test('F46: whose link went between look and act looks again, and acts on the one that is there', async () => {
    const gone = { code: 254, stderr: 'Error: failed to get link with ID 103' };
    const node = fakeNode((asked) => (asked.endsWith('103') ? gone : undefined));
    const now = { agentRuns: false, traffic: [{ ...FROM, link: 200 }] };
    await mending('E2', [ORPHANS, now, { traffic: [] }], node)();
    expect(node.asked.at(-1)).toBe('sudo bpftool link detach id 200');
  });

  test('F46: that a node refuses says so once it is seen that nothing has changed', async () => {
    const node = fakeNode(() => ({ code: 1, stderr: 'Operation not permitted' }));
    await expect(mending('E2', [ORPHANS], node)()).rejects.toMatchObject({
      kind: 'storage',
      message: expect.stringContaining('link detach id 103') as unknown,
    });
    expect(node.asked).toEqual(['sudo bpftool link detach id 103']);
  });

  test('F46: that nothing is left for acts on nothing', async () => {
    const node = fakeNode();
    await mending('E2', [{ traffic: [] }], node)();
    expect(node.asked).toEqual([]);
  });

  test('F45: that was cut off in the middle does the rest when it is run again', async () => {
    const both = {
      agentRuns: false,
      traffic: [
        { ...FROM, link: 103 },
        { ...TO, link: 104 },
      ],
    };
    const rest = { agentRuns: false, traffic: [{ ...TO, link: 104 }] };
    const cut = fakeNode((asked) => (asked.endsWith('104') ? new Error('lost') : undefined));
    await expect(mending('E2', [both], cut)()).rejects.toThrow('lost');
    const again = fakeNode();
    await mending('E2', [rest, { traffic: [] }], again)();
    expect(again.asked).toEqual(['sudo bpftool link detach id 104']);
  });

  test('of a node that nobody can look at any more is a failure', async () => {
    const silent = { agentRuns: false, traffic: undefined };
    const remedy = mending('E2', [ORPHANS, silent], fakeNode());
    await expect(remedy()).rejects.toMatchObject({ kind: 'drift' });
  });
});

describe('a guard', () => {
  test('D20: keeps what takes something away for nodes that are confirmed', async () => {
    const node = fakeNode();
    const remedy = mending('E2', [ORPHANS], node, ['master']);
    await expect(remedy()).rejects.toMatchObject({
      kind: 'usage',
      hint: expect.stringContaining('--confirm worker') as unknown,
    });
    expect(node.asked).toEqual([]);
  });

  test.each([
    ['carries our own SSH session', 'eth1'],
    ['is not known', undefined],
  ])('D21, F47: leaves an interface alone that %s', async (said, sshInterface) => {
    const node = fakeNode();
    const machine = machineFacts({ sshInterface });
    const remedy = mending('E2', [{ ...ORPHANS, machine }], node);
    await expect(remedy()).rejects.toThrow(said);
    expect(node.asked).toEqual([]);
  });

  test('D21: never pulls programs from under an agent that has started meanwhile', async () => {
    const node = fakeNode();
    const twins = [
      { ...FROM, link: 103 },
      { ...FROM, link: 155 },
    ];
    const remedy = mending('N5', [{ agentRuns: true, traffic: twins }], node);
    await expect(remedy()).rejects.toThrow('an agent runs');
    expect(node.asked).toEqual([]);
  });

  test('E14: keeps a file of a CNI that is not known until its node is confirmed', async () => {
    const node = fakeNode();
    const multus = { cniFiles: ['00-multus.conf', '05-cilium.conflist'] };
    await expect(mending('E14', [multus], node, [])()).rejects.toMatchObject({
      hint: expect.stringContaining('--fix E14 --confirm worker') as unknown,
    });
    expect(node.asked).toEqual([]);
    const flannel = { cniFiles: ['05-cilium.conflist', '10-flannel.conflist'] };
    await mending('E14', [flannel, {}], node, [])();
    expect(node.asked).toHaveLength(2);
  });

  test('D22: files are moved aside within fixed folders, whatever they are called', async () => {
    const node = fakeNode();
    const name = '$(touch x); rm -rf *.conflist';
    await mending('E14', [{ cniFiles: ['05-cilium.conflist', name] }, {}], node)();
    expect(node.asked).toEqual([
      'sudo mkdir -p /var/lib/cni/ciliumship-removed',
      `sudo mv -f -- /etc/cni/net.d/${name} /var/lib/cni/ciliumship-removed/${name}`,
    ]);
  });
});
