import {
  assert,
  boolean,
  constantFrom,
  double,
  integer,
  property,
  record,
  subarray,
  tuple,
  uniqueArray,
} from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blobsOf, type Blob, type ShipImage } from '../../../src/core/image.ts';
import { isPatch } from '../../../src/core/wire.ts';
import { wireName } from '../../../src/facts/node-paths.ts';
import type { NodeStore } from '../../../src/facts/node-store.ts';
import {
  planNode,
  type NodePlan,
  type Planning,
  type SendBlob,
} from '../../../src/transfer/plan.ts';
import { digestOf, EMPTY_NODE, nodeWith, PLANNING, shipImage } from '../../support/values.ts';

const AGENT = shipImage('cilium', ['base', 'agent']);
const OPERATOR = shipImage('operator-generic', ['base', 'operator']);

function plan(images: readonly ShipImage[], store: NodeStore): NodePlan {
  return planNode('worker', images, store, PLANNING);
}

/** `layer zstd 4` for each blob to send. */
function sending({ send }: NodePlan): readonly string[] {
  return send.map(
    ({ blob, form }) => `${blob.kind} ${isPatch(form) ? 'patch' : form} ${blob.size}`,
  );
}

describe('the plan for a node', () => {
  test('is empty when every image is proved there', () => {
    const made = plan([AGENT, OPERATOR], nodeWith([AGENT, OPERATOR]));
    expect(made).toEqual({ node: 'worker', images: [], send: [], present: [] });
  });

  test('sends everything to an empty node, a shared layer once', () => {
    const made = plan([AGENT, OPERATOR], EMPTY_NODE);
    expect(made.images).toEqual([AGENT, OPERATOR]);
    expect(made.send.map(({ blob }) => blob)).toEqual([
      ...blobsOf(AGENT),
      ...blobsOf(OPERATOR).slice(1),
    ]);
  });

  test('sends only the layers that the node lacks', () => {
    const made = plan([AGENT], nodeWith([shipImage('cilium', ['base', 'agent of yesterday'])]));
    expect(sending(made)[0]).toBe('layer zstd 5');
    expect(made.send).toHaveLength(3);
    expect(made.present).toEqual([AGENT.layers[0]]);
  });

  test('always sends config and manifest of an image that is not proved', () => {
    const content = new Set(blobsOf(AGENT).map(({ digest }) => digest));
    const made = plan([AGENT], { ...EMPTY_NODE, content });
    expect(made.send.map(({ blob, form }) => [blob.kind, form])).toEqual([
      ['config', 'plain'],
      ['manifest', 'plain'],
    ]);
  });

  test('takes no notice of an image that is there already beside a new one', () => {
    const made = plan([AGENT, OPERATOR], nodeWith([AGENT]));
    expect(made.images).toEqual([OPERATOR]);
    expect(made.present).toEqual([OPERATOR.layers[0]]);
  });

  test('has every blob of every open image exactly once, sent or present', () => {
    const words = constantFrom('base', 'libs', 'agent', 'operator', 'relay');
    const layers = uniqueArray(words, { minLength: 1 });
    const scene = record({ one: layers, two: layers, kept: subarray(['base', 'libs', 'agent']) });
    assert(
      property(scene, boolean(), ({ one, two, kept }, proved) => {
        const images = [shipImage('cilium', one), shipImage('operator-generic', two)];
        const store = proved ? nodeWith(images.slice(0, 1)) : EMPTY_NODE;
        const content = new Set([
          ...store.content,
          ...shipImage('any', kept).layers.map(({ digest }) => digest),
        ]);
        const { send, present } = plan(images, { ...store, content });
        const planned = [...send.map(({ blob }) => blob), ...present].map(({ digest }) => digest);
        const wanted = images.slice(proved ? 1 : 0).flatMap(blobsOf);
        expect(planned).toHaveLength(new Set(planned).size);
        expect(new Set(planned)).toEqual(new Set(wanted.map(({ digest }) => digest)));
        expect(present.every(({ digest }) => content.has(digest))).toBe(true);
      }),
    );
  });
});

