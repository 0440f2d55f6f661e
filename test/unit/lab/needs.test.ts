import { describe, expect, it } from 'vitest';
import { whyNotStart } from '../../../lab/docker.ts';
import { newEnough } from '../../../lab/go.ts';
import { missingText } from '../../../lab/packages.ts';

describe('Go', () => {
  it.each(['go1.24', 'go1.24.0', 'go1.26.8', 'go2.0', 'devel go1.25-abcdef'])('may be %s', (go) => {
    expect(newEnough(go)).toBe(go);
  });

  it.each(['go1.23.9', 'go1.9', ''])('may not be %j', (go) => {
    expect(() => newEnough(go)).toThrow(/too old .*\n {2}next: install Go 1\.24/);
  });
});

describe('packages that are missing', () => {
  it('come with the exact command for who is not root', () => {
    expect(missingText(['zstd', 'git'], { root: false, apt: true })).toBe(
      'missing: zstd, git\n  next: sudo apt-get update && sudo apt-get install -y zstd git',
    );
  });

  it('are only named where there is no apt', () => {
    const text = missingText(['zstd'], { root: true, apt: false });
    expect(text).toMatch(/^missing: zstd\n {2}next: install them with the package manager/);
  });
});

describe('a Docker that does not answer', () => {
  const may = { host: undefined, root: true, denied: false };

  it('is started by root', () => {
    expect(whyNotStart(may)).toBeUndefined();
  });

  it('is not started by others, who are told how to', () => {
    expect(whyNotStart({ ...may, root: false })).toContain('next: sudo systemctl start docker');
  });

  it('is not started when it runs and only lets nobody in', () => {
    expect(whyNotStart({ ...may, root: false, denied: true })).toContain('usermod -aG docker');
  });

  it('is not started in place of another that was asked for', () => {
    expect(whyNotStart({ ...may, host: 'tcp://example' })).toContain('DOCKER_HOST=tcp://example');
  });
});
