import pLimit from 'p-limit';
import type { Blob, BuiltImage } from '../../core/image.ts';
import { wireName } from '../../facts/node-paths.ts';
import type { BlobStore } from '../../image/store.ts';
import { wireForm, wireFormOfHashed, type Compressor, type WireFile } from '../../image/wire.ts';
import { compressorFor } from '../../system/compress.ts';
import { hasRoom, planBlob, type Planning, type SendBlob } from '../../transfer/plan.ts';
import type { Context } from '../command.ts';
import { planningFor, weakestOf, type Asked, type AskedNode, type Looked } from './look-nodes.ts';

/** Makes the wire form of a blob, unless it lies ready or is being made. Throws as `wireForm`. */
export type MakeWire = (
  send: SendBlob,
  compressor: Compressor,
  signal: AbortSignal,
) => Promise<WireFile>;

/** Wire forms that are made while an export goes on, until this is disposed of. */
export interface EarlyPacking extends AsyncDisposable {
  /**
   * Packs what landed so far and will land, for these nodes.
   *
   * @param packed told of each layer that is packed for a node and fits there
   */
  readonly begin: (asked: Asked, packed: Packed) => void;
  /** Told of each layer of these images that came into the store, hashed. */
  readonly landed: (layer: Blob, images: readonly BuiltImage[]) => void;
  readonly make: MakeWire;
}

/** Told of a layer that is packed for a node. */
export type Packed = (node: string, send: SendBlob, file: WireFile) => void;

/** Packs nothing before it is asked to. */
export function packLate(store: BlobStore): MakeWire {
  return ({ blob: { digest }, form }, compressor, signal) =>
    wireForm({ store, digest, form, compressor, signal });
}

/**
 * Packs each layer as soon as it came out of Docker, in the form that the nodes will be planned to get:
 * `docker save` leaves processors idle, and what is packed can be sent as soon as it ends. A guess at
 * worst: what fails here or is not wanted in the end is left to the plan.
 */
export function packEarly(context: Context, store: BlobStore): EarlyPacking {
  const inTurn = pLimit(1);
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const begun = Promise.withResolvers<{ readonly asked: Asked; readonly packed: Packed }>();
  begun.promise.catch(() => undefined);
  const early = new Map<string, Promise<WireFile>>();
  /** Bytes of layers that were given away for each node. */
  const room = new Map<string, number>();
  let planning: ReturnType<typeof planningFor> | undefined;
  const pack = async (layer: Blob, images: readonly BuiltImage[]): Promise<void> => {
    const { asked, packed } = await begun.promise;
    const by = await (planning ??= planningFor(context, images.map(layered), store));
    const ways = await Promise.all([...asked].map((node) => wayTo(node, layer, by)));
    const lacking = ways.filter((way) => way !== undefined);
    const compressor = compressorFor(weakestOf(lacking));
    for (const { node, store: found, send } of lacking) {
      const { blob, form } = send;
      const { digest } = blob;
      const name = wireName(digest, form);
      if (!early.has(name)) {
        early.set(name, wireFormOfHashed({ store, digest, form, compressor, signal }));
      }
      const file = await early.get(name);
      if (file !== undefined && hasRoom(found, (room.get(node) ?? 0) + layer.size)) {
        room.set(node, (room.get(node) ?? 0) + layer.size);
        packed(node, send, file);
      }
    }
  };
  const late = packLate(store);
  const underWay: Promise<void>[] = [];
  return {
    begin: (asked, packed) => begun.resolve({ asked, packed }),
    landed: (layer, images) => {
      if (context.flags.dryRun === true) return;
      underWay.push(inTurn(pack, layer, images).catch(() => undefined));
    },
    make: async (send, compressor, ending) => {
      const packing = early.get(wireName(send.blob.digest, send.form));
      const made = await packing?.catch(() => undefined);
      return made ?? late(send, compressor, ending);
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('nobody needs it any more'));
      begun.reject(stop.signal.reason);
      await Promise.all(underWay);
    },
  };
}

function layered({ name, diffIds }: BuiltImage) {
  return { name, layers: diffIds.map((digest) => ({ digest })) };
}

interface Way extends Pick<Looked, 'store' | 'rate'> {
  readonly node: string;
  readonly send: SendBlob;
}

/** Undefined for a node that has the layer, or does not answer. */
async function wayTo(
  [node, { store, rate }]: readonly [string, AskedNode],
  layer: Blob,
  planning: Omit<Planning, 'rate'>,
): Promise<Way | undefined> {
  const found = await store.catch(() => undefined);
  if (found === undefined || found.content.has(layer.digest)) return undefined;
  const known = await rate();
  const send = planBlob(node, layer, found, { ...planning, rate: known });
  return send === undefined ? undefined : { node, store: found, rate: known, send };
}
