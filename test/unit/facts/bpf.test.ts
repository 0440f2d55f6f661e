import { describe, expect, test } from 'vitest';
import { parsePins, parseTraffic } from '../../../src/facts/bpf.ts';

const NET =
  '[{"xdp":[{"devname":"eth0","ifindex":10,"mode":"driver","id":162}],"tc":[],"flow_dissector":[]}]';

describe('bpftool', () => {
  test('7.1 that sees no TCX link is believed when there is none', () => {
    const links = '[{"id":89,"type":"xdp","prog_id":161}]';
    expect(parseTraffic(NET, links)).toEqual([]);
  });

  test('7.1 that only numbers a TCX link does not know what it holds', () => {
    const links = '[{"id":89,"type":"xdp","prog_id":97},{"id":90,"type":11,"prog_id":98}]';
    expect(parseTraffic(NET, links)).toBeUndefined();
  });

  test('7.5 names hook, program and link', () => {
    const net = `[{"xdp":[],"tc":[
      {"devname":"eth0","ifindex":2,"kind":"tcx/ingress","name":"cil_from_netdev","prog_id":98,"prog_flags":[],"link_id":103,"link_flags":[]},
      {"devname":"eth0","ifindex":2,"kind":"clsact/egress","name":"cil_to_netdev","id":99}],"flow_dissector":[]}]`;
    const links =
      '[{"id":103,"type":"tcx","prog_id":98,"devname":"eth0","ifindex":2,"attach_type":"tcx_ingress"}]';
    expect(parseTraffic(net, links)).toEqual([
      { device: 'eth0', hook: 'tcx/ingress', program: 'cil_from_netdev', link: 103 },
      { device: 'eth0', hook: 'clsact/egress', program: 'cil_to_netdev', link: undefined },
    ]);
  });

  test('that is missing says nothing', () => {
    expect(parseTraffic('', '')).toBeUndefined();
  });
});

test('pins are those of links below the folder of a device', () => {
  const found = `/sys/fs/bpf/cilium/devices/eth0/links/cil_xdp_entry
/sys/fs/bpf/cilium/devices/bond0-100/links/cil_from_netdev
/sys/fs/bpf/cilium/endpoints/12/links/cil_from_container
`;
  expect(parsePins(found)).toEqual([
    {
      device: 'eth0',
      program: 'cil_xdp_entry',
      path: '/sys/fs/bpf/cilium/devices/eth0/links/cil_xdp_entry',
    },
    {
      device: 'bond0-100',
      program: 'cil_from_netdev',
      path: '/sys/fs/bpf/cilium/devices/bond0-100/links/cil_from_netdev',
    },
  ]);
});
