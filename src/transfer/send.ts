import { hexOf, type Digest } from '../core/digest.ts';
import type { Argv, Remote, RemoteFiles } from '../core/remote.ts';
import type { Run, Step } from '../core/step.ts';
import type { WireForm } from '../core/wire.ts';
import { INBOX, LAYOUT, wireName } from '../facts/node-paths.ts';
import { costText } from './cost.ts';
import type { NodePlan, SendBlob } from './plan.ts';

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

/**
 * The step that sends one node its missing blobs, one after the other, into a folder that only the
 * SSH user can write. Nothing in it is trusted: root hashes everything before it is used.
 *
 * @param wire gives the prepared wire form of a blob of the plan
 */
export function sendStep(
  plan: NodePlan,
  remote: Remote & RemoteFiles,
  wire: (blob: SendBlob) => WireBlob,
): Step<Sent> {
  const blobs = plan.send.map((blob) => ({ ...blob, wire: wire(blob) }));
  const total = blobs.reduce((sum, { wire: { size } }) => sum + size, 0);
  return {
    id: plan.node,
    title: `send ${blobs.length} blobs to ${plan.node}`,
    plan: () =>
      blobs.map(
        ({ wire: blob, expected }) => `sftp: write ${inboxPath(blob)}   (${costText(expected)})`,
      ),
    run: async (run) => {
      await prepareInbox(remote, run.signal);
      const decoded = await decodedBlobs(remote, run.signal);
      const sent = { bytes: 0, layers: 0, layerBytes: 0, kept: 0 };
      let before = 0;
      for (const { blob, wire: form } of blobs) {
        const onAcknowledged = (bytes: number): void =>
          run.progress({ bytes: before + bytes, total });
        const isThere = decoded.has(hexOf(blob.digest));
        const bytes = isThere ? 0 : await sendBlob(remote, form, run, onAcknowledged);
        before += form.size;
        sent.bytes += bytes;
        if (bytes === 0) sent.kept += 1;
        else if (blob.kind === 'layer') {
          sent.layers += 1;
          sent.layerBytes += bytes;
        }
      }
      return sent;
    },
    describe: ({ bytes }) => `${plan.node} ${(bytes / 1e6).toFixed(1)} MB`,
  };
}

/** Makes the folder of incoming files, owned by whoever we log in as. */
async function prepareInbox(remote: Remote, signal: AbortSignal): Promise<void> {
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
 * Sends one blob. Throws as `RemoteFiles.write`.
 *
 * @returns bytes that travelled: 0 when a complete file lies there already
 */
export async function sendBlob(
  remote: RemoteFiles,
  wire: WireBlob,
  run: Run,
  onAcknowledged: (bytes: number) => void,
): Promise<number> {
  const path = inboxPath(wire);
  if ((await remote.size(path)) === wire.size) return 0;
  const part = `${path}.part`;
  if ((await remote.size(part)) !== undefined) await remote.remove(part);
  await remote.write(part, wire.open(), { signal: run.signal, onAcknowledged });
  await remote.rename(part, path);
  return wire.size;
}

function inboxPath(wire: WireBlob): string {
  return `${INBOX}/${wireName(wire.digest, wire.form)}`;
}
