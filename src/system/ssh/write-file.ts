import type { WriteOptions } from '../../core/remote.ts';
import { acknowledgements } from './acknowledged.ts';
import { closeFile, openFile, syncFile, type Channel, type Target } from './open-file.ts';
import { explained, type SftpError } from './sftp-errors.ts';
import { openLanes, type Lane, type Lanes } from './write-lanes.ts';
import { watchWrite, type WriteWatch } from './write-watch.ts';

/** One write: measured best over loopback; OpenSSH takes packets of up to 256 KiB. */
const CHUNK = 255 * 1024;
/** Bytes from the first one that is not acknowledged to the last one sent: a cut costs no more. */
const MOST_UNDER_WAY = 8 * 1024 * 1024;
/** An fsync has to bring everything to disk that a slow one has not taken yet. */
const SYNC_PATIENCE = 10;

interface Writable extends Target {
  readonly channel: Channel;
  /** A channel over another connection, the first of them for 1. */
  readonly another: (index: number) => Promise<Channel>;
}

interface Writing {
  readonly target: Writable;
  readonly lanes: Lanes;
  readonly watch: WriteWatch;
}

/**
 * Writes a stream to a file with pipelined writes at explicit offsets, fsyncs and closes it.
 * `sftp.createWriteStream` is not used: it writes one chunk at a time and reports success on a full
 * disk.
 *
 * @returns size of the file in bytes
 * @throws ShipError `network` or `storage`; what `source` throws; the abort reason
 */
export async function writeFile(
  target: Writable,
  source: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<number> {
  options.signal?.throwIfAborted();
  using watch = watchWrite(target.node, options);
  watch.failWith(target.channel.lost);
  let ended = false;
  const asked = performance.now();
  const file = await watch.answer(openFile(target, target.channel, options));
  const lanes = openLanes(file, performance.now() - asked, async (index) => {
    const channel = await target.another(index);
    const more = await openFile(target, channel, { start: 1 });
    if (ended) await closeFile(target, more);
    watch.failWith(channel.lost);
    return more;
  });
  try {
    const size = await watch.race(writeAll({ target, lanes, watch }, source, options));
    await watch.answer(syncFile(target, file), SYNC_PATIENCE);
    return size;
  } finally {
    ended = true;
    const closing = lanes.files().map((open) => closeFile(target, open));
    await watch.answer(Promise.all(closing)).catch(() => undefined);
  }
}

async function writeAll(
  writing: Writing,
  source: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<number> {
  const { lanes, watch } = writing;
  const start = options.start ?? 0;
  const acknowledged = acknowledgements(start, (bytes) => options.onAcknowledged?.(bytes));
  const pending = new Set<Promise<void>>();
  const failed: { error?: unknown } = {};
  let offset = start;
  for await (const piece of piecesOf(source)) {
    const at = offset;
    offset += piece.length;
    const lane = await watch.race(
      freeLane(lanes, pending, () => offset - acknowledged.bytes() <= MOST_UNDER_WAY),
    );
    if (failed.error !== undefined) break;
    const write = writeOn(writing, lane, piece, at)
      .then(() => acknowledged.add(at, piece.length))
      .catch((error: unknown) => void (failed.error ??= error));
    pending.add(write);
    void write.finally(() => pending.delete(write));
  }
  await Promise.all(pending);
  if (failed.error !== undefined) throw failed.error;
  return offset;
}

/** Waits until a lane may take one more write, and not too much is under way in all. */
async function freeLane(
  lanes: Lanes,
  pending: ReadonlySet<Promise<void>>,
  mayGoOn: () => boolean,
): Promise<Lane> {
  for (;;) {
    const lane = mayGoOn() ? lanes.free() : undefined;
    if (lane !== undefined) return lane;
    await Promise.race(pending);
  }
}

/** Cuts a stream into writes of at most one chunk. */
async function* piecesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const bytes of source) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < buffer.length; at += CHUNK) yield buffer.subarray(at, at + CHUNK);
  }
}

async function writeOn(
  { target: { node, path }, lanes, watch }: Writing,
  lane: Lane,
  piece: Buffer,
  at: number,
): Promise<void> {
  const { sftp, handle } = lane;
  const sent = performance.now();
  lane.underWay += 1;
  watch.sent();
  const error = await new Promise<SftpError | undefined | null>((resolve) => {
    sftp.write(handle, piece, 0, piece.length, at, resolve);
  });
  watch.acknowledged();
  lanes.acknowledged(lane, piece.length, performance.now() - sent);
  if (error) throw await explained(sftp, node, path, error, at);
}
