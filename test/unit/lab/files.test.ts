import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configText, valuesText } from '../../../lab/files.ts';
import { NODES } from '../../../lab/settings.ts';

interface Config {
  readonly tag: string;
  readonly nodes: Readonly<Record<string, { readonly dataAddress: string; readonly role: string }>>;
  readonly extraImages: readonly string[];
}

describe('the config for ciliumship', () => {
  const config = parse(configText(['quay.io/cilium/hubble-ui:lab'])) as Config;

  it('has the nodes at the addresses of the lab', () => {
    const [master, worker] = NODES;
    expect(config.nodes['master']).toMatchObject({
      role: 'server',
      dataAddress: `${master?.dataAddress}/16`,
    });
    expect(config.nodes['worker']).toMatchObject({
      role: 'agent',
      dataAddress: `${worker?.dataAddress}/16`,
    });
  });

  it('ships the stand-ins beside what is built', () => {
    expect(config.extraImages).toEqual(['quay.io/cilium/hubble-ui:lab']);
  });
});

describe('the values', () => {
  const patched = parse(valuesText(false)) as Record<string, unknown>;
  const stock = parse(valuesText(true)) as Record<string, unknown>;

  it('turn the patch on', () => {
    expect(patched['vxlanAcceleration']).toMatchObject({ enabled: true });
  });

  it('are the same without the patch but for its key', () => {
    const { vxlanAcceleration: _, ...rest } = patched;
    expect(stock).toEqual(rest);
  });

  it('name the API server by its address on the data network', () => {
    expect(patched['k8sServiceHost']).toBe(NODES[0]?.dataAddress);
  });
});
