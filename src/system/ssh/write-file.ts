import type { SFTPWrapper } from 'ssh2';
import type { WriteOptions } from '../../core/remote.ts';
import type { Connection } from './connection.ts';
import { explained, sftpError, type SftpError } from './sftp-errors.ts';
import { watchWrite, type WriteWatch } from './write-watch.ts';

/** One write: measured best over loopback; OpenSSH takes packets of up to 256 KiB. */
const CHUNK = 255 * 1024;
const IN_FLIGHT = 16;

interface Target {
  readonly sftp: SFTPWrapper;
  readonly node: string;
  readonly path: string;
}

interface OpenTarget extends Target {
  readonly handle: Buffer;
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
  connection: Connection,
  target: Target,
  source: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<number> {
  options.signal?.throwIfAborted();
  using watch = watchWrite(connection, options);
  const handle = await watch.race(openFile(target, options));
  try {
    const size = await watch.race(writeAll({ ...target, handle, watch }, source, options));
    await watch.race(syncFile(target, handle));
    return size;
  } finally {
    await watch.race(closeFile(target, handle)).catch(() => undefined);
  }
}

/** O_EXCL for a new file, so that a planted file or link is an error and not a target (D10). */
function openFile({ sftp, node, path }: Target, options: WriteOptions): Promise<Buffer> {
  const flags = (options.start ?? 0) > 0 ? 'r+' : 'wx';
  return new Promise((resolve, reject) => {
    sftp.open(path, flags, { mode: options.mode ?? 0o600 }, (error, handle) => {
      if (!error) return resolve(handle);
      sftp.lstat(path, (gone) =>
        reject(sftpError(node, path, error, gone ? undefined : 'something is already there')),
      );
    });
  });
}

async function writeAll(
  target: OpenTarget,
  source: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<number> {
  const { watch } = target;
  const acknowledged = acknowledgements(options.start ?? 0, (bytes) => {
    watch.acknowledged();
    options.onAcknowledged?.(bytes);
  });
  const pending = new Set<Promise<void>>();
  const failed: { error?: unknown } = {};
  let offset = options.start ?? 0;
  for await (const piece of piecesOf(source)) {
    if (failed.error !== undefined) break;
    const at = offset;
    offset += piece.length;
    watch.sent();
    const write = writePiece(target, piece, at)
      .then(() => acknowledged(at, piece.length))
      .catch((error: unknown) => void (failed.error ??= error));
    pending.add(write);
    void write.finally(() => pending.delete(write));
    // Its end closes the source, too.
    if (pending.size >= IN_FLIGHT) await watch.race(Promise.race(pending));
  }
  await Promise.all(pending);
  if (failed.error !== undefined) throw failed.error;
  return offset;
}

/** Cuts a stream into writes of at most one chunk. */
async function* piecesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const bytes of source) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < buffer.length; at += CHUNK) yield buffer.subarray(at, at + CHUNK);
  }
}

async function writePiece(
  { sftp, node, path, handle }: OpenTarget,
  piece: Buffer,
  at: number,
): Promise<void> {
  const error = await new Promise<SftpError | undefined | null>((resolve) => {
    sftp.write(handle, piece, 0, piece.length, at, resolve);
  });
  if (error) throw await explained(sftp, node, path, error, at);
}

/** Reports the count of bytes acknowledged without a hole: only those may be resumed from. */
function acknowledgements(
  start: number,
  report: (bytes: number) => void,
): (at: number, length: number) => void {
  const waiting = new Map<number, number>();
  let contiguous = start;
  return (at, length) => {
    waiting.set(at, length);
    for (let next = waiting.get(contiguous); next !== undefined; next = waiting.get(contiguous)) {
      waiting.delete(contiguous);
      contiguous += next;
    }
    report(contiguous);
  };
}

/** Not every server offers fsync; the digest on the node is what counts, and it is read back. */
function syncFile({ sftp, node, path }: Target, handle: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void =>
      error ? reject(sftpError(node, path, error)) : resolve();
    try {
      sftp.ext_openssh_fsync(handle, done);
    } catch {
      resolve();
    }
  });
}

function closeFile({ sftp, node, path }: Target, handle: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    sftp.close(handle, (error) => (error ? reject(sftpError(node, path, error)) : resolve()));
  });
}
