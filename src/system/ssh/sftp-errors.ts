import { posix } from 'node:path';
import type { SFTPWrapper } from 'ssh2';
import { ShipError } from '../../core/errors.ts';
import { connectionLost } from './connection.ts';

/** Status codes of SFTP. OpenSSH says a bare "failure" for a full disk and for a file that exists. */
const NO_SUCH_FILE = 2;
const PERMISSION_DENIED = 3;
const FAILURE = 4;

export type SftpError = Error & { readonly code?: number };

/** True for "there is no such file". */
export function isMissing(error: SftpError): boolean {
  return error.code === NO_SUCH_FILE;
}

/**
 * SFTP status → error. A status of the server is `storage`; no status means that the channel ended.
 *
 * @param why found out afterwards, for a bare failure
 */
export function sftpError(node: string, path: string, error: SftpError, why?: string): ShipError {
  if (error instanceof ShipError) return error;
  if (error.code === undefined) return connectionLost(node, error);
  const reasons: Readonly<Record<number, string>> = {
    [NO_SUCH_FILE]: 'no such file or folder',
    [PERMISSION_DENIED]: 'permission denied',
  };
  const reason = reasons[error.code] ?? why ?? 'sftp refused it';
  return new ShipError('storage', `${node}: cannot write ${path}: ${reason}`, {
    hint: `look at ${path} and the free space: ssh ${node} df -h`,
    cause: error,
  });
}

/** As `sftpError`, after asking the node why a write of `written` bytes so far failed. */
export async function explained(
  sftp: SFTPWrapper,
  node: string,
  path: string,
  error: SftpError,
  written: number,
): Promise<ShipError> {
  if (error.code !== FAILURE) return sftpError(node, path, error);
  const free = await freeSpace(sftp, posix.dirname(path));
  if (free === undefined) return sftpError(node, path, error);
  const size = `${megabytes(free)} free in its folder`;
  return sftpError(node, path, error, `refused after ${megabytes(written)}, ${size}`);
}

/** Bytes that the SSH user may still write; undefined when the server cannot say. */
function freeSpace(sftp: SFTPWrapper, folder: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    try {
      sftp.ext_openssh_statvfs(folder, (error, found: FileSystem | undefined) => {
        resolve(error || found === undefined ? undefined : found.f_bavail * found.f_frsize);
      });
    } catch {
      resolve(undefined);
    }
  });
}

interface FileSystem {
  readonly f_bavail: number;
  readonly f_frsize: number;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
