import type { Dirent } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack, type Header, type Pack } from 'tar-stream';
import { ShipError } from '../core/errors.ts';
import { readIgnoreRules, type IgnoreRules } from './ignore.ts';
import type { BuildRequest } from './request.ts';

/** A file, folder or link of a context. `path` is relative, with `/`. */
interface Entry {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
}

type ContextOf = Pick<BuildRequest, 'context' | 'dockerfile' | 'files'>;

/**
 * Streams the build context as a tar: names in order, modes, times and links kept, owner root, the
 * ignore rules applied here because the daemon applies none to a tar. No file is held in memory.
 *
 * @throws ShipError `config` when the Dockerfile or the ignore rules cannot be read; the stream
 * fails with `build` when a file changes while it is read
 */
export async function packContext(request: ContextOf): Promise<Readable> {
  const { context, dockerfile, files = {} } = request;
  await requireDockerfile(context, dockerfile);
  const rules = await readIgnoreRules(context, dockerfile, () => findGitignores(context));
  const archive = pack();
  const needed = new Set([dockerfile]);
  const entries = walk(context, withFiles(rules, files, needed));
  const filled = fill(archive, context, entries, files).catch((error: unknown) => {
    archive.destroy();
    throw error;
  });
  filled.catch(() => undefined);
  // tar-stream's own stream class lacks what Node's readers expect of one.
  return Readable.from(whole(archive, filled), { objectMode: false });
}

/** A tar that was destroyed under way only ends; whoever filled it knows why. */
async function* whole(archive: Pack, filled: Promise<void>): AsyncGenerator<Buffer> {
  try {
    yield* archive as AsyncIterable<Buffer>;
  } catch (error) {
    await filled;
    throw error;
  }
  await filled;
}

/** Own files replace those of the folder, and the Dockerfile is sent whatever the rules say. */
function withFiles(
  rules: IgnoreRules,
  files: Readonly<Record<string, string>>,
  needed: ReadonlySet<string>,
): IgnoreRules {
  const above = (folder: string): boolean =>
    [...needed].some((path) => path.startsWith(`${folder}/`));
  return {
    ...rules,
    ignores: (path) => path in files || (!needed.has(path) && rules.ignores(path)),
    prunes: (folder) => !above(folder) && rules.prunes(folder),
  };
}

async function requireDockerfile(context: string, dockerfile: string): Promise<void> {
  const stat = await lstat(join(context, dockerfile)).catch(() => undefined);
  if (stat !== undefined && !stat.isDirectory()) return;
  throw new ShipError('config', `${context} has no ${dockerfile}`, {
    hint: 'set images in the config to Dockerfiles of the source tree',
  });
}

/** Every .gitignore of the tree, from the top down. */
async function findGitignores(context: string): Promise<readonly string[]> {
  const found: string[] = [];
  const all = {
    source: '',
    ignores: () => false,
    prunes: (folder: string) => /(^|\/)\.git$/.test(folder),
  };
  for await (const { path } of walk(context, all)) {
    if (/(^|\/)\.gitignore$/.test(path)) found.push(path);
  }
  return found;
}

async function* walk(context: string, rules: IgnoreRules, folder = ''): AsyncGenerator<Entry> {
  const entries = await readdir(join(context, folder), { withFileTypes: true });
  for (const entry of entries.sort(byName)) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    const kind = kindOf(entry);
    if (kind === undefined) continue;
    if (!rules.ignores(path)) yield { path, kind };
    if (kind === 'directory' && !rules.prunes(path)) yield* walk(context, rules, path);
  }
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1;
}

/** Sockets, pipes and devices have no place in a build. */
function kindOf(entry: Dirent): Entry['kind'] | undefined {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : undefined;
}

async function fill(
  archive: Pack,
  context: string,
  entries: AsyncIterable<Entry>,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    archive.entry({ name, mode: 0o644, mtime: new Date(0) }, text);
  }
  for await (const entry of entries) {
    if (archive.destroyed) return;
    await addEntry(archive, context, entry).catch((error: unknown) => {
      throw notSent(join(context, entry.path), error);
    });
  }
  archive.finalize();
}

async function addEntry(archive: Pack, context: string, { path, kind }: Entry): Promise<void> {
  const file = join(context, path);
  const { mode, mtime } = await lstat(file);
  const header: Partial<Header> & { name: string } = {
    name: path,
    mode: mode & 0o7777,
    mtime,
    uid: 0,
    gid: 0,
    type: kind,
  };
  if (kind === 'file') return addFile(archive, file, header);
  if (kind === 'symlink') header.linkname = await readlink(file);
  archive.entry({ ...header, size: 0 });
}

/** Size and bytes come from one descriptor, so that a file replaced meanwhile cannot be mixed. */
async function addFile(
  archive: Pack,
  file: string,
  header: Partial<Header> & { name: string },
): Promise<void> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  const entry = archive.entry({ ...header, size });
  if (size === 0) return void entry.end(undefined);
  const bytes = handle.createReadStream({
    end: size - 1,
    highWaterMark: 1 << 18,
    autoClose: false,
  });
  await pipeline(bytes, entry);
}

/** A file that is not ours to read, or one that went away or shrank under us. */
function notSent(file: string, cause: unknown): ShipError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    return new ShipError('config', `${file} cannot be read: ${code}`, {
      hint: `make it readable, or leave it out by .dockerignore: ls -l ${file}`,
      cause,
    });
  }
  return new ShipError('build', `${file} changed while it was sent`, {
    hint: 'let the tree rest and run ciliumship build again',
    retryable: true,
    cause,
  });
}
