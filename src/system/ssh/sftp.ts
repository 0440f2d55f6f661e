import type { SFTPWrapper } from 'ssh2';
import { ShipError } from '../../core/errors.ts';
import type { RemoteFiles, WriteOptions } from '../../core/remote.ts';
import { connectionLost, stopReason, type Connection } from './connection.ts';
import type { Channel } from './open-file.ts';
import { isMissing, sftpError, type SftpError } from './sftp-errors.ts';
import { writeFile } from './write-file.ts';

/** Milliseconds for an answer to anything but a write. */
const ANSWER_WITHIN = 30_000;

type Files = Omit<RemoteFiles, 'node'>;

/**
 * Files over one SFTP channel, which is opened at the first use and anew when it has ended.
 *
 * @param connectAgain makes another connection to the same node, for a file that one is too slow for
 */
export function filesOn(connection: Connection, connectAgain: () => Promise<Connection>): Files {
  const { node, lost } = connection;
  let opened: Promise<SFTPWrapper> | undefined;
  const sftp = (): Promise<SFTPWrapper> => {
    opened ??= openSftp(connection, () => (opened = undefined));
    return opened;
  };
  const others: Promise<Channel>[] = [];
  const another = (index: number): Promise<Channel> => (others[index] ??= anew(connectAgain));
  const ask = async (path: string, call: Call): Promise<void> =>
    answer(connection, path, call, await sftp());
  return {
    write: async (path, source, options: WriteOptions = {}) => {
      const channel = { sftp: await sftp(), lost };
      return writeFile({ node, path, channel, another }, source, options);
    },
    rename: (from, to) => ask(from, (wrapper, done) => wrapper.ext_openssh_rename(from, to, done)),
    remove: (path) => ask(path, (wrapper, done) => wrapper.unlink(path, done)),
    size: async (path) => {
      let size: number | undefined;
      await ask(path, (wrapper, done) => {
        wrapper.lstat(path, (error, stats) => {
          if (!error) size = stats.size;
          done(error && isMissing(error) ? undefined : error);
        });
      });
      return size;
    },
  };
}

type Call = (sftp: SFTPWrapper, done: (error?: SftpError | null) => void) => void;

async function anew(connectAgain: () => Promise<Connection>): Promise<Channel> {
  const connection = await connectAgain();
  return { sftp: await openSftp(connection, () => undefined), lost: connection.lost };
}

function openSftp(connection: Connection, ended: () => void): Promise<SFTPWrapper> {
  const { client, node } = connection;
  return within<SFTPWrapper>(connection, (resolve, reject) => {
    client.sftp((error, sftp) => {
      if (!error) {
        sftp.once('close', ended);
        return resolve(sftp);
      }
      ended();
      const cause = { cause: error };
      reject(
        connection.closed
          ? connectionLost(node, error)
          : new ShipError('network', `${node}: sshd offers no sftp`, cause),
      );
    });
  }).catch((error: unknown) => {
    ended();
    throw error;
  });
}

function answer(
  connection: Connection,
  path: string,
  call: Call,
  sftp: SFTPWrapper,
): Promise<void> {
  return within(connection, (resolve, reject) => {
    call(sftp, (error) => (error ? reject(sftpError(connection.node, path, error)) : resolve()));
  });
}

/** Runs a call that gives no answer when the connection ends or the node stalls. */
async function within<T>(
  connection: Connection,
  call: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  const { node, lost } = connection;
  const deadline = AbortSignal.timeout(ANSWER_WITHIN);
  const asked = new Promise<T>((resolve, reject) => {
    deadline.addEventListener('abort', () => reject(stopReason(node, 'sftp', deadline)));
    try {
      call(resolve, reject);
    } catch (error) {
      reject(connectionLost(node, error));
    }
  });
  return Promise.race([asked, lost]);
}
