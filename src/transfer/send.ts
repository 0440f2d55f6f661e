import { hexOf, shortDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { Argv, Remote, RemoteFiles } from '../core/remote.ts';
import type { Run, Step } from '../core/step.ts';
import type { WireForm } from '../core/wire.ts';
import { INBOX, LAYOUT, wireName } from '../facts/node-paths.ts';
import { costText } from './cost.ts';
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
}

/**
 * The step that sends one node its missing blobs, one after the other, into a folder that only the
 * SSH user can write. Nothing in it is trusted: root hashes everything before it is used. A lost
 * connection is taken up again, and goes on where it was cut.
 *
 * @param wire gives the prepared wire form of a blob of the plan
 */
export function sendStep(
  plan: NodePlan,
  link: Link,
  wire: (blob: SendBlob) => WireBlob,
  { uplink, retryFor }: SendOptions,
): Step<Sent> {
  const blobs = plan.send.map((send) => ({ ...send, wire: wire(send) }));
  return {
    id: plan.node,
    title: `send ${blobs.length} blobs to ${plan.node}`,
    plan: () =>
      blobs.map(
        ({ wire: blob, expected }) => `sftp: write ${inboxPath(blob)}   (${costText(expected)})`,
      ),
    run: async (run) => {
      const sending = { link, uplink, run, travelled: new Map<Digest, number>(), furthest: 0 };
      const attempt = async (number: number): Promise<void> => {
        if (number > 1) await link.reconnect(run.signal);
        await sendAll(blobs, sending);
      };
      await retried(attempt, { retryFor, reached: () => sending.furthest, run });
      return tally(blobs, sending.travelled);
    },
    describe: ({ bytes }) => `${plan.node} ${(bytes / 1e6).toFixed(1)} MB`,
  };
}

type ReadyBlob = SendBlob & { readonly wire: WireBlob };

interface Sending {
  readonly link: Link;
  readonly uplink: Uplink;
  readonly run: Run;
  /** Bytes that travelled for each blob so far, in all attempts. */
  readonly travelled: Map<Digest, number>;
  /** Most bytes that lay on the node so far. */
  furthest: number;
}

async function sendAll(blobs: readonly ReadyBlob[], sending: Sending): Promise<void> {
  const { link, uplink, run, travelled } = sending;
  await prepareInbox(link, run.signal);
  const decoded = await decodedBlobs(link, run.signal);
  const total = blobs.reduce((sum, { wire: { size } }) => sum + size, 0);
  let before = 0;
  for (const { blob, wire } of blobs) {
    const earlier = travelled.get(blob.digest) ?? 0;
    const onAcknowledged = (bytes: number, start: number): void => {
      travelled.set(blob.digest, earlier + bytes - start);
      sending.furthest = Math.max(sending.furthest, before + bytes);
      run.progress({ bytes: before + bytes, total });
    };
    if (!decoded.has(hexOf(blob.digest))) await sendBlob(link, wire, run, onAcknowledged, uplink);
    before += wire.size;
  }
}

function tally(blobs: readonly ReadyBlob[], travelled: ReadonlyMap<Digest, number>): Sent {
  const bytesOf = ({ blob }: ReadyBlob): number => travelled.get(blob.digest) ?? 0;
  const moved = blobs.filter((blob) => bytesOf(blob) > 0);
  const layers = moved.filter(({ blob }) => blob.kind === 'layer');
  const sum = (of: readonly ReadyBlob[]): number => of.reduce((all, one) => all + bytesOf(one), 0);
  return {
    bytes: sum(moved),
    layers: layers.length,
    layerBytes: sum(layers),
    kept: blobs.length - moved.length,
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