describe('layers travel', () => {
  test('as gzip to a node without zstd', () => {
    expect(sending(plan([AGENT], { ...EMPTY_NODE, zstd: false }))[0]).toBe('layer gzip 4');
  });

  test('as gzip when the config says so', () => {
    expect(
      sending(planNode('worker', [AGENT], EMPTY_NODE, { ...PLANNING, compression: 'gzip' }))[0],
    ).toBe('layer gzip 4');
  });

  const insisting: Planning = { ...PLANNING, compression: 'zstd' };

  test('not at all when the config insists on a zstd that the node lacks', () => {
    const planning = (): NodePlan =>
      planNode('worker', [AGENT], { ...EMPTY_NODE, zstd: false }, insisting);
    expect(planning).toThrowError(expect.objectContaining({ kind: 'config' }));
    expect(planning).toThrow('worker: transfer.compression is zstd, but zstd is not installed');
  });

  test('and without a layer to send nobody asks for that zstd', () => {
    const content = new Set(AGENT.layers.map(({ digest }) => digest));
    const made = planNode('worker', [AGENT], { ...EMPTY_NODE, zstd: false, content }, insisting);
    expect(made.send.map(({ form }) => form)).toEqual(['plain', 'plain']);
  });
});

describe('a layer whose earlier version the node has', () => {
  const layer = (text: string, size: number): Blob => ({
    kind: 'layer',
    digest: digestOf(text),
    size,
  });
  const large = layer('agent', 157_000_000);
  const image = { ...AGENT, layers: [...AGENT.layers.slice(0, 1), large] };
  const older = layer('agent of last week', 156_000_000);
  const old = layer('agent of yesterday', 158_000_000);
  const content = new Set([older, old, ...AGENT.layers.slice(0, 1)].map(({ digest }) => digest));
  const node = { ...EMPTY_NODE, content };
  const patching: Planning = {
    ...PLANNING,
    patch: 'always',
    earlier: new Map([[large.digest, [old, older]]]),
  };

  /** How the layer travels, with what is different from a plan of patches. */
  function travels(more: Partial<Planning>, store: NodeStore = node): SendBlob | undefined {
    const { send } = planNode('worker', [image], store, { ...patching, ...more });
    return send.find(({ blob: { digest } }) => digest === large.digest);
  }

  test('travels as a patch of the newest that is there', () => {
    expect(travels({})?.form).toEqual({ base: old });
    const behind = new Set([...content].filter((digest) => digest !== old.digest));
    expect(travels({}, { ...node, content: behind })?.form).toEqual({ base: older });
  });

  test('keeps the whole layer at hand as the way to fall back to', () => {
    expect(travels({})?.whole.form).toBe('zstd');
    expect(travels({ compression: 'gzip' })?.whole.form).toBe('gzip');
  });

  test.each([
    ['a home uplink', 2.5e6, 'patch'],
    ['100 Mbit/s', 12.5e6, 'patch'],
    ['1 Gbit/s', 125e6, 'zstd'],
    ['a link that nobody could measure', undefined, 'patch'],
  ])('travels over %s as what is there first', (_, rate, form) => {
    const send = travels({ patch: 'auto', rate });
    expect(send !== undefined && isPatch(send.form) ? 'patch' : send?.form).toBe(form);
    expect(send?.sentWhole).toBeUndefined();
  });

  test.each([
    ['a patch of it lies ready', [[old, 1_000_000]] as const, 100e6, 'patch'],
    ['its compressed form does', [['zstd', 42_000_000]] as const, 30e6, 'zstd'],
    ['its patch turned out large', [[old, 45_000_000]] as const, 2.5e6, 'zstd'],
  ])('is chosen by what is known when %s', (_, ready, rate, form) => {
    const made = new Map(
      ready.map(([way, bytes]) => [
        wireName(large.digest, typeof way === 'string' ? way : { base: way }),
        bytes,
      ]),
    );
    const send = travels({ patch: 'auto', rate, made });
    expect(send !== undefined && isPatch(send.form) ? 'patch' : send?.form).toBe(form);
  });

  test.each<[string, Partial<Planning>, Partial<NodeStore>]>([
    ['never is asked for', { patch: 'never' }, {}],
    ['the store lost every base', { earlier: new Map() }, {}],
    ['the node lost every base', {}, { content: new Set() }],
  ])('travels whole when %s, and that needs no reason', (_, more, lacking) => {
    const send = travels(more, { ...node, ...lacking });
    expect(send?.form).toBe('zstd');
    expect(send?.sentWhole).toBeUndefined();
  });

  test.each<[string, Partial<Planning>, Partial<NodeStore>]>([
    ['no zstd 1.4.5 or newer on this machine', { canPatch: false }, {}],
    ['no zstd 1.4.5 or newer on the node', {}, { patches: false }],
    ['400 MB of memory free on the node, 449 MB needed', {}, { memory: 400e6 }],
  ])('D14: travels whole and says why: %s', (why, more, lacking) => {
    for (const patch of ['always', 'auto'] as const) {
      const send = travels({ ...more, patch, rate: 2.5e6 }, { ...node, ...lacking });
      expect(send).toMatchObject({ form: 'zstd', sentWhole: why });
    }
  });

  test('D14: travels whole when it is too large for zstd to patch', () => {
    const huge = { ...old, size: 1.2e9 };
    const earlier = new Map([[large.digest, [huge]]]);
    expect(travels({ earlier })?.sentWhole).toBe('the layer is larger than 1 GiB');
  });

  test('is never expected to take longer than the other way would', () => {
    const rates = double({ min: 1e4, max: 1e10, noNaN: true });
    assert(
      property(rates, integer({ min: 1, max: 1e9 }), (rate, size) => {
        const images = [{ ...image, layers: [{ ...large, size }] }];
        const [seconds = 0, ...others] = (['auto', 'always', 'never'] as const).map((patch) => {
          const { send } = planNode('worker', images, node, { ...patching, patch, rate });
          return send[0]?.expected.seconds;
        });
        expect(seconds).toBe(Math.min(...others.map((other) => other ?? 0)));
      }),
    );
  });

  test('costs fewer seconds the faster the link is', () => {
    const rates = tuple(integer({ min: 1e4, max: 1e9 }), integer({ min: 1e4, max: 1e9 }));
    assert(
      property(rates, (both) => {
        const [slow = 0, fast = 0] = both.toSorted((a, b) => a - b);
        const at = (rate: number): number =>
          travels({ patch: 'auto', rate })?.expected.seconds ?? 0;
        expect(at(fast)).toBeLessThanOrEqual(at(slow));
      }),
    );
  });
});

