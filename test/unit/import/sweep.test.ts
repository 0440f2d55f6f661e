import { describe, expect, test } from 'vitest';
import type { Run } from '../../../src/core/step.ts';
import type { StoredName } from '../../../src/facts/containerd.ts';
import type { NodeStore } from '../../../src/facts/node-store.ts';
import { importStep } from '../../../src/import/import.ts';
import { fakeNode, type FakeNode } from '../../support/fake-node.ts';
import { IMAGE, importOn, kindOf, LOOKS, STAGED, STAGING } from '../../support/import-run.ts';
import { digestOf, EMPTY_NODE, nodeWith } from '../../support/values.ts';

describe('what killed runs left goes first:', () => {
  const LEFT = ['ciliumship.local/staging/0123456789ab:t0', `${STAGING}-of-another-run`];
  const named = (ref: string, of = 'x') => [ref, { ref, digest: digestOf(of), labels: new Map() }];
  const nodeWithNames = (...names: readonly ReturnType<typeof named>[]): NodeStore => ({
    ...EMPTY_NODE,
    images: new Map(names as [string, StoredName][]),
  });
  const removals = (node: FakeNode): readonly string[] =>
    node.asked.filter((command) => command.includes(' images rm '));

  test('D18: all that has a staging name, with what only it held, and no other name', async () => {
    const others = [IMAGE.name, 'quay.io/ciliumship.local/staging/x:1'];
    const store = nodeWithNames(...[...LEFT, ...others].map((ref) => named(ref)));
    const { node, outcome } = await importOn(STAGED, {}, store);
    expect(outcome).toHaveLength(1);
    expect(removals(node)).toEqual(
      [...LEFT.map((ref) => `--sync ${ref}`), STAGING].map(
        (what) => `sudo k3s ctr -n k8s.io images rm ${what}`,
      ),
    );
    const asked = node.asked.filter((command) => !LOOKS.has(kindOf(command)));
    expect(asked.slice(0, 2)).toEqual(removals(node).slice(0, 2));
  });

  test('the id that the CRI gave to an image of no other name, and only then', async () => {
    const store = nodeWithNames(
      named(LEFT[0] ?? '', 'unnamed'),
      named('sha256:unnamed', 'unnamed'),
      named(LEFT[1] ?? '', 'named'),
      named('sha256:named', 'named'),
      named('quay.io/cilium/cilium:other', 'named'),
    );
    const { node } = await importOn(STAGED, {}, store);
    expect(removals(node).slice(0, 2)).toEqual([
      `sudo k3s ctr -n k8s.io images rm --sync sha256:unnamed ${LEFT[0]}`,
      `sudo k3s ctr -n k8s.io images rm --sync ${LEFT[1]}`,
    ]);
  });

  test('D16, F22: the lease of the import that did not end, and no older or younger one', async () => {
    const expire = 'containerd.io/gc.expire=2026-11-26T03:13:37Z';
    const leases = [
      'ID      CREATED AT           LABELS',
      `older   2026-11-25T03:13:36Z ${expire}`,
      `ours    2026-11-25T04:13:38+01:00 ${expire}`,
      'sandbox 2026-11-25T03:13:38Z -',
      `younger 2026-11-25T03:13:48Z ${expire}`,
    ].join('\n');
    const begun = Date.parse('2026-11-25T03:13:37Z') / 1000;
    const { node } = await importOn(STAGED, {
      'look for killed': `${begun}\n`,
      'list leases': leases,
    });
    const dropped = node.asked.filter((command) => kindOf(command) === 'drop lease');
    expect(dropped).toEqual(['sudo k3s ctr -n k8s.io leases rm --sync ours']);
    expect(node.asked.indexOf(dropped[0] ?? '')).toBeLessThan(
      node.asked.map(kindOf).indexOf('import'),
    );
  });

  test('and nobody looks at leases, or for processes, when the last import has ended', async () => {
    const { kinds } = await importOn(STAGED, { 'look for killed': { code: 1 } });
    expect(kinds).not.toContain('list leases');
    expect(kinds).not.toContain('end left');
  });

  test('F16: an import that is still at work is ended, and what it named meanwhile goes too', async () => {
    let store = EMPTY_NODE;
    const late = nodeWithNames(named(LEFT[0] ?? ''));
    const { node, kinds } = await importOn(
      STAGED,
      {
        'look for killed': '1764126817\n',
        'end left': () => {
          store = late;
          return '4711\n';
        },
      },
      () => store,
    );
    expect(kinds.slice(0, 3)).toEqual([
      'end left',
      expect.stringContaining(LEFT[0] ?? ''),
      'list leases',
    ]);
    expect(removals(node)[0]).toContain(`--sync ${LEFT[0]}`);
  });

  test('and one that does not end is named, and nothing is imported beside it', async () => {
    const { outcome, kinds } = await importOn(STAGED, {
      'look for killed': '1764126817\n',
      'end left': { code: 70, stdout: '4711 4712\n4712\n' },
    });
    expect(outcome).toMatchObject({
      kind: 'storage',
      message: 'worker: an import that was to end still runs there (process 4712)',
      hint: expect.stringContaining('ps '),
    });
    expect(kinds).toEqual(['end left']);
  });
});

