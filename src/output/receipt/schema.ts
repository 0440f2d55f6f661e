import { z } from 'zod';

/**
 * Version of this form; it grows when a field goes away or changes what it means. A field that comes
 * later is optional, so that older receipts can still be read.
 */
export const RECEIPT_VERSION = 1;

const digest = z.templateLiteral(['sha256:', z.string().regex(/^[0-9a-f]{64}$/)]);
const count = z.int().min(0);
const bytes = count.describe('bytes');
const moment = z.number().min(0).describe('milliseconds since the start of the run');
const layers = z.strictObject({ layers: count, bytes });

const error = z.strictObject({
  kind: z.string().describe('class of the failure: docs/exit-codes.md'),
  message: z.string(),
  hint: z.string().optional().describe('what to do next'),
  details: z.array(z.string()),
});

const source = z
  .strictObject({
    path: z.string(),
    commit: z.string().describe('40 hex digits'),
    version: z.string().describe('first line of VERSION'),
    changed: z.array(z.string()).describe('files that were not committed'),
  })
  .describe('the tree that the images were built from; absent when nothing was built');

const image = z.strictObject({
  key: z.string(),
  name: z.string().describe('REPO:TAG'),
  digestName: z.string().describe('REPO:TAG-<12 hex of the config digest>'),
  config: digest.describe('config digest: what identifies the image on every side'),
  manifest: digest,
  size: bytes
    .optional()
    .describe('bytes of its layers, uncompressed; absent where only its digests were known'),
});

const proof = z
  .strictObject({
    key: z.string(),
    name: z.string(),
    digestName: z.string(),
    manifest: digest,
    config: digest,
    complete: z.boolean().describe('every blob is in the content store of the node'),
    unpacked: z.boolean(),
    pinned: z.enum(['pinned', 'unpinned', 'pin not honoured by containerd 1.6']),
    cri: z.boolean().describe('the CRI lists it under its config digest'),
  })
  .describe('what the node says about an image after the run');

const sentLayer = z.strictObject({
  digest,
  size: bytes.describe('bytes of the layer, uncompressed'),
  form: z.enum(['zstd', 'gzip', 'plain', 'patch']),
  base: digest.optional().describe('the layer that a patch was made of'),
  bytes: bytes.describe('bytes that travelled for it, or would'),
  expectedSeconds: z.number().min(0).optional().describe('what the plan expected'),
  sentWhole: z.string().optional().describe('why the whole layer travelled and not its patch'),
});

const node = z.strictObject({
  node: z.string(),
  state: z.enum(['shipped', 'nothing to do', 'planned', 'failed']),
  bytes: bytes.describe('bytes that travelled'),
  layers: count.describe('layers among what travelled'),
  layerBytes: bytes.describe('bytes of these layers as they travelled'),
  sent: z.array(sentLayer).describe('layers that the node lacked, and how each travelled'),
  had: layers.optional().describe('layers of the images that the node had before'),
  whole: layers.describe('all layers of the images, each once, uncompressed'),
  before: z.record(z.string(), digest).describe('config digest of each image before, by its key'),
  images: z.array(proof),
  error: error.optional(),
});

const agent = z.strictObject({
  node: z.string().optional().describe('Kubernetes name of its node'),
  pod: z.string(),
  uid: z.string(),
  image: digest.optional().describe('config digest that it runs'),
});

const deploy = z.strictObject({
  state: z.enum(['deployed', 'nothing to do', 'planned']),
  revision: count.optional().describe('of the Helm release'),
  agents: z.array(agent),
  traffic: z
    .strictObject({ sent: count, lost: count })
    .optional()
    .describe('pings between pods of different nodes during the rollout, with --count-lost'),
});

const check = z.strictObject({
  node: z.string(),
  id: z.string().optional().describe('the same in every version: xdp-mode'),
  check: z.string(),
  state: z.enum(['ok', 'failed', 'unknown']),
  wanted: z.string(),
  found: z.string(),
  remedy: z.string().optional(),
});

const step = z.strictObject({
  step: z.string().describe('unique within its stage'),
  title: z.string(),
  node: z.string().optional().describe('the node it worked on, by its name in the config'),
  state: z.enum(['done', 'already-done', 'failed']),
  start: moment,
  end: moment,
  text: z.string().optional().describe('what it came to'),
  error: error.pick({ kind: true, message: true }).optional(),
});

const stage = z.strictObject({
  stage: z.string(),
  state: z.enum(['running', 'done', 'failed']).describe('running: the run ended within it'),
  start: moment,
  end: moment,
  steps: z.array(step).describe('in the order in which they ended'),
});

/** What stages come to, beside how long they took. */
export const factsSchema = z.strictObject({
  source: source.optional(),
  images: z.array(image).describe('the images of the run'),
  nodes: z.array(node).describe('what shipping came to on each node'),
  deploy: deploy.optional(),
  checks: z.array(check).describe('what was checked at the end'),
  error: error.optional().describe('why the run failed'),
});

export const receiptSchema = factsSchema
  .extend({
    version: z.literal(RECEIPT_VERSION).describe('version of this form'),
    ciliumship: z.string().describe('version of the program'),
    command: z.string(),
    config: z.string().describe('path of the config file'),
    started: z.iso.datetime(),
    seconds: z.number().min(0),
    exitCode: count,
    stages: z.array(stage).describe('in the order in which they started'),
  })
  .describe('the record of one run of ciliumship');

/** Nothing of a receipt is ever changed. */
type Frozen<T> = T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;

/** The record of one run: what it shipped, what every node proved, and how long each step took. */
export type Receipt = Frozen<z.output<typeof receiptSchema>>;
export type Facts = Frozen<z.output<typeof factsSchema>>;
export type ReceiptNode = Facts['nodes'][number];
export type ReceiptImage = Facts['images'][number];
export type Stage = Receipt['stages'][number];
export type StageStep = Stage['steps'][number];
export type ReceiptError = NonNullable<Facts['error']>;