describe('a node of another platform', () => {
  test('is refused before anything is sent, even when all of it is there', () => {
    for (const store of [EMPTY_NODE, nodeWith([AGENT])]) {
      const planning = (): NodePlan => plan([AGENT], { ...store, platform: 'linux/arm64' });
      expect(planning).toThrowError(expect.objectContaining({ kind: 'config' }));
      expect(planning).toThrow(`worker is linux/arm64, ${AGENT.name} is linux/amd64`);
    }
  });

  test('is refused for one image of several', () => {
    const arm = { ...OPERATOR, platform: 'linux/arm64' as const };
    expect(() => plan([AGENT, arm], EMPTY_NODE)).toThrow(`${OPERATOR.name} is linux/arm64`);
  });

  test('is not supposed where nobody knows the platform', () => {
    expect(plan([AGENT], { ...EMPTY_NODE, platform: undefined }).images).toEqual([AGENT]);
  });
});

describe('a node without room', () => {
  const large = { ...AGENT, layers: AGENT.layers.map((layer) => ({ ...layer, size: 500e6 })) };

  test('is refused before anything is sent, with the free and the needed space', () => {
    const planning = (): NodePlan => plan([large], { ...EMPTY_NODE, free: 1.5e9 });
    expect(planning).toThrowError(expect.objectContaining({ kind: 'storage' }));
    expect(planning).toThrow(/^worker: 1\.50 GB free .* 4\.27 GB needed for 4 blobs$/);
  });

  test('is good enough when nothing is to be sent', () => {
    expect(plan([large], { ...nodeWith([large]), free: 0 }).send).toEqual([]);
  });
});
