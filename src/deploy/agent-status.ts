import { z } from 'zod';

/** The part of `cilium-dbg status -o json` that proves an acceleration (upstream §5). */
export interface AgentStatus {
  readonly state: string;
  /** `Native`, `None`, … : what the agent is configured to, so links are looked at too. */
  readonly acceleration: string | undefined;
  /** State of VXLAN acceleration; undefined when the agent does not speak of it. */
  readonly vxlan: string | undefined;
}

const status = z.object({
  cilium: z.object({ state: z.string() }),
  'kube-proxy-replacement': z
    .object({
      features: z
        .object({ nodePort: z.object({ acceleration: z.string().optional() }).optional() })
        .optional(),
    })
    .optional(),
  'vxlan-acceleration': z.object({ state: z.string() }).optional(),
});

/** @returns undefined when the text is not the status of an agent */
export function parseAgentStatus(text: string): AgentStatus | undefined {
  const parsed = status.safeParse(json(text));
  if (!parsed.success) return undefined;
  const { cilium, 'kube-proxy-replacement': proxy, 'vxlan-acceleration': vxlan } = parsed.data;
  return {
    state: cilium.state,
    acceleration: proxy?.features?.nodePort?.acceleration,
    vxlan: vxlan?.state,
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
