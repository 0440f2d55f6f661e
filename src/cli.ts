#!/usr/bin/env node
import nodeModule from 'node:module';
import v8 from 'node:v8';
import { compiledFolder } from './system/compiled.ts';

/**
 * Node keeps what it compiles, which saves a third of every start. In a folder of our own: the one
 * that Node would take lies in /tmp, where others can put code for us.
 */
function keepCompiled(): void {
  const folder = compiledFolder(import.meta.filename);
  if (folder !== undefined) nodeModule.enableCompileCache(folder);
}

/**
 * V8 lets the space of new objects grow while many of them live, as when a hundred nodes answer, and
 * never makes it small again: a push to one node held 180 MB and holds 130 without that, for as many
 * processor seconds. What we move is bytes, and they lie elsewhere.
 */
function stayLean(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}

/** Before anything is loaded that an old Node does not even read. */
function requireNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) return;
  process.stderr.write(`ciliumship needs Node 22.13 or newer; this is ${process.versions.node}\n`);
  process.stderr.write('  next: install a newer Node, for example: npm install --global node@24\n');
  process.exit(2);
}

requireNode();
stayLean();
keepCompiled();
// What was imported above is compiled by now; all else comes through the cache.
await import('./main.ts');
