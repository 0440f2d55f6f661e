import { afterAll, describe, expect, it } from 'vitest';
import { ciliumship, type Ended } from '../support/cli.ts';
import { configWithImage, makeExtraImage, removeExtraImages } from '../support/extra-image.ts';
import { kubectl, labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart, until } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const IMAGE = 'import.local/app:1';
const master = nodeNamed('master');
const worker = nodeNamed('worker');

/** Pushes the image and nothing else that is new, with so many bytes a second into containerd. */
function push(node: string, maxRate?: string): Promise<Ended> {
  const pace = maxRate === undefined ? '' : `import: { maxRate: ${maxRate} }\n`;
  const config = configWithImage(IMAGE, pace);
  return ciliumship(['push', '--no-build', '--nodes', node], { env: labEnvironment(config) });
}

const ctr = (...args: readonly string[]): Promise<string> =>
  onNode(worker, 'k3s', 'ctr', '-n', 'k8s.io', ...args);

/** Half written blobs of imports, which the next import of the same path would go on with. */
async function ingests(): Promise<readonly string[]> {
  const rows = (await ctr('content', 'active')).split('\n');
  return rows.filter((row) => row.startsWith('tar-'));
}

async function leases(): Promise<readonly string[]> {
  return (await ctr('leases', 'ls', '-q')).split('\n').filter((id) => id !== '');
}

/** What the API server says of the master’s readiness, as often as it answers. */
async function watchReady(over: AbortSignal): Promise<readonly string[]> {
  const states: string[] = [];
  const ready = '{.status.conditions[?(@.type=="Ready")].status}';
  while (!over.aborted) {
    states.push(await kubectl('get', 'node', master.name, '-o', `jsonpath=${ready}`));
  }
  return states;
}

/** As the kernel does that runs out of memory: only the import of the worker. */
async function killImport(): Promise<void> {
  const script = `kill -9 $(ps -C ctr -o pid=,args= | awk '/images import/ { print $1 }')`;
  await onNode(worker, 'sh', '-c', script);
}

afterAll(async () => {
  if (missing === undefined) await removeExtraImages('import.local');
});

describe.skipIf(missing !== undefined)('an import', () => {
  it('F22, F23, D16: that was killed leaves nothing once the push was run again', async () => {
    await makeExtraImage(IMAGE, 40_000_000);
    const before = await leases();
    const first = push('worker', '5MB');
    await until('an import under way', 120, async () => (await ingests()).length > 0);
    await killImport();
    expect((await first).code).toBe(8);
    expect(await ingests()).not.toEqual([]);
    expect((await leases()).length).toBeGreaterThan(before.length);
    expect(await ctr('images', 'ls', '-q')).not.toContain('import.local');
    const again = await push('worker');
    expect(again.code, again.stderr).toBe(0);
    expect(await ingests()).toEqual([]);
    expect((await leases()).filter((id) => !before.includes(id))).toEqual([]);
    expect(await ctr('images', 'check', `name==${IMAGE}`)).toMatch(/complete.*true/);
    expect(await ctr('images', 'ls', '-q')).not.toContain('ciliumship.local');
  });

  it('leaves the only server node ready, and its API server there', async () => {
    await makeExtraImage(IMAGE, 300_000_000);
    const over = new AbortController();
    const watching = watchReady(over.signal);
    const ended = await push('master').finally(() => over.abort());
    const states = await watching;
    expect(ended.code, ended.stderr).toBe(0);
    expect(states.length).toBeGreaterThan(3);
    expect(new Set(states)).toEqual(new Set(['True']));
  });
});
