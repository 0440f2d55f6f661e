import { imagesData, shippedData } from '../../src/commands/shared/report.ts';
import type { ShippedNode } from '../../src/commands/shared/shipped-node.ts';
import type { ShipImage } from '../../src/core/image.ts';
import type { Receipt, ReceiptNode, Stage } from '../../src/output/receipt/schema.ts';
import { digestOf, shipImage, shippedNode } from './values.ts';

/** What a receipt says of a node that a push brought these images to. */
export function receiptNode(
  node: string,
  images: readonly ShipImage[],
  more: Partial<ShippedNode> = {},
): ReceiptNode {
  const [data] = shippedData([shippedNode(node, images, more)], images);
  if (data === undefined) throw new Error('no node');
  return data;
}

const OLD_AGENT = shipImage('cilium', ['base', 'agent']);
const AGENT = shipImage('cilium', ['base', 'new agent']);
const OPERATOR = shipImage('operator-generic', ['base', 'operator']);
const IMAGES = [AGENT, OPERATOR].map(lifeSize);

/** The layer that changed, as it travelled. */
const PATCH = {
  digest: digestOf('new agent'),
  size: 157e6,
  form: 'patch',
  base: digestOf('agent'),
  bytes: 1_990_000,
} as const;

/** The same image with layers as large as those of a real one. */
function lifeSize(image: ShipImage): ShipImage {
  return { ...image, layers: image.layers.map((layer) => ({ ...layer, size: layer.size * 15e6 })) };
}

/** A stage with one step for each node (or one that belongs to none), all over the same time. */
export function stageOf(
  stage: string,
  [start, end]: readonly [number, number],
  nodes: readonly (string | undefined)[] = [undefined],
): Stage {
  const steps = nodes.map((node) => ({
    step: node ?? stage.toLowerCase(),
    title: `${stage.toLowerCase()} ${node ?? ''}`.trim(),
    ...(node === undefined ? {} : { node }),
    state: 'done' as const,
    start,
    end,
    text: `${node ?? stage} came to an end`,
  }));
  return { stage, state: 'done', start, end, steps };
}

/** The receipt of a ship to these nodes: a changed agent, an operator that was there. */
export function shipReceipt(
  names: readonly string[] = ['master', 'worker'],
  more: Partial<Receipt> = {},
): Receipt {
  const configs = { cilium: OLD_AGENT.config.digest, 'operator-generic': OPERATOR.config.digest };
  const had = { layers: 2, bytes: 180e6, configs };
  const rolledOut = 21_800 + names.length * 9000;
  return {
    version: 1,
    ciliumship: '0.1.0',
    command: 'ship',
    config: '/home/ada/ship/ciliumship.yaml',
    started: '2026-11-23T15:02:11.000Z',
    seconds: (rolledOut + 900) / 1000,
    exitCode: 0,
    source: {
      path: '/home/ada/cilium',
      commit: '3f2a91c5d0e84b7f6a1923c4d5e6f708192a3b4c',
      version: '1.19.6',
      changed: ['pkg/version/banner.go'],
    },
    images: imagesData(IMAGES),
    nodes: names.map((name) => receiptNode(name, IMAGES, { had, sentLayers: [PATCH] })),
    deploy: {
      state: 'deployed',
      revision: 8,
      agents: names.map((node, index) => ({
        node,
        pod: `cilium-x${index}k2p`,
        uid: `uid-${index}`,
        image: AGENT.config.digest,
      })),
    },
    checks: names.map((node) => ({
      node,
      check: 'XDP',
      state: 'ok',
      wanted: 'native XDP on eth1',
      found: 'cil_xdp_entry',
    })),
    stages: [
      stageOf('Build', [40, 9640]),
      stageOf('Export', [9700, 12_100]),
      stageOf('Connect', [12_110, 12_400], names),
      stageOf('Lock', [12_410, 12_500], names),
      stageOf('Look', [12_510, 12_980], names),
      stageOf('Compress', [12_990, 13_800]),
      stageOf('Send', [13_810, 16_900], names),
      stageOf('Import', [16_910, 20_200], names),
      stageOf('Helm', [20_300, 21_700]),
      ...names.map((name, index) =>
        stageOf('Roll out', [21_800 + index * 9000, 30_700 + index * 9000], [name]),
      ),
      stageOf('Validate', [rolledOut + 100, rolledOut + 800], names),
    ],
    ...more,
  };
}

/** A ship after which a check failed. */
export function unwantedReceipt(): Receipt {
  const { checks, ...ship } = shipReceipt();
  const failed = {
    state: 'failed',
    found: 'generic (cil_xdp_entry)',
    remedy: 'set nodes.worker.devices to an interface whose driver has native XDP',
  } as const;
  return {
    ...ship,
    checks: checks.map((check, at) => (at === 0 ? check : { ...check, ...failed })),
  };
}

/** A push that brought one node everything and failed on the other. */
export function failedReceipt(message = 'worker: 3.10 GB free, 4.02 GB needed'): Receipt {
  const error = { kind: 'storage', message, hint: 'ciliumship images prune --nodes worker' };
  const sent = { bytes: 0, layers: 0, layerBytes: 0, kept: 0 };
  const configs = { cilium: OLD_AGENT.config.digest };
  const worker = receiptNode('worker', IMAGES, {
    state: 'failed',
    sent,
    proofs: [],
    had: { layers: 1, bytes: 60e6, configs },
  });
  const { deploy: _, ...push } = shipReceipt(['master']);
  const failed = { step: 'worker', title: 'send', node: 'worker', state: 'failed' } as const;
  const times = { start: 13_810, end: 13_910 };
  return {
    ...push,
    command: 'push',
    exitCode: 8,
    seconds: 20.3,
    nodes: [...push.nodes, { ...worker, error: { ...error, details: [] } }],
    checks: [],
    stages: push.stages
      .filter(({ start }) => start < 20_000)
      .map((stage) =>
        stage.stage === 'Send'
          ? {
              ...stage,
              state: 'failed',
              steps: [...stage.steps, { ...failed, ...times, error: { kind: 'storage', message } }],
            }
          : stage,
      ),
    error: { ...error, details: ['the images that it has are untouched'] },
  };
}
