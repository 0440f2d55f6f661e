import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import { loadKubeconfig } from '../../../src/system/kube/config.ts';
import { testFolder } from '../../support/folder.ts';

const bounds = { signal: new AbortController().signal, deadline: 1000 };

interface Entries {
  readonly server?: string;
  readonly current?: string;
  readonly ca?: string;
}

/** A kubeconfig whose cluster, user and context all have one name. */
function kubeconfig(
  name: string,
  { server = 'https://a', current = '', ca }: Entries = {},
): string {
  return JSON.stringify({
    clusters: [{ name, cluster: { server, 'certificate-authority': ca } }],
    users: [{ name, user: { token: `token of ${server}` } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': current,
  });
}

function write(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const load = (files: readonly string[], context?: string) =>
  loadKubeconfig({ files }, context, bounds);

function errorOf(run: () => unknown): ShipError {
  try {
    run();
  } catch (error) {
    if (error instanceof ShipError) return error;
    throw error;
  }
  return expect.unreachable('it did not fail');
}

describe('several kubeconfigs are merged as kubectl does', () => {
  test('contexts of all of them can be used', () => {
    const folder = testFolder();
    const files = [
      write(folder, 'a', kubeconfig('a', { current: 'a' })),
      write(folder, 'b', kubeconfig('b', { server: 'https://b' })),
    ];
    expect(load(files).getCurrentCluster()?.server).toBe('https://a');
    expect(load(files, 'b').getCurrentCluster()?.server).toBe('https://b');
  });

  test('of equal names the first wins, and a double name is no error', () => {
    const folder = testFolder();
    const files = [
      write(folder, 'a', kubeconfig('default', { current: 'default' })),
      write(folder, 'b', kubeconfig('default', { server: 'https://b', current: 'default' })),
    ];
    const config = load(files);
    expect(config.getCurrentCluster()?.server).toBe('https://a');
    expect(config.getCurrentUser()?.token).toBe('token of https://a');
  });

  test('the first that chooses a context is followed', () => {
    const folder = testFolder();
    const files = [
      write(folder, 'a', kubeconfig('a')),
      write(folder, 'b', kubeconfig('b', { server: 'https://b', current: 'b' })),
    ];
    expect(load(files).getCurrentCluster()?.server).toBe('https://b');
  });

  test('a missing and an empty file are passed over', () => {
    const folder = testFolder();
    const files = [
      join(folder, 'missing'),
      write(folder, 'empty', '\n'),
      write(folder, 'a', kubeconfig('a', { current: 'a' })),
    ];
    expect(load(files).getCurrentCluster()?.server).toBe('https://a');
  });

  test('certificates are looked for beside the file that names them', () => {
    const folder = testFolder();
    mkdirSync(join(folder, 'one'));
    mkdirSync(join(folder, 'two'));
    const files = [
      write(join(folder, 'one'), 'config', kubeconfig('a', { current: 'a', ca: 'ca.crt' })),
      write(join(folder, 'two'), 'config', kubeconfig('b', { ca: 'ca.crt' })),
    ];
    expect(load(files, 'a').getCurrentCluster()?.caFile).toBe(join(folder, 'one', 'ca.crt'));
    expect(load(files, 'b').getCurrentCluster()?.caFile).toBe(join(folder, 'two', 'ca.crt'));
  });
});

describe('a kubeconfig that cannot be used is a failure of the configuration', () => {
  test('when there is no file at all', () => {
    const error = errorOf(() => load(['/nowhere/a', '/nowhere/b']));
    expect(error.kind).toBe('config');
    expect(error.message).toContain('/nowhere/a or /nowhere/b');
  });

  test('when one is no kubeconfig, and it is named', () => {
    const folder = testFolder();
    const good = write(folder, 'good', kubeconfig('a', { current: 'a' }));
    const bad = write(folder, 'bad', 'clusters: [');
    const error = errorOf(() => load([good, bad]));
    expect(error.kind).toBe('config');
    expect(error.message).toContain(bad);
    expect(error.message).not.toContain(good);
  });

  test('when it has no such context, and those that there are are named', () => {
    const file = write(testFolder(), 'config', kubeconfig('office', { current: 'office' }));
    const error = errorOf(() => load([file], 'lab-2'));
    expect(error.kind).toBe('config');
    expect(error.message).toContain('lab-2');
    expect(error.hint).toContain('office');
  });

  test.each(['', 'gone'])('when its current context is "%s"', (current) => {
    const text = kubeconfig('a', { current });
    expect(errorOf(() => loadKubeconfig({ text }, undefined, bounds)).kind).toBe('config');
  });
});
