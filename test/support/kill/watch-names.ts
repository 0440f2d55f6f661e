import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

/** An image as containerd must have it: all of its blobs, and all of its layers unpacked. */
export interface WholeImage {
  readonly manifest: string;
  readonly blobs: readonly string[];
  /** Key of the snapshot of its top layer. */
  readonly chain: string;
}

/** What someone saw who looked at the final names all the time. */
export interface Seen {
  /** How often a name was looked at and found to be an image. */
  readonly looks: number;
  /** What no name may ever be. */
  readonly broken: readonly string[];
}

const EVERY = 20;
const { root } = protobuf.parse(`syntax = "proto3";
message Get { string name = 1; }
message Target { string digest = 2; }
message Image { Target target = 3; }
message Got { Image image = 1; }
message Info { string digest = 1; }
message Stat { string snapshotter = 1; string key = 2; }`);
const NAMESPACE = new Metadata();
NAMESPACE.set('containerd-namespace', 'k8s.io');

/**
 * Asks a containerd for names every 20 ms, past ctr, which takes longer than that to start. A name
 * that is there must be one of the images, and whole.
 *
 * @param pid the first process of the node, whose file system has the socket
 */
export function watchNames(
  pid: number,
  names: readonly string[],
  images: readonly WholeImage[],
): { stop(): Promise<Seen> } {
  const client = new Client(
    `unix:/proc/${pid}/root/run/k3s/containerd/containerd.sock`,
    credentials.createInsecure(),
    { 'grpc.initial_reconnect_backoff_ms': EVERY, 'grpc.max_reconnect_backoff_ms': 5 * EVERY },
  );
  const over = new AbortController();
  const seen = { looks: 0, broken: [] as string[] };
  const watching = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      for (const name of names) await look(client, name, images, seen);
      await sleep(EVERY);
    }
  })();
  return {
    stop: async () => {
      over.abort();
      await watching;
      client.close();
      return seen;
    },
  };
}

async function look(
  client: Client,
  name: string,
  images: readonly WholeImage[],
  seen: { looks: number; broken: string[] },
): Promise<void> {
  const target = await targetOf(client, name);
  if (target === undefined) return;
  const image = images.find(({ manifest }) => manifest === target);
  const lacks = image === undefined ? 'is no image of ours' : await lackOf(client, image);
  // What a name has left meanwhile may be collected.
  if (lacks !== undefined && (await targetOf(client, name)) === target)
    seen.broken.push(`${name} at ${target}: ${lacks}`);
  else seen.looks += 1;
}

/** Undefined when there is no such name, and when containerd was killed and cannot say. */
async function targetOf(client: Client, name: string): Promise<string | undefined> {
  const answer = await ask(client, '/containerd.services.images.v1.Images/Get', 'Get', { name });
  if (!Buffer.isBuffer(answer)) return undefined;
  const got = root.lookupType('Got').decode(answer) as { image?: { target?: { digest: string } } };
  return got.image?.target?.digest;
}

async function lackOf(client: Client, { blobs, chain }: WholeImage): Promise<string | undefined> {
  for (const digest of blobs) {
    const has = await ask(client, '/containerd.services.content.v1.Content/Info', 'Info', {
      digest,
    });
    if (has === status.NOT_FOUND) return `blob ${digest} is missing`;
  }
  const snapshot = { snapshotter: 'overlayfs', key: chain };
  const has = await ask(
    client,
    '/containerd.services.snapshots.v1.Snapshots/Stat',
    'Stat',
    snapshot,
  );
  return has === status.NOT_FOUND ? 'it is not unpacked' : undefined;
}

/** @returns the answer, or the status of a failure */
function ask(
  client: Client,
  method: string,
  type: string,
  message: Readonly<Record<string, string>>,
): Promise<Buffer | status> {
  const request = Buffer.from(root.lookupType(type).encode(message).finish());
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    const answered = (error: ServiceError | null, answer?: Buffer): void =>
      resolve(error === null ? (answer ?? Buffer.alloc(0)) : error.code);
    const options = { deadline: Date.now() + 5_000 };
    client.makeUnaryRequest(method, same, same, request, NAMESPACE, options, answered);
  });
}
