import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { report } from '../../../src/commands/report.ts';
import { testContext } from '../../support/context.ts';
import { ENCODINGS } from '../../support/encodings.ts';
import { testFolder } from '../../support/folder.ts';

const SECRETS = Array.from({ length: 12 }, (_, at) => `canary ${at}: "x"/${'kü5r'.repeat(3)}${at}`);
const CONFIG = 'version: 1\nsource: .\nnodes:\n  master: { ssh: master, role: server }\n';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A folder with everything that a report takes up, and where the report goes. */
function place() {
  const folder = testFolder();
  for (const own of ['receipts', 'evidence/2026-01-01', 'state/ciliumship/logs', 'kube']) {
    mkdirSync(
      join(folder, own.startsWith('state') || own === 'kube' ? own : `.ciliumship/${own}`),
      {
        recursive: true,
      },
    );
  }
  vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'));
  vi.stubEnv('DOCKER_CONFIG', folder);
  vi.stubEnv('KUBECONFIG', join(folder, 'kube', 'config'));
  vi.stubEnv('DOCKER_HOST', `unix://${folder}/no.sock`);
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('ciliumship.yaml', CONFIG);
  return { folder, write, file: join(folder, 'report.tar.gz') };
}

async function run(folder: string, file: string, flags: object = {}) {
  const given = { config: join(folder, 'ciliumship.yaml'), local: true, ...flags };
  const { context, lines } = testContext(folder, given);
  await report.runBare({ ...context, args: [file], flags: { output: 'text', ...given } });
  return lines;
}

async function textsOf(file: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for await (const entry of Readable.from([gunzipSync(readFileSync(file))]).pipe(extract())) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    texts.set(entry.header.name, Buffer.concat(chunks).toString());
  }
  return texts;
}

describe('report', () => {
  test('has versions, config, lock, logs, receipts and evidence, for its owner only', async () => {
    const { folder, write, file } = place();
    write('ciliumship.lock', '{"lock":1}');
    write('.ciliumship/receipts/0001.json', '{"receipt":1}');
    write('.ciliumship/evidence/2026-01-01/error.txt', 'it crashed');
    write('state/ciliumship/logs/1.log', 'a line');
    const lines = await run(folder, file);
    const texts = await textsOf(file);
    expect([...texts.keys()]).toEqual([
      'README.txt',
      'versions.json',
      'machine.json',
      'config/ciliumship.yaml',
      'logs/1.log',
      'config/ciliumship.lock',
      'receipts/0001.json',
      'evidence/2026-01-01/error.txt',
    ]);
    expect(texts.get('config/ciliumship.yaml')).toBe(CONFIG);
    expect(texts.get('versions.json')).toContain('"ciliumship"');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(lines.join('')).toContain('next: read it before you hand it on: tar -xzOf');
  });

  test('D9: never holds one of twelve secrets, in any of six encodings', async () => {
    const { folder, write, file } = place();
    const [a, b, c, d, e, f, ...rest] = SECRETS.map((secret) => JSON.stringify(secret));
    const args = `images:\n  a: { name: x/a, dockerfile: D, buildArgs: { API_KEY: ${a} } }\n`;
    write('ciliumship.yaml', `${CONFIG}${args}deploy: { values: v.yaml }\n`);
    write(
      'v.yaml',
      `tls: { ca: { privateKey: ${b} } }\nextraEnv:\n  - { name: PASSWORD, value: ${c} }\n`,
    );
    const kubeconfig = `users:\n  - user: { token: ${d}, password: ${e}, client-key-data: ${f} }\n`;
    write('kube/config', kubeconfig);
    const auths = rest
      .slice(0, 3)
      .map((secret, at) => [`r${at}`, { identitytoken: JSON.parse(secret ?? '') }]);
    write('config.json', JSON.stringify({ auths: Object.fromEntries(auths) }));
    const values = rest.slice(3).map((secret) => JSON.parse(secret) as string);
    values.forEach((secret, at) => vi.stubEnv(`MY_${at}_SECRET`, secret));
    const everything = Object.values(ENCODINGS).flatMap((encode) => SECRETS.map(encode));
    write('state/ciliumship/logs/1.log', everything.join('\n'));
    write('.ciliumship/receipts/0001.json', everything.join('\n'));
    write(
      '.ciliumship/evidence/2026-01-01/error.txt',
      everything.map((text) => `<${text}>`).join(),
    );
    await run(folder, file);
    const texts = await textsOf(file);
    expect(texts.size).toBe(8);
    for (const [name, text] of texts) {
      for (const secret of everything)
        expect(text.includes(secret), `${name}: ${secret}`).toBe(false);
    }
    expect(texts.get('logs/1.log')?.split('[hidden]').length).toBeGreaterThan(everything.length);
  });

  test('is made of a broken config too, and says what is wrong with it', async () => {
    const { folder, write, file } = place();
    write('ciliumship.yaml', 'version: 1\nnodess: {}\n');
    await run(folder, file);
    const texts = await textsOf(file);
    expect(texts.get('config/problems.txt')).toContain('did you mean nodes?');
    expect(texts.get('config/ciliumship.yaml')).toContain('nodess');
  });

  test('follows no link that a repository brought, and takes no file for values that is none', async () => {
    const { folder, write, file } = place();
    write('id_ed25519', 'somebody’s');
    symlinkSync(join(folder, 'id_ed25519'), join(folder, '.ciliumship/receipts/0001.json'));
    symlinkSync(join(folder, 'kube'), join(folder, '.ciliumship/evidence/2026-01-02'));
    write('kube/config', 'somebody’s');
    write('ciliumship.yaml', `${CONFIG}deploy: { values: id_ed25519 }\n`);
    await run(folder, file);
    const all = [...(await textsOf(file)).values()].join('\n');
    expect(all).not.toContain('somebody’s');
    expect(all).toContain('holds no values');
  });

  test('leaves a file that is there alone, and writes none in a dry run', async () => {
    const { folder, write, file } = place();
    await run(folder, file, { dryRun: true });
    expect(() => statSync(file)).toThrow('ENOENT');
    write('report.tar.gz', 'mine');
    await expect(run(folder, file)).rejects.toMatchObject({ kind: 'usage' });
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });
});
