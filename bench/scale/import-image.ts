import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { pack } from 'tar-stream';

/** Of what does not compress; repeated farther away than gzip and zstd look by themselves. */
const PIECE = 64_000_000;

/** Brings an image of one layer into Docker, without ever having all of it in memory. */
export async function importImage(name: string, megabytes: number): Promise<void> {
  const archive = pack();
  const size = megabytes * 1e6;
  const entry = archive.entry(
    { name: 'content', size },
    (error) => error && archive.destroy(error),
  );
  const piece = randomBytes(Math.min(PIECE, size));
  const pieces = Array.from({ length: Math.ceil(size / piece.length) }, (_, index) =>
    piece.subarray(0, Math.min(piece.length, size - index * piece.length)),
  );
  Readable.from(pieces).pipe(entry);
  entry.on('finish', () => archive.finalize());
  const args = ['import', '--platform', 'linux/amd64', '-', name];
  await execa('docker', args, { input: Readable.from(archive) });
}
