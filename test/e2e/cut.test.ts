import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pack } from 'tar-stream';
import { SSH_CONFIG } from '../../lab/ssh.ts';
import { sshPorts } from '../../lab/nodes.ts';
import { ciliumship } from '../support/cli.ts';
import { changedConfig, labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart, until } from '../support/parts.ts';
import { startBadLink, type BadLink } from '../support/tcp-proxy.ts';

const missing = await missingPart('the lab', requireLab);
const IMAGE = 'cut.local/big';
const SIZE = 40_000_000;
const MIB = 1024 * 1024;

let link: BadLink;
let sshConfig: string;
let count = 0;

/** An image of one layer that does not compress, which no node has yet. */
async function newImage(): Promise<string> {
  count += 1;
  const archive = pack();
  archive.entry({ name: 'big' }, randomBytes(SIZE));
  archive.finalize();
  const name = `${IMAGE}:${process.pid}-${count}`;
  await execa('docker', ['import', '--platform', 'linux/amd64', '-', name], {
    input: Readable.from(archive),
  });
  return name;
}

async function push(image: string, ...more: readonly string[]) {
  const config = changedConfig((text) =>
    text.replace('extraImages:', `extraImages:\n  - ${image}`),
  );
  const args = ['push', '--no-build', '--nodes', 'worker', '--max-rate', '20MB', '-o', 'json'];
  const env = { ...labEnvironment(config), CILIUMSHIP_SSH_CONFIG: sshConfig };
  return ciliumship([...args, ...more], { env });
}

async function cutAfter(bytes: number): Promise<void> {
  const before = link.sent;
  await until('bytes on the wire', 60, () => link.sent - before > bytes);
  link.cut();
}

beforeAll(async () => {
  if (missing !== undefined) return;
  const port = (await sshPorts()).get('worker') ?? 0;
  link = await startBadLink(port);
  const text = readFileSync(SSH_CONFIG, 'utf8');
  sshConfig = join(mkdtempSync(join(tmpdir(), 'ciliumship-cut-')), 'ssh_config');
  const through = `Port ${link.port}\n  HostKeyAlias [127.0.0.1]:${port}`;
  writeFileSync(sshConfig, text.replace(`Port ${port}`, through));
});

afterEach(async () => {
  if (missing !== undefined) return;
  const script = `k3s ctr -n k8s.io images ls -q | grep ^${IMAGE} | xargs -r k3s ctr -n k8s.io images rm`;
  await onNode(nodeNamed('worker'), 'sh', '-c', script);
});

afterAll(async () => {
  await link?.stop();
  const { stdout } = await execa('docker', ['images', '-q', IMAGE]);
  for (const id of stdout.split('\n').filter((line) => line !== '')) {
    await execa('docker', ['rmi', '-f', id], { reject: false });
  }
});

describe.skipIf(missing !== undefined)('a connection that is cut while a layer is sent', () => {
  it('F16: is taken up again by itself, and little is sent twice', async () => {
    const image = await newImage();
    const before = link.sent;
    const [ended] = await Promise.all([push(image), cutAfter(SIZE / 2)]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(link.sent - before).toBeLessThan(SIZE + 8 * MIB);
  });

  it('F15: and not taken up is exit 5, and the rerun goes on where it was cut', async () => {
    const image = await newImage();
    const before = link.sent;
    const giveUp = (text: string): string => `${text}\ntransfer: { retry: 0s }\n`;
    const config = changedConfig((text) =>
      giveUp(text.replace('extraImages:', `extraImages:\n  - ${image}`)),
    );
    const [ended] = await Promise.all([push(image, '--config', config), cutAfter(SIZE / 2)]);
    expect(ended.code).toBe(5);
    expect(ended.stderr).toContain('run the same command again');
    const again = await push(image);
    expect(again.code, again.stderr).toBe(0);
    expect(link.sent - before).toBeLessThan(SIZE + 8 * MIB);
  });
});
