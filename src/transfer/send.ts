import pLimit from 'p-limit';
import { hexOf, shortDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { Blob } from '../core/image.ts';
import type { Argv, Remote, RemoteFiles } from '../core/remote.ts';
import type { Run, Step } from '../core/step.ts';
import type { WireForm } from '../core/wire.ts';
import { counted } from '../core/text.ts';
import { INBOX, LAYOUT, wireName } from '../facts/node-paths.ts';
import { costText, sizeText } from './cost.ts';
import type { NodePlan, SendBlob } from './plan.ts';
import { resumePoint } from './resume.ts';
import { retried } from './retry.ts';
import type { Uplink } from './uplink.ts';

/** The wire form of a blob, ready on this machine. */
export interface WireBlob {
  readonly digest: Digest;
  readonly form: WireForm;
  /** Bytes that travel. */
  readonly size: number;
  open(start?: number): AsyncIterable<Uint8Array>;
}

/** What moved to one node. */
export interface Sent {
  /** Bytes that travelled now. */
  readonly bytes: number;
  /** Layers among them, and their bytes. */
  readonly layers: number;
  readonly layerBytes: number;
  /** Blobs that lay there complete from an earlier run. */
  readonly kept: number;
  /** Seconds in which bytes were under way. */
  readonly seconds?: number;
}

/** A blob that lies on the node, and the form that it came in. */
export interface Arrived {
  readonly blob: Blob;
  readonly form: WireForm;
}

/** A node that can be connected to anew when the connection was lost. */
export interface Link extends Remote, RemoteFiles {
  /** @throws ShipError `network`; any other kind when there is no use in trying again */
  reconnect(signal: AbortSignal): Promise<void>;
}

export interface SendOptions {
  readonly uplink: Uplink;
  /** Milliseconds that one outage may last. */
  readonly retryFor: number;
  /** Does something with each blob that arrived, while the next is under way; nothing when absent. */
  readonly receive?: (arrived: Arrived, run: Run) => Promise<void>;
}

/**
 * The step that sends one node its missing blobs, one after the other and each as soon as its wire form
 * is made, into a folder that only the SSH user can write. Nothing in it is trusted: root hashes
 * everything before it is used. A lost connection is taken up again, and goes on where it was cut.
 *
 * @param wire gives the wire form of a blob of the plan
 */
export function sendStep(plan: NodePlan, link: Link, wire: Wire, options: SendOptions): Step<Sent> {
  const { node, send: blobs } = plan;
  return {
    id: node,
    title: `send ${counted(blobs.length, 'blob')} to ${node}`,
    plan: () =>
      blobs.map(
        ({ blob, form, expected }) =>
          `sftp: write ${inboxPath({ digest: blob.digest, form })}   (${costText(expected)})`,
      ),
    run: async (run) => {
      const sending = begun(blobs, wire, { link, options, run });
      const attempt = async (number: number): Promise<void> => {
        if (number > 1) await link.reconnect(run.signal);
        await sendAll(sending);
      };
      const reached = (): number => sending.furthest;
      await retried(attempt, { retryFor: options.retryFor, reached, run });
      return tally(sending);
    },
    describe: ({ bytes }) => `${node} ${sizeText(bytes)}`,
  };
}

/** Gives the wire form of a blob, when it is made. */
type Wire = (send: SendBlob) => WireBlob | Promise<WireBlob>;

interface Tools {
  readonly link: Link;
  readonly options: SendOptions;
  readonly run: Run;
}

/** How far the attempts have come together. */
interface Sending extends Tools {
  readonly blobs: readonly SendBlob[];
  readonly wire: Wire;
  /** Bytes of each wire form; as expected, until it is made. */
  readonly sizes: Map<Digest, number>;
  /** Bytes that travelled for each blob so far. */
  readonly travelled: Map<Digest, number>;
  readonly received: Set<Digest>;
  /** Most bytes that lay on the node so far. */
  furthest: number;
  /** In which bytes were under way. */
  seconds: number;
}

function begun(blobs: readonly SendBlob[], wire: Wire, tools: Tools): Sending {
  const sizes = new Map(blobs.map(({ blob, expected }) => [blob.digest, expected.bytes]));
  const state = { sizes, travelled: new Map(), received: new Set<Digest>() };
  return { ...tools, ...state, blobs, wire, furthest: 0, seconds: 0 };
}

async function sendAll(sending: Sending): Promise<void> {
  const { link, run, blobs, wire, sizes } = sending;
  await prepareInbox(link, run.signal);
  const decoded = await decodedBlobs(link, run.signal);
  const inTurn = pLimit(1);
  const receiving: Promise<void>[] = [];
  let before = 0;
  try {
    for (const send of blobs) {
      const { digest } = send.blob;
      const file = await wire(send);
      sizes.set(digest, file.size);
      const lies = decoded.has(hexOf(digest));
      const start = before;
      if (!lies) await sendCounted(sending, file, start);
      before += file.size;
      const arrived = { blob: send.blob, form: file.form };
      const received = inTurn(() =>
        receive(sending, arrived).catch(async (error: unknown) => {
          if (!lies || !isDamage(error)) throw error;
          await sendCounted(sending, file, start);
          await receive(sending, arrived);
        }),
      );
      // Heard below; while the next blob still travels nobody listens, and the process would end.
      received.catch(() => undefined);
      receiving.push(received);
    }
  } finally {
    await Promise.allSettled(receiving);
  }
  await Promise.all(receiving);
}

/** What an earlier run decoded may have lost its bytes, when the power went (D18). */
function isDamage(error: unknown): boolean {
  return error instanceof ShipError && error.kind === 'integrity' && error.retryable;
}

/** What was received in an earlier attempt of this run is there. */
async function receive({ options, run, received }: Sending, arrived: Arrived): Promise<void> {
  if (received.has(arrived.blob.digest)) return;
  await options.receive?.(arrived, run);
  received.add(arrived.blob.digest);
}

/** @param before bytes of the blobs that lie there */
async function sendCounted(sending: Sending, file: WireBlob, before: number): Promise<void> {
  const { link, options, run, travelled, sizes } = sending;
  const earlier = travelled.get(file.digest) ?? 0;
  const total = (): number => [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const started = performance.now();
  let last = started;
  const onAcknowledged = (bytes: number, start: number): void => {
    last = performance.now();
    travelled.set(file.digest, earlier + bytes - start);
    sending.furthest = Math.max(sending.furthest, before + bytes);
    run.progress({ bytes: before + bytes, total: total() });
  };
  try {
    await sendBlob(link, file, run, onAcknowledged, options.uplink);
    last = performance.now();
  } finally {
    // Of a cut too, whose bytes count; but not until it was noticed, when nothing was under way.
    sending.seconds += (last - started) / 1000;
  }
}

function tally({ blobs, travelled, seconds }: Sending): Sent {
  const bytesOf = ({ blob }: SendBlob): number => travelled.get(blob.digest) ?? 0;
  const moved = blobs.filter((blob) => bytesOf(blob) > 0);
  const layers = moved.filter(({ blob }) => blob.kind === 'layer');
  const sum = (of: readonly SendBlob[]): number => of.reduce((all, one) => all + bytesOf(one), 0);
  return {
    bytes: sum(moved),
    layers: layers.length,
    layerBytes: sum(layers),
    kept: blobs.length - moved.length,
    seconds,
  };
}

/** Makes the folder of incoming files, owned by whoever we log in as. Throws as `Remote.run`. */
export async function prepareInbox(remote: Remote, signal: AbortSignal): Promise<void> {
  const { stdout: user } = await remote.run(['id', '-u'], { signal });
  const script = 'mkdir -p "$1" && chown "$2" "$1" && chmod 0700 "$1"';
  await remote.run(['sh', '-c', script, 'inbox', INBOX, user.trim()], { sudo: true, signal });
}

/** Blobs that an earlier run brought as far as root's layout; the import hashes them once more. */
async function decodedBlobs(remote: Remote, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const list: Argv = ['ls', '-1', `${LAYOUT}/blobs/sha256`];
  const { stdout } = await remote.run(list, { sudo: true, signal, accept: [1, 2] });
  return new Set(stdout.split('\n').filter((name) => /^[0-9a-f]{64}$/.test(name)));
}

/**
 * Sends one blob, from where an earlier attempt was cut.
 *
 * @param onAcknowledged called with the length of the file on the node, and where this began
 * @returns bytes that travelled: 0 when a complete file lies there already
 * @throws ShipError as `RemoteFiles.write`, `integrity` when the file changed here meanwhile
 */
export async function sendBlob(
  remote: Remote & RemoteFiles,
  wire: WireBlob,
  { signal }: Pick<Run, 'signal'>,
  onAcknowledged: (bytes: number, start: number) => void,
  uplink: Uplink,
): Promise<number> {
  const path = inboxPath(wire);
  if ((await remote.size(path)) === wire.size) return 0;
  const part = `${path}.part`;
  const start = await resumePoint(remote, part, wire, signal);
  try {
    const size = await remote.write(part, uplink(wire.open(start)), {
      start,
      signal,
      onAcknowledged: (bytes) => onAcknowledged(bytes, start),
    });
    if (size !== wire.size) throw changed(wire, size);
  } catch (error) {
    if (!isWorthKeeping(error)) await remote.remove(part).catch(() => undefined);
    throw error;
  }
  await remote.rename(part, path);
  return wire.size - start;
}

/** A disk that is full must not stay full because of us, and wrong bytes are of no use. */
function isWorthKeeping(error: unknown): boolean {
  return !(error instanceof ShipError && ['storage', 'integrity'].includes(error.kind));
}

function changed({ digest, size }: WireBlob, sent: number): ShipError {
  return new ShipError(
    'integrity',
    `the wire form of blob ${shortDigest(digest)} changed while it was sent: ${sent} of ${size} bytes`,
    { hint: 'run the same command again; it is made anew', retryable: true },
  );
}

/** Where a blob arrives on a node; its name is its digest. */
export function inboxPath(wire: Pick<WireBlob, 'digest' | 'form'>): string {
  return `${INBOX}/${wireName(wire.digest, wire.form)}`;
}
