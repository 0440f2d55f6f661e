import { isUrl } from '../../config/normalise.ts';
import { hexOf, type Digest } from '../../core/digest.ts';
import { ShipError } from '../../core/errors.ts';
import { createReadStream } from 'node:fs';
import { hashFile } from '../../image/hash.ts';
import { download } from '../../system/download.ts';
import type { WireBlob } from '../../transfer/send.ts';
import type { Context } from '../command.ts';

/** What is brought to a node that gets K3s. */
export interface K3sFiles {
  readonly binary: WireBlob;
  readonly installer: WireBlob;
}

const RELEASES = 'https://github.com/k3s-io/k3s/releases/download';
const SOURCES = 'https://raw.githubusercontent.com/k3s-io/k3s';

/**
 * K3s's program and installer on this machine: by path, or fetched once. Neither node needs the
 * internet.
 *
 * @throws ShipError `config` for a file that is not named or cannot be read, `integrity` for one
 * with another sha256, `network`
 */
export async function k3sFiles({ config, output, signal }: Context): Promise<K3sFiles> {
  const { version, binary, binarySha256, installer, installerSha256 } = config.k3s;
  const name = config.platform === 'linux/arm64' ? 'k3s-arm64' : 'k3s';
  const release = version === undefined ? undefined : encodeURIComponent(version);
  const fetched = async (key: string, place: string | undefined, sum: string | undefined) => {
    if (place === undefined) throw notNamed(key);
    if (!isUrl(place)) return place;
    if (sum === undefined) throw withoutSum(key, place);
    output.note(`${key}: ${place}`);
    return download(key, place, sum, signal);
  };
  const released = (base: string, file: string) => release && `${base}/${release}/${file}`;
  return {
    binary: await fileOf(
      'k3s.binary',
      await fetched('k3s.binary', binary ?? released(RELEASES, name), binarySha256),
      binarySha256,
    ),
    installer: await fileOf(
      'k3s.installer',
      await fetched('k3s.installer', installer ?? released(SOURCES, 'install.sh'), installerSha256),
      installerSha256,
    ),
  };
}

async function fileOf(key: string, path: string, sum: string | undefined): Promise<WireBlob> {
  const { digest, size } = await hashFile(path).catch((cause: unknown) => {
    throw new ShipError('config', `${key}: cannot read ${path}`, {
      cause,
      hint: `set ${key} to a file that can be read`,
    });
  });
  if (sum !== undefined && hexOf(digest) !== sum) throw otherFile(key, path, digest, sum);
  return { digest, form: 'plain', size, open: (start = 0) => readFrom(path, start) };
}

/** Opened by whoever reads: an error of a stream that nobody listens to yet ends the process. */
async function* readFrom(path: string, start: number): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { start, highWaterMark: 1024 * 1024 });
}

function notNamed(key: string): ShipError {
  return new ShipError('config', `${key} is not named, and no k3s.version that says where it is`, {
    hint: 'set k3s.version with binarySha256 and installerSha256, or the paths of both files',
  });
}

function withoutSum(key: string, url: string): ShipError {
  return new ShipError('config', `${key}Sha256 is missing: ${url} would be run as root unseen`, {
    hint: `set ${key}Sha256; of K3s's program it is in sha256sum-ARCH.txt of the release`,
  });
}

function otherFile(key: string, path: string, digest: Digest, sum: string): ShipError {
  return new ShipError(
    'integrity',
    `${key}: ${path} has sha256 ${hexOf(digest)}, and the config says ${sum}`,
    { hint: `set ${key}Sha256 to the sum of the file that you mean, or name the right file` },
  );
}
