import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';

// Machines of its own: the other tests need a cluster that stays. What follows reads the name.
const around = process.env['CILIUMSHIP_LAB'];
const LAB_NAME = around ? `bare-${around}` : 'bare';
process.env['CILIUMSHIP_LAB'] = LAB_NAME;
const { onNode } = await import('../../lab/nodes.ts');
const { containerOf, NODES, nodeNamed, STATE, TAG } = await import('../../lab/settings.ts');
const { CONFIG } = await import('../../lab/files.ts');
const { SSH_CONFIG } = await import('../../lab/ssh.ts');
const { writeTree } = await import('../../lab/tree-source.ts');
const { makeFlannel } = await import('../../lab/flannel.ts');

const [MASTER, WORKER] = [nodeNamed('master'), nodeNamed('worker')];
const LAB = resolve(import.meta.dirname, '../../lab/cli.ts');
const CONFIRM = ['--confirm', 'master', 'worker'];
const STOCK = join(STATE, 'stock');

const missing =
  onlyInAll('four minutes, with machines of its own') ??
  (await missingPart('Docker', () => execa('docker', ['info'])));
const env = {
  // Whoever runs this may have one of another cluster; that of the new one is fetched from its server.
  KUBECONFIG: '',
  CILIUMSHIP_CONFIG: CONFIG,
  CILIUMSHIP_SSH_CONFIG: SSH_CONFIG,
  PATH: `${join(STATE, 'bin')}:${process.env['PATH']}`,
  HOME: process.env['HOME'],
};

async function lab(...args: readonly string[]): Promise<void> {
  await execa('node', [LAB, ...args], { env: { CILIUMSHIP_LAB: LAB_NAME } });
}

/** Runs a command that must end well, and gives its result. */
async function did(...args: readonly string[]): Promise<string> {
  const ended = await ciliumship(args, { env });
  expect(ended.code, `${args.join(' ')}\n${ended.stderr}`).toBe(0);
  return ended.stdout;
}

/** Files as somebody else publishes them, at an address. */
const published = new Map<string, Buffer>();
const server = createServer((request, response) => {
  const body = published.get(request.url ?? '');
  response.writeHead(body === undefined ? 404 : 200).end(body);
});

/** `{ KEY: ADDRESS, sha256: … }` of a file that is served. */
function publish(key: string, name: string, body: Buffer): string {
  published.set(`/${name}`, body);
  const { port } = server.address() as AddressInfo;
  const sum = createHash('sha256').update(body).digest('hex');
  return `{ ${key}: http://127.0.0.1:${port}/${name}, sha256: ${sum} }`;
}

/** A published chart and its images, as somebody would have them who never saw the patch. */
async function makeStock(): Promise<void> {
  await writeTree(STOCK, { stock: true });
  const tag = `${TAG}-stock`;
  const config = readFileSync(CONFIG, 'utf8');
  const file = join(STATE, 'stock.yaml');
  writeFileSync(
    file,
    config.replace(/^source: .*$/m, `source: ${STOCK}`).replace(/^tag: .*$/m, `tag: ${tag}`),
  );
  await did('build', '--config', file);
  const values = [
    `image: { override: quay.io/cilium/cilium:${tag} }`,
    `operator: { image: { override: quay.io/cilium/operator-generic:${tag} } }`,
  ];
  writeFileSync(join(STATE, 'stock-values.yaml'), values.join('\n'));
}

async function tgz(folder: string, ...what: readonly string[]): Promise<Buffer> {
  const { stdout } = await execa('tar', ['-C', folder, '-cz', ...what], { encoding: 'buffer' });
  return Buffer.from(stdout);
}

/** Chart and manifest by URL, plugins by path. */
async function publishAll(): Promise<void> {
  await new Promise<void>((resolved) => server.listen(0, '127.0.0.1', resolved));
  const manifest = readFileSync(await makeFlannel(() => undefined));
  const chart = await tgz(join(STOCK, 'install/kubernetes'), 'cilium');
  const plugins = join(STATE, 'plugins.tgz');
  const pack = ['exec', containerOf(MASTER), 'tar', '-C', '/usr/lib/cni', '-cz', '.'];
  writeFileSync(plugins, (await execa('docker', pack, { encoding: 'buffer' })).stdout);
  const cilium = publish('chart', 'cilium-1.19.0.tgz', chart).replace(
    ' }',
    ', values: stock-values.yaml }',
  );
  appendFileSync(
    CONFIG,
    `cni:
  flannel: ${publish('manifest', 'kube-flannel.yml', manifest)}
  cilium: ${cilium}
  plugins: { archive: ${plugins} }
`,
  );
}

describe.skipIf(missing !== undefined)('the whole way', () => {
  beforeAll(async () => {
    await lab('down');
    await lab('up', '--bare');
    await makeStock();
    await publishAll();
  });
  afterAll(async () => {
    server.close();
    await lab('down');
  });

  it(
    'E14: leads from bare machines to Cilium, to a patched one, to Flannel and back',
    async () => {
      const looked = await ciliumship(['preflight', '-o', 'json'], { env });
      const { checks } = looked.json() as { checks: { check: string; state: string }[] };
      const open = checks.filter(({ state }) => state === 'failed').map(({ check }) => check);
      expect(open, looked.stderr).toEqual(['API server of master']);

      await did('harden');
      await did('k3s', 'install');
      expect(await did('cni', 'install', 'cilium')).toContain('2 ok');
      expect(await did('cni', 'status')).toContain('cilium · 4 ok');
      const stock = await onNode(MASTER, 'k3s', 'kubectl', ...RUNNING);
      expect(stock).toContain(`${TAG}-stock-`);

      await did('ship');
      const patched = await onNode(MASTER, 'k3s', 'kubectl', ...RUNNING);
      expect(patched).toContain(`:${TAG}-`);
      expect(patched).not.toContain('stock');

      const other = await ciliumship(['cni', 'install', 'flannel'], { env });
      expect(other.code).toBe(2);
      expect(other.stderr).toContain('cilium left things behind');
      expect(other.stderr).toContain('ciliumship reset --confirm master worker');

      await did('reset', ...CONFIRM);
      await did('k3s', 'install');
      // As on machines without them: K3s brings its own only with its own Flannel.
      for (const node of NODES) await onNode(node, 'sh', '-c', 'rm -r /opt/cni/bin/*');
      expect(await did('cni', 'install', 'flannel')).toContain('2 ok');
      expect(await did('cni', 'status')).toContain('flannel · 4 ok');
      const wire = await onNode(WORKER, 'ip', '-d', 'link', 'show', 'flannel.1');
      expect(wire).toContain(`dev ${WORKER.dataInterface}`);

      await did('reset', ...CONFIRM);
      expect(await did('reset')).toMatch(/master\s+nothing to do\nworker\s+nothing to do/);
      for (const node of NODES) {
        const links = await onNode(node, 'ip', '-o', 'link');
        expect(links).not.toMatch(/cilium|flannel|cni0|veth[0-9a-f]{8}@/);
        expect(await onNode(node, 'ls', '-A', '/etc/cni/net.d').catch(() => '')).toBe('');
      }
    },
    20 * 60_000,
  );
});

const RUNNING = [
  ...['-n', 'kube-system', 'get', 'pods', '-l', 'k8s-app=cilium'],
  ...['-o', 'jsonpath={.items[*].spec.containers[0].image}'],
] as const;
