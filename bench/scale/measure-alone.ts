import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { processorSeconds, watchMemory } from '../processes.ts';
import type { Alone } from './row.ts';

const EVERY = 50;

/**
 * Runs a program of Node and measures it from this side only.
 *
 * @throws Error with its last lines when it fails
 */
export async function measureAlone(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Alone> {
  const started = performance.now();
  const child = execa(process.execPath, [...argv], {
    env,
    all: true,
    stdin: 'ignore',
    reject: false,
  });
  const pid = child.pid ?? 0;
  const memory = watchMemory(pid);
  const peak = { kilobytes: 0, seconds: 0 };
  const timer = setInterval(() => {
    peak.kilobytes = Math.max(peak.kilobytes, peakKilobytes(pid));
    peak.seconds = Math.max(peak.seconds, processorSeconds(pid));
  }, EVERY);
  const { exitCode, all } = await child;
  clearInterval(timer);
  const seconds = (performance.now() - started) / 1000;
  const allRssMB = Math.round(memory.stop());
  if (exitCode !== 0) throw new Error(`push failed:\n${all.split('\n').slice(-12).join('\n')}`);
  return {
    seconds: Math.round(seconds * 100) / 100,
    rssMB: Math.round((peak.kilobytes * 1024) / 1e6),
    allRssMB,
    cpuSeconds: Math.round(peak.seconds * 100) / 100,
  };
}

/** What the kernel itself noted as the most; 0 when the process has ended. */
function peakKilobytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
