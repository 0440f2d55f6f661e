import { digestOf } from '../../src/core/digest.ts';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';

/** A server of this machine; `address` is `127.0.0.1:PORT`. */
export interface TestServer extends AsyncDisposable {
  readonly address: string;
}

/** A folder of charts with its index, as `helm repo index` left it. */
export function serveRepository(folder: string): Promise<TestServer> {
  return serve((request, response) => {
    response.end(readFileSync(join(folder, basename(request.url ?? ''))));
  });
}

/** Bytes of a registry, and what they are. */
export interface RegistryBlob {
  readonly type: string;
  readonly bytes: Buffer;
}

/** What a registry holds under one name and one tag: an image or a chart. */
export interface Artifact {
  readonly name: string;
  readonly tag: string;
  /** Media type of its manifest. */
  readonly type: string;
  readonly config: RegistryBlob;
  readonly layers: readonly RegistryBlob[];
}

/** A packed chart as a registry keeps it. */
export function chartArtifact(file: string, name: string, version: string): Artifact {
  const config = Buffer.from(JSON.stringify({ name, version, apiVersion: 'v2' }));
  const layer = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
  return {
    name,
    tag: version,
    type: 'application/vnd.oci.image.manifest.v1+json',
    config: { type: 'application/vnd.cncf.helm.config.v1+json', bytes: config },
    layers: [{ type: layer, bytes: readFileSync(file) }],
  };
}

/** A registry that holds one artifact and can only be read. */
export function serveRegistry({ name, tag, type, config, layers }: Artifact): Promise<TestServer> {
  const parts = { config: described(config), layers: layers.map(described) };
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, ...parts }));
  const found = new Map([
    [`/v2/${name}/manifests/${tag}`, manifest],
    [`/v2/${name}/manifests/${digestOf(manifest)}`, manifest],
    ...[config, ...layers].map(
      ({ bytes }) => [`/v2/${name}/blobs/${digestOf(bytes)}`, bytes] as const,
    ),
  ]);
  return serve((request, response) => {
    const blob = request.url === '/v2/' ? Buffer.from('{}') : found.get(request.url ?? '');
    if (blob === undefined) return response.writeHead(404).end('{"errors":[]}');
    response.writeHead(200, {
      'content-type': blob === manifest ? type : 'application/octet-stream',
      'content-length': blob.length,
      'docker-content-digest': digestOf(blob),
    });
    return response.end(request.method === 'HEAD' ? undefined : blob);
  });
}

function described({ type, bytes }: RegistryBlob) {
  return { mediaType: type, digest: digestOf(bytes), size: bytes.length };
}

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<TestServer> {
  const server: Server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
