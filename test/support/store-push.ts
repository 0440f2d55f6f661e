import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ciliumship, type Ended } from './cli.ts';
import { makeSshFiles, type SshFiles } from './ssh-files.ts';
import { startStoreNode, type StoreNode, type StoreNodeOptions } from './store-node.ts';

/** One store node, and the folder of someone who ships one image to it. */
export interface StoreShip {
  readonly node: StoreNode;
  readonly ssh: SshFiles;
  readonly env: NodeJS.ProcessEnv;
  /** `ciliumship push --no-build`, with more config at its end and more of what the runner takes. */
  push(more?: string, options?: Parameters<typeof ciliumship>[1]): Promise<Ended>;
  /** Writes that config, for a push that is run in another way. */
  configure(more?: string): void;
  remove(): Promise<void>;
}

const NODE = 'store';

/** Starts a node, and makes a config that ships `image` to it, under a home of its own. */
export async function openStoreShip(
  image: string,
  options: StoreNodeOptions = {},
): Promise<StoreShip> {
  const ssh = makeSshFiles();
  const home = mkdtempSync(join(tmpdir(), 'ciliumship-store-'));
  const node = await startStoreNode(join(ssh.folder, NODE), options);
  ssh.addHost(NODE, node);
  const file = join(home, 'ciliumship.yaml');
  const env = {
    CILIUMSHIP_CONFIG: file,
    CILIUMSHIP_SSH_CONFIG: ssh.config,
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_STATE_HOME: join(home, 'state'),
  };
  const configure = (more = ''): void => writeFileSync(file, configOf(image, more));
  return {
    ...{ node, ssh, env },
    configure,
    push: async (more = '', run = {}) => {
      configure(more);
      return ciliumship(['push', '--no-build', '--lock-wait', '1m'], { env, ...run });
    },
    remove: async () => {
      await node.stop();
      ssh.remove();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function configOf(image: string, more: string): string {
  return `version: 1
source: .
tag: dev
nodes:
  ${NODE}: { ssh: ${NODE}, role: server, profile: ${NODE}, dataInterface: eth0, dataAddress: 10.200.0.1/24 }
images: {}
extraImages: [${image}]
${more}
`;
}
