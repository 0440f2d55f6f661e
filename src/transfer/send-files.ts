import type { Run } from '../core/step.ts';
import { retried } from './retry.ts';
import { prepareInbox, sendBlob, type Link, type SendOptions, type WireBlob } from './send.ts';

/**
 * Sends files to the inbox of a node, which only the SSH user can write. As with layers, a lost
 * connection is taken up again, goes on where it was cut, and what lies there whole is not sent.
 * Nothing in the inbox is trusted: root hashes what it takes out of it.
 *
 * @throws ShipError as `RemoteFiles.write`, `integrity` when a file changed here meanwhile
 */
export async function sendFiles(
  link: Link,
  files: readonly WireBlob[],
  { uplink, retryFor }: SendOptions,
  run: Run,
): Promise<void> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let furthest = 0;
  const attempt = async (number: number): Promise<void> => {
    if (number > 1) await link.reconnect(run.signal);
    await prepareInbox(link, run.signal);
    let before = 0;
    for (const file of files) {
      const start = before;
      const onAcknowledged = (bytes: number): void => {
        furthest = Math.max(furthest, start + bytes);
        run.progress({ bytes: start + bytes, total });
      };
      await sendBlob(link, file, run, onAcknowledged, uplink);
      before += file.size;
    }
  };
  await retried(attempt, { retryFor, reached: () => furthest, run });
}
