import { describe, expect, it } from 'vitest';
import {
  isDown,
  problemsOf,
  statusText,
  type LabState,
  type NodeState,
} from '../../../lab/status.ts';

function node(name: string, change: Partial<NodeState> = {}): NodeState {
  const unit = name === 'master' ? 'k3s' : 'k3s-agent';
  return { name, unit, container: 'running', port: 1, wrote: 1, k3s: 'active', ...change };
}

const TABLE = 'NAME     STATUS\nmaster   Ready\nworker   Ready';

function lab(change: Partial<LabState> = {}): LabState {
  return {
    docker: true,
    nodes: [node('master'), node('worker')],
    kubernetes: { ok: true, text: TABLE },
    ...change,
  };
}

describe('what is wrong with a lab', () => {
  it('is nothing when every part runs', () => {
    expect(problemsOf(lab())).toEqual([]);
    expect(statusText(lab())).toContain(TABLE);
  });

  it('is nothing when nodes are bare and have no K3s', () => {
    const nodes = ['master', 'worker'].map((name) => node(name, { bare: true, k3s: 'inactive' }));
    const bare = lab({ nodes, kubernetes: { ok: false, text: 'no kubeconfig' } });
    expect(problemsOf(bare)).toEqual([]);
    expect(statusText(bare)).toContain('ciliumship k3s install');
  });

  it.each<[string, Partial<LabState>, string]>([
    ['no Docker', { docker: false, nodes: [] }, 'Docker is not running'],
    [
      'a node without a container',
      { nodes: [node('master'), node('worker', { container: 'none' })] },
      'worker has no container',
    ],
    [
      'a node that is off',
      { nodes: [node('master'), node('worker', { container: 'stopped' })] },
      'worker is switched off',
    ],
    [
      'another port after a restart',
      { nodes: [node('master', { port: 2 }), node('worker')] },
      'master has its sshd at port 2, but the ssh config says 1',
    ],
    [
      'no ssh config',
      { nodes: [node('master'), node('worker', { wrote: undefined })] },
      'worker has its sshd at port 1, but the ssh config names no port',
    ],
    [
      'a K3s that failed',
      { nodes: [node('master'), node('worker', { k3s: 'failed' })] },
      'worker has k3s-agent failed',
    ],
    [
      'an API server that is silent',
      { kubernetes: { ok: false, text: 'connection refused' } },
      'the API server does not answer: connection refused',
    ],
    [
      'a node that never joined',
      { kubernetes: { ok: true, text: 'NAME   STATUS\nmaster Ready' } },
      'worker is no node of the cluster',
    ],
  ])('is named: %s', (_, change, problem) => {
    expect(problemsOf(lab(change))).toEqual([problem]);
  });

  it('is shown below the nodes, with what to do', () => {
    const text = statusText(lab({ nodes: [node('master', { k3s: 'failed' }), node('worker')] }));
    expect(text).toMatch(
      /^master .*\nworker .*\n\nmaster has k3s failed\n {2}next: npm run lab -- up$/,
    );
  });

  it('is not asked of a lab that is down', () => {
    const none = lab({
      nodes: ['master', 'worker'].map((name) => node(name, { container: 'none' })),
    });
    expect(isDown(none)).toBe(true);
    expect(statusText(none)).toBe('the lab is down\n  next: npm run lab -- up');
    const mute = statusText(lab({ docker: false, nodes: [] }));
    expect(mute).toMatch(/^the lab is down: no Docker answers\n/);
  });
});