describe('an import that fails', () => {
  test.each([
    ['takes the id too of an image that nothing else names', EMPTY_NODE, true],
    ['leaves the id of an image that has a name', nodeWith([IMAGE]), false],
  ])('%s', async (_, before, takesId) => {
    const { node } = await importOn(STAGED, { import: { code: 1 } }, before);
    const removed = node.asked.at(-1) ?? '';
    expect(removed.includes(`rm ${IMAGE.config.digest}`)).toBe(takesId);
  });
});

describe('F25: a layer that left the node since it was looked at', () => {
  /**
   * The base is not among what was sent, and the node has it as long as `there`. The first import
   * fails, or `half` an image comes of it.
   */
  async function importWithout(there: boolean, half = false) {
    const [base, own] = IMAGE.layers;
    if (base === undefined || own === undefined) throw new Error('two layers are needed');
    const again: string[] = [];
    let imports = 0;
    let store = EMPTY_NODE;
    const node = fakeNode((command) => {
      const kind = kindOf(`sudo ${command}`);
      if (kind === 'pin') store = nodeWith([IMAGE]);
      if (command.endsWith('content ls -q')) return there ? base.digest : '';
      if (kind !== 'import') return undefined;
      imports += 1;
      const complete = !half || imports > 1;
      if (imports === 1 && !half) return { code: 1 };
      store = { ...EMPTY_NODE, checked: new Map([[STAGING, { ...STAGED, complete }]]) };
      return undefined;
    });
    const sent = [own, IMAGE.config, IMAGE.manifest].map((blob) => ({
      blob,
      form: 'zstd' as const,
    }));
    const step = importStep(
      { node: 'worker', images: [IMAGE], sent },
      {
        remote: node,
        probe: async () => store,
        token: 't1',
        maxRate: undefined,
        requireLock: async () => {},
        unheld: node,
        keepLock: () => undefined,
        sendWhole: async (blob) => {
          again.push(blob.digest);
          return { blob, form: 'gzip' };
        },
      },
    );
    const run: Run = { signal: new AbortController().signal, progress: () => undefined };
    const outcome: unknown = await step.run(run).catch((error: unknown) => error);
    return { outcome, again, base, last: node.asked.findLast((text) => / import /.test(text)) };
  }

  test.each([
    ['without which ctr fails', false],
    ['without which ctr is content with half an image', true],
  ])('%s is sent, decoded and imported with the rest', async (_, half) => {
    const { outcome, again, base, last } = await importWithout(false, half);
    expect(outcome).toMatchObject([{ key: 'cilium' }]);
    expect(again).toEqual([base.digest]);
    expect(last).toMatch(/ t1-\w+-again t1-\w+-again\/blobs\//);
    expect(last).toContain(`again/blobs/sha256/${base.digest.slice(7)}`);
  });

  test.each([false, true])(
    'is not sent when it is there: the reason is another, %s',
    async (half) => {
      const { outcome, again } = await importWithout(true, half);
      expect(outcome).toMatchObject({ kind: 'storage' });
      expect(again).toEqual([]);
    },
  );
});
