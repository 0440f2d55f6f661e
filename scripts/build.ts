import { createRequire } from 'node:module';
import { rmSync } from 'node:fs';
import { rolldown } from 'rolldown';
import type License from 'rollup-plugin-license';

/**
 * `npm run build`: writes `dist`, in few files. Most of a start is finding, reading and compiling what
 * is imported, and what that imports: bundled, `ciliumship --help` answers in 0.16 s and not in 0.35,
 * and the Kubernetes client, 2700 files, is loaded in 0.15 s and not in 0.32
 * (docs/decisions/0005-bundled.md).
 */

/** They read files of their own by their paths, or parts that each machine compiles for itself. */
const AS_THEY_ARE = [
  /^ssh2($|\/)/,
  /^dockerode($|\/)/,
  /^@grpc\/grpc-js($|\/)/,
  /^protobufjs($|\/)/,
];

// A CommonJS module whose types say that it had a default export.
const license = createRequire(import.meta.url)('rollup-plugin-license') as typeof License.default;

rmSync('dist', { recursive: true, force: true });
const bundle = await rolldown({
  input: { cli: 'src/cli.ts', api: 'src/api.ts' },
  platform: 'node',
  external: AS_THEY_ARE,
  // `using` is new in Node 24.
  transform: { target: 'node22.13' },
  plugins: [license({ thirdParty: { output: 'dist/THIRD-PARTY-LICENSES.txt' } })],
});
await bundle.write({ dir: 'dist', chunkFileNames: 'chunks/[name]-[hash].js' });
