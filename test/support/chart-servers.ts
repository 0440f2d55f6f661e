import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';

/** A server of this machine; `address` is `127.0.0.1:PORT`. */
export interface ChartServer extends AsyncDisposable {
  readonly address: string;
}

/** A folder of charts with its index, as `helm repo index` left it. */
export function serveRepository(folder: string): Promise<ChartServer> {
  return serve((request, response) => {
    response.end(readFileSync(join(folder, basename(request.url ?? ''))));
  });
}

/** A registry that holds one chart, under one name and one tag, and can only be read. */
export function serveRegistry(chart: string, name: string, version: string): Promise<ChartServer> {
  const layer = readFileSync(chart);
  const config = Buffer.from(JSON.stringify({ name, version, apiVersion: 'v2' }));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: described('application/vnd.cncf.helm.config.v1+json', config),
      layers: [described('application/vnd.cncf.helm.chart.content.v1.tar+gzip', layer)],
    }),
  );
  const found = new Map([
    [`/v2/${name}/manifests/${version}`, manifest],
    ...[manifest, config, layer].flatMap((blob) => [
      [`/v2/${name}/manifests/${digestOf(blob)}`, blob] as const,
      [`/v2/${name}/blobs/${digestOf(blob)}`, blob] as const,
    ]),
  ]);
  return serve((request, response) => {
    const blob = request.url === '/v2/' ? Buffer.from('{}') : found.get(request.url ?? '');
    if (blob === undefined) return response.writeHead(404).end('{"errors":[]}');
    response.writeHead(200, {
      'content-type': blob === manifest ? MANIFEST : 'application/octet-stream',
      'content-length': blob.length,
      'docker-content-digest': digestOf(blob),
    });
    return response.end(request.method === 'HEAD' ? undefined : blob);
  });
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function described(mediaType: string, blob: Buffer) {
  return { mediaType, digest: digestOf(blob), size: blob.length };
}

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<ChartServer> {
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
