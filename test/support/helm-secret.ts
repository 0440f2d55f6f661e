import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { kubectl } from './lab.ts';

/** Makes the newest revision of a release a year older, in the Secret that Helm keeps it in. */
export async function ageRelease(release = 'cilium', namespace = 'kube-system'): Promise<void> {
  const of = ['-n', namespace] as const;
  const names = await kubectl(
    ...[...of, 'get', 'secret', '-l', `owner=helm,name=${release}`],
    ...['-o', 'jsonpath={.items[*].metadata.name}'],
  );
  const name = newestOf(names.split(' '));
  const stored = await kubectl(...of, 'get', 'secret', name, '-o', 'jsonpath={.data.release}');
  // Base64 of Kubernetes over base64 and gzip of Helm.
  const packed = Buffer.from(Buffer.from(stored, 'base64').toString(), 'base64');
  // `deleted` is empty unless a removal is under way.
  const aged = gunzipSync(packed)
    .toString()
    .replace(/"(last_deployed|deleted)":"[^"]+"/g, '"$1":"2026-01-01T00:00:00Z"');
  const packedAgain = Buffer.from(gzipSync(aged).toString('base64')).toString('base64');
  const patch = join(mkdtempSync(join(tmpdir(), 'ciliumship-e2e-')), 'patch.json');
  writeFileSync(patch, JSON.stringify({ data: { release: packedAgain } }));
  await kubectl(...of, 'patch', 'secret', name, '--patch-file', patch);
}

/** The newest revision of Cilium’s release. */
export async function newestRevision(): Promise<number> {
  const secrets = await kubectl(
    ...['-n', 'kube-system', 'get', 'secret', '-l', 'owner=helm,name=cilium'],
    ...['-o', 'jsonpath={.items[*].metadata.labels.version}'],
  );
  return Math.max(...secrets.split(' ').map(Number));
}

function newestOf(names: readonly string[]): string {
  const revisionOf = (name: string): number => Number(/\.v(\d+)$/.exec(name)?.[1] ?? 0);
  const newest = names.toSorted((a, b) => revisionOf(a) - revisionOf(b)).at(-1);
  if (!newest) throw new Error('there is no release');
  return newest;
}
