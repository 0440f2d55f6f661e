import { expect, it } from 'vitest';
import { leftText } from '../../../lab/down.ts';
import { mountsOf } from '../../../lab/leftovers.ts';

const ID = 'a'.repeat(64);
const TRACES = [
  { id: ID, mounts: ['/var/lib/docker/overlay2/123/merged', '/run/docker/netns/77'] },
];

it('finds the mounts of a container and no other', () => {
  const mounts = [
    'overlay /var/lib/docker/overlay2/123/merged overlay rw 0 0',
    'overlay /var/lib/docker/overlay2/456/merged overlay rw 0 0',
    'nsfs /run/docker/netns/77 nsfs rw 0 0',
    `shm /var/lib/docker/containers/${ID}/mounts/shm tmpfs rw 0 0`,
    'proc /proc proc rw 0 0',
    '',
  ].join('\n');
  expect(mountsOf(mounts, TRACES)).toEqual([
    '/var/lib/docker/overlay2/123/merged',
    '/run/docker/netns/77',
    `/var/lib/docker/containers/${ID}/mounts/shm`,
  ]);
});

it('finds nothing when no container was known', () => {
  expect(mountsOf('overlay /x overlay rw 0 0\n', [])).toEqual([]);
});

it('names everything that is left, and what to do', () => {
  const text = leftText(['volume v1', 'mount /x']);
  expect(text).toContain('  volume v1\n  mount /x\n');
  expect(text).toMatch(/next: run down again/);
});
