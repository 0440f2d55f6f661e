import { z } from 'zod';
import { readJson } from '../core/json.ts';

/** The part of `cilium-dbg status -o json` that proves an acceleration (upstream §5). */
export interface AgentStatus {
  readonly state: string;
  /** `Native`, `None`, … : what the agent is configured to, so links are looked at too. */
  readonly acceleration: string | undefined;
  /** State of VXLAN acceleration; undefined when the agent does not speak of it. */
  readonly vxlan: string | undefined;
  /** Interfaces that the agent chose; undefined when it does not say. */
  readonly devices: readonly string[] | undefined;
  /** How it finds the API server: `Ok`, `Failure`; undefined when it does not say. */
  readonly kubernetes: string | undefined;
}

const status = z.object({
  cilium: z.object({ state: z.string() }),
  kubernetes: z.object({ state: z.string().optional() }).optional(),
  'kube-proxy-replacement': z
    .object({
      deviceList: z.array(z.object({ name: z.string() })).nullish(),
      features: z
        .object({ nodePort: z.object({ acceleration: z.string().optional() }).optional() })
        .optional(),
    })
    .optional(),
  'vxlan-acceleration': z.object({ state: z.string() }).optional(),
});

/** @returns undefined when the text is not the status of an agent */
export function parseAgentStatus(text: string): AgentStatus | undefined {
  const found = readJson(status, text);
  if (found === undefined) return undefined;
  const {
    cilium,
    kubernetes,
    'kube-proxy-replacement': proxy,
    'vxlan-acceleration': vxlan,
  } = found;
  return {
    state: cilium.state,
    acceleration: proxy?.features?.nodePort?.acceleration,
    vxlan: vxlan?.state,
    devices: proxy?.deviceList?.map(({ name }) => name),
    kubernetes: kubernetes?.state,
  };
}
