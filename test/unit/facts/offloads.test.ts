import { describe, expect, test } from 'vitest';
import { parseChannels, parseFeatures } from '../../../src/facts/offloads.ts';
import { nodeData } from '../../support/node-data.ts';

// No such card is in these machines: the form is the one that ethtool prints for every driver.
const I40E_CHANNELS = `Channel parameters for eth0:
Pre-set maximums:
RX:		n/a
TX:		n/a
Other:		1
Combined:	64
Current hardware settings:
RX:		n/a
TX:		n/a
Other:		1
Combined:	16
`;
const OLD_ETHTOOL_CHANNELS = I40E_CHANNELS.replaceAll('n/a', '0');

describe('ethtool', () => {
  test('says of a veth of the lab what it has switches for', () => {
    const features = parseFeatures(nodeData('ethtool-k-veth.txt'));
    expect(features.get('large-receive-offload')).toEqual({ on: false, fixed: true });
    expect(features.get('generic-receive-offload')?.fixed).toBe(false);
    expect(features.get('tx-checksum-ipv4')).toEqual({ on: false, fixed: true });
  });

  test('says of a veth of the lab how many queues each direction has', () => {
    const { rx, tx, combined } = parseChannels(nodeData('ethtool-l-veth.txt'));
    expect(rx?.most).toBe(2);
    expect(tx?.most).toBe(2);
    expect(combined).toBeUndefined();
  });

  test.each([I40E_CHANNELS, OLD_ETHTOOL_CHANNELS])(
    'says of an i40e its combined queues',
    (text) => {
      expect(parseChannels(text)).toEqual({ combined: { now: 16, most: 64 } });
    },
  );

  test('says nothing of an interface without switches', () => {
    expect(parseChannels('netlink error: Operation not supported\n')).toEqual({});
    expect(parseFeatures('').size).toBe(0);
  });
});
