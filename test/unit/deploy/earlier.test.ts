import { describe, expect, test } from 'vitest';
import { FINISHED, UNFINISHED } from '../../../src/deploy/descriptions.ts';
import { earlierRevision } from '../../../src/deploy/earlier.ts';

const RELEASE = { name: 'cilium', namespace: 'kube-system' };

/** Revisions of one manifest each; those in brackets were not finished. */
function goingBackFrom(...manifests: readonly string[]) {
  return goingBack(manifests, () => undefined);
}

function goingBack(
  manifests: readonly string[],
  settingsAt: (revision: number) => string | undefined,
) {
  const open = (text: string): boolean => text.startsWith('(');
  const history = manifests.map((text, index) => ({
    revision: index + 1,
    status: index === manifests.length - 1 ? 'deployed' : 'superseded',
    description: open(text) ? UNFINISHED : FINISHED,
  }));
  const manifest = async (_: unknown, revision = manifests.length) => manifests[revision - 1];
  return earlierRevision({ manifest }, RELEASE, { history, open: undefined }, ({ revision }) => {
    const devices = settingsAt(revision);
    if (devices === undefined) return undefined;
    const configs = [{ name: 'w', profile: 'w', defaults: { devices } }];
    return { profiles: { worker: 'w' }, configs };
  });
}

describe('without a number a rollback goes', () => {
  test('to the last finished revision that differs, and says what it passed over', async () => {
    const earlier = await goingBackFrom('a', '(b)', 'b', '(b)', 'b', '(b)', 'b');
    expect(earlier).toMatchObject({ target: { revision: 1 }, same: [5, 3] });
  });

  test('past one that another Helm made of the same', async () => {
    const [three, four] = ['---\nkind: A\n---\nkind: B\n', '---\nkind: A\n\n---\nkind: B\n'];
    const earlier = await goingBackFrom('a', '(b)', three, '(b)', four);
    expect(earlier).toMatchObject({ target: { revision: 1 }, same: [3] });
  });

  test('nowhere when every one is what runs', async () => {
    expect(await goingBackFrom('a', '(a)', 'a')).toEqual({ target: undefined, same: [1] });
  });

  test('to the last finished one from an unfinished rollout, whatever that was to be', async () => {
    expect(await goingBackFrom('a', '(b)', 'b', '(b)')).toMatchObject({
      target: { revision: 3 },
      same: [],
    });
  });

  test('to the one before a deploy that changed devices only', async () => {
    const devices: Record<number, string> = { 1: 'eth1', 3: 'eth1', 5: 'eth1 em2' };
    const earlier = await goingBack(['a', '(a)', 'a', '(a)', 'a'], (revision) => devices[revision]);
    expect(earlier).toMatchObject({ target: { revision: 3 }, same: [] });
  });

  test('past one of which nobody knows the devices, when Helm would change nothing', async () => {
    const known: Record<number, string> = { 1: 'eth1', 5: 'eth1 em2' };
    const earlier = await goingBack(['a', '(a)', 'a', '(a)', 'a'], (revision) => known[revision]);
    expect(earlier).toMatchObject({ target: { revision: 1 }, same: [3] });
  });
});
