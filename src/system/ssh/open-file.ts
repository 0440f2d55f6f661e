import type { SFTPWrapper } from 'ssh2';
import type { WriteOptions } from '../../core/remote.ts';
import { sftpError } from './sftp-errors.ts';

/** A channel that files are written on. */
export interface Channel {
  readonly sftp: SFTPWrapper;
  /** Rejects when its connection ends. */
  readonly lost: Promise<never>;
}

/** A file that is open on one channel. */
export interface OpenFile {
  readonly sftp: SFTPWrapper;
  readonly handle: Buffer;
}

/** A file, for messages. */
export interface Target {
  readonly node: string;
  readonly path: string;
}

/** O_EXCL for a new file, so that a planted file or link is an error and not a target (D10). */
export async function openFile(
  { node, path }: Target,
  { sftp }: Channel,
  options: Pick<WriteOptions, 'start' | 'mode'>,
): Promise<OpenFile> {
  const flags = (options.start ?? 0) > 0 ? 'r+' : 'wx';
  const handle = await new Promise<Buffer>((resolve, reject) => {
    sftp.open(path, flags, { mode: options.mode ?? 0o600 }, (error, opened) => {
      if (!error) return resolve(opened);
      sftp.lstat(path, (gone) =>
        reject(sftpError(node, path, error, gone ? undefined : 'something is already there')),
      );
    });
  });
  return { sftp, handle };
}

/** Not every server offers fsync; the digest on the node is what counts, and it is read back. */
export function syncFile({ node, path }: Target, { sftp, handle }: OpenFile): Promise<void> {
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

export function closeFile({ node, path }: Target, { sftp, handle }: OpenFile): Promise<void> {
  return new Promise((resolve, reject) => {
    sftp.close(handle, (error) => (error ? reject(sftpError(node, path, error)) : resolve()));
  });
}
