import { chmodSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { packContext } from '../../../src/build/context.ts';
import { failureOf } from '../../support/docker-build.ts';
import { makeTree } from '../../support/docker-images.ts';

/** Entries of the context: name → content, or `→ target` of a link. */
async function packed(
  tree: Readonly<Record<string, string>>,
  more: {
    readonly files?: Readonly<Record<string, string>>;
    readonly change?: (folder: string) => void;
  } = {},
): Promise<Readonly<Record<string, string>>> {
  const context = makeTree(tree);
  more.change?.(context);
  const { files = {} } = more;
  const stream = await packContext({ context, dockerfile: 'Dockerfile', files });
  const found: Record<string, string> = {};
  for await (const entry of stream.pipe(extract())) {
    const { name, type, linkname } = entry.header;
    const content = await text(entry);
    if (type !== 'directory') found[name] = type === 'symlink' ? `→ ${linkname}` : content;
  }
  return found;
}

describe('a build context', () => {
  test('holds every file, links as links, in order', async () => {
    const found = await packed(
      { Dockerfile: 'FROM a', 'b/c': '1', a: '2' },
      { change: (folder) => symlinkSync('a', join(folder, 'link')) },
    );
    expect(Object.entries(found)).toEqual([
      ['Dockerfile', 'FROM a'],
      ['a', '2'],
      ['b/c', '1'],
      ['link', '→ a'],
    ]);
  });

  test('replaces files by ours', async () => {
    const found = await packed(
      { Dockerfile: '', GIT_VERSION: 'old' },
      { files: { GIT_VERSION: 'new' } },
    );
    expect(found['GIT_VERSION']).toBe('new');
  });

  test('leaves out what .dockerignore says, but never the Dockerfile', async () => {
    const found = await packed({
      Dockerfile: 'FROM a',
      '.dockerignore': '*\n!src\nsrc/*.log',
      'src/a.go': '1',
      'src/b.log': '2',
      'docs/c.md': '3',
    });
    expect(found).toMatchObject({ Dockerfile: 'FROM a', 'src/a.go': '1' });
    expect(Object.keys(found)).not.toContain('src/b.log');
    expect(Object.keys(found)).not.toContain('docs/c.md');
  });

  test('without its Dockerfile is refused', async () => {
    const error = await failureOf(packed({ a: '' }));
    expect(error.kind).toBe('config');
    expect(error.message).toContain('has no Dockerfile');
  });

  test('whose file shrinks while it is sent is an error that names the file', async () => {
    const context = makeTree({ Dockerfile: 'FROM a' });
    const large = join(context, 'large');
    writeFileSync(large, Buffer.alloc(30_000_000));
    const read = async (): Promise<void> => {
      const stream = await packContext({ context, dockerfile: 'Dockerfile' });
      let size = 0;
      for await (const bytes of stream) {
        size += (bytes as Buffer).length;
        if (size > 1_000_000) truncateSync(large, 5);
      }
    };
    const error = await failureOf(read());
    expect(error.message).toBe(`${large} changed while it was sent`);
    expect(error.retryable).toBe(true);
  });

  test.skipIf(process.getuid?.() === 0)(
    'with a file that is not ours to read names it',
    async () => {
      const unreadable = (folder: string): void => chmodSync(join(folder, 'secret'), 0);
      const error = await failureOf(packed({ Dockerfile: '', secret: '' }, { change: unreadable }));
      expect(error.kind).toBe('config');
      expect(error.message).toMatch(/secret cannot be read: EACCES$/);
    },
  );
});
