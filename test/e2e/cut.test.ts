import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SSH_CONFIG } from '../../lab/ssh.ts';
import { sshPorts } from '../../lab/nodes.ts';
import { ciliumship } from '../support/cli.ts';
import { configWithImage, makeExtraImage, removeExtraImages } from '../support/extra-image.ts';
import { labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart, until } from '../support/parts.ts';
import { startBadLink, type BadLink } from '../support/tcp-proxy.ts';

const missing = await missingPart('the lab', requireLab);
const IMAGE = 'cut.local/big';
const SIZE = 40_000_000;
/** What is sent again, and what was still in the sockets on both sides of the link. */
const AGAIN = 16 * 1024 * 1024;

let link: BadLink;
let sshConfig: string;
let count = 0;

/** An image that no node has yet. */
async function newImage(): Promise<string> {
  count += 1;
  const name = `${IMAGE}:${process.pid}-${count}`;
  await makeExtraImage(name, SIZE);
  return name;
}

/** Ships it as it is: a patch between random bytes is as large as they are, now and then smaller. */
async function push(image: string, retry = '2m') {
  const args = ['push', '--no-build', '--nodes', 'worker', '--max-rate', '20MB'];
  const transfer = `transfer: { patch: never, retry: ${retry} }\n`;
  const env = labEnvironment(configWithImage(image, transfer));
  return ciliumship(args, { env: { ...env, CILIUMSHIP_SSH_CONFIG: sshConfig } });
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

afterAll(async () => {
  if (missing !== undefined) return;
  await link.stop();
  await removeExtraImages('cut.local');
});

describe.skipIf(missing !== undefined)('a connection that is cut while a layer is sent', () => {
  it('F16: is taken up again by itself, and little is sent twice', async () => {
    const image = await newImage();
    const before = link.sent;
    const [ended] = await Promise.all([push(image), cutAfter((SIZE * 3) / 4)]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(link.sent - before).toBeLessThan(SIZE + AGAIN);
  });

  it('F15: and not taken up is exit 5, and the rerun goes on where it was cut', async () => {
    const image = await newImage();
    const before = link.sent;
    const [ended] = await Promise.all([push(image, '0s'), cutAfter((SIZE * 3) / 4)]);
    expect(ended.code).toBe(5);
    expect(ended.stderr).toContain('run the same command again');
    const again = await push(image);
    expect(again.code, again.stderr).toBe(0);
    expect(link.sent - before).toBeLessThan(SIZE + AGAIN);
  });
});
