/** A size that Container Apps gives on its Consumption plan, as its API writes it. */
export interface ContainerSize {
  /** vCPU. */
  cpu: number;
  /** `1Gi`. */
  memory: string;
}

const gibibyte = 1024 ** 3;
const step = 0.25;
const most = 4;

/**
 * The smallest size that has both. The Consumption plan gives 0.25 to 4 vCPU in steps of 0.25, each with twice as many
 * GiB of memory (Microsoft, "Containers in Azure Container Apps", allocations).
 * @param cpu vCPU
 * @returns undefined when no size has so much
 */
export function containerSize(cpu: number, memoryBytes: number): ContainerSize | undefined {
  const wanted = Math.max(cpu, memoryBytes / gibibyte / 2, step);
  const given = Math.ceil(wanted / step) * step;
  return given > most ? undefined : { cpu: given, memory: `${given * 2}Gi` };
}
