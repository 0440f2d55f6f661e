import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { kubectl } from './lab.ts';

const SECRETS = ['-n', 'kube-system', 'get', 'secret', '-l', 'owner=helm,name=cilium'] as const;

/** Makes the newest revision of the lab's release a year older, in the Secret that Helm keeps it in. */
export async function ageRelease(): Promise<void> {
  const name = await newestSecret();
  const stored = await kubectl(...SECRETS.slice(0, 4), name, '-o', 'jsonpath={.data.release}');
  // Base64 of Kubernetes over base64 and gzip of Helm.
  const packed = Buffer.from(Buffer.from(stored, 'base64').toString(), 'base64');
  const old = '"last_deployed":"2026-01-01T00:00:00Z"';
  const aged = gunzipSync(packed)
    .toString()
    .replace(/"last_deployed":"[^"]*"/, old);
  const release = Buffer.from(gzipSync(aged).toString('base64')).toString('base64');
  const patch = join(mkdtempSync(join(tmpdir(), 'ciliumship-e2e-')), 'patch.json');
  writeFileSync(patch, JSON.stringify({ data: { release } }));
  await kubectl('-n', 'kube-system', 'patch', 'secret', name, '--patch-file', patch);
}

async function newestSecret(): Promise<string> {
  const names = await kubectl(...SECRETS, '-o', 'jsonpath={.items[*].metadata.name}');
  const revisionOf = (name: string): number => Number(/\.v(\d+)$/.exec(name)?.[1] ?? 0);
  const newest = names
    .split(' ')
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    .at(-1);
  if (!newest) throw new Error('there is no release');
  return newest;
}
