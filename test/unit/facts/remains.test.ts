import { describe, expect, test } from 'vitest';
import { isBelow, parseMounts } from '../../../src/facts/mounts.ts';
import { parseNetfilter, parseWays } from '../../../src/facts/netfilter.ts';

const MOUNTINFO = `558 516 0:158 / / rw,relatime shared:270 master:185 - overlay overlay rw,lowerdir=/a:/b
600 558 8:1 /data /var/lib/rancher/k3s/storage\\040of\\134mine rw shared:3 - ext4 /dev/sda1 rw
601 558 8:2 / /var/lib/rancher rw - ext4 /dev/sdb1 rw`;

describe('mounts', () => {
  test('come with what is mounted, the deepest first, and blanks as they are', () => {
    const mounts = parseMounts(MOUNTINFO);
    expect(mounts[0]).toEqual({
      target: '/var/lib/rancher/k3s/storage of\\mine',
      root: '/data',
      type: 'ext4',
      source: '/dev/sda1',
    });
    expect(mounts.map(({ target }) => target)).toContain('/');
  });

  test('are below a path by whole names only', () => {
    expect(isBelow('/var/lib/rancher/k3s', '/var/lib/rancher/k3s')).toBe(true);
    expect(isBelow('/var/lib/rancher/k3s-other', '/var/lib/rancher/k3s')).toBe(false);
    expect(isBelow('/var/lib/rancher', '/var/lib/rancher/k3s')).toBe(false);
  });
});

describe('rules of netfilter', () => {
  test.each([
    [':KUBE-SERVICES - [0:0]', 1],
    ['-A POSTROUTING -m comment --comment "CNI portmap" -j CNI-HOSTPORT-MASQ', 1],
    ['-A INPUT -m comment --comment "cilium-feeder: CILIUM_INPUT" -j CILIUM_INPUT', 1],
    ['-A POSTROUTING -s 10.42.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE', 1],
    ['-A INPUT -p tcp -m comment --comment "my KUBE- box" -j ACCEPT', 0],
    [':DOCKER-USER - [0:0]', 0],
    ['-A FORWARD -j DOCKER', 0],
    ['COMMIT', 0],
  ])('%s counts %i', (line, count) => {
    expect(parseNetfilter(`*filter\n${line}\n`)).toBe(count);
  });
});

describe('ways', () => {
  const rules = JSON.stringify([
    { priority: 9, src: 'all', fwmark: '0x200', fwmask: '0xf00', table: '2004' },
    { priority: 100, src: 'all', table: 'local' },
    { priority: 32766, src: 'all', table: 'main' },
  ]);

  test('of Cilium are its rules, its tables and the rule that it moved', () => {
    const ways = parseWays('-4', rules, ['[{"dst":"default"}]', '[]']);
    expect(ways).toEqual([
      { family: '-4', what: 'rule', priority: 9, table: '2004' },
      { family: '-4', what: 'table', table: '2004' },
      { family: '-4', what: 'local' },
    ]);
  });

  test('of a node without Cilium are none, also where nothing was printed', () => {
    const plain = JSON.stringify([
      { priority: 0, table: 'local' },
      { priority: 200, table: '7' },
    ]);
    expect(parseWays('-4', plain, ['', ''])).toEqual([]);
    expect(parseWays('-6', '', ['', ''])).toEqual([]);
  });
});
