import { describe, expect, it } from 'vitest';
import { nodeNamed, settingsOf } from '../../../lab/settings.ts';

describe('the settings of a lab', () => {
  it('are the well-known ones without a name', () => {
    const { prefix, networks, nodes, folder, tag } = settingsOf();
    expect([prefix, folder, tag]).toEqual(['ciliumship-lab', 'lab', 'vxlan-xdp-dev']);
    expect(networks.data.subnet).toBe('10.111.0.0/16');
    expect(networks.management.subnet).toBe('10.112.0.0/24');
    expect(nodes.map((node) => node.dataAddress)).toEqual(['10.111.100.1', '10.111.100.2']);
  });

  it('follow from the name: nothing is shared with the default lab', () => {
    const [one, two] = [settingsOf(), settingsOf('two')];
    expect(two.prefix).toBe('ciliumship-lab-two');
    expect(two.folder).not.toBe(one.folder);
    expect(two.tag).not.toBe(one.tag);
    for (const kind of ['data', 'management'] as const) {
      expect(two.networks[kind].name).not.toBe(one.networks[kind].name);
      expect(two.networks[kind].subnet).not.toBe(one.networks[kind].subnet);
    }
  });

  it('are the same each time', () => {
    expect(settingsOf('two')).toEqual(settingsOf('two'));
  });

  it('keep every address of a node inside its network', () => {
    for (const name of ['a', 'two', 'three', 'some-long-name-12']) {
      const { networks, nodes } = settingsOf(name);
      const second = Number(networks.data.subnet.split('.')[1]);
      expect(second).toBeGreaterThanOrEqual(113);
      expect(second).toBeLessThanOrEqual(251);
      for (const node of nodes) {
        expect(node.dataAddress).toMatch(new RegExp(`^10\\.${second}\\.`));
        expect(node.managementAddress).toMatch(new RegExp(`^10\\.${second + 1}\\.0\\.`));
      }
    }
  });

  it.each(['', 'Two', '-x', 'a b', 'a_b', '2nd', 'x'.repeat(21)])('refuse the name %j', (name) => {
    expect(() => settingsOf(name)).toThrow(/CILIUMSHIP_LAB is .*\n {2}next: /);
  });
});

it('a node that there is none of is refused with the names there are', () => {
  expect(() => nodeNamed('boss')).toThrow('no node is named boss; there are: master, worker');
});
