import { PreambleError } from '../../errors.ts';
import type { Device } from '../../graph/session.ts';
import type { ModelConfig } from '../../model/config.ts';
import { type MemoryShape, trainingBytes } from './memory.ts';

/** What the steps are expected to need, and what there is. */
export interface TrainingMemory {
  readonly bytes: number;
  /** Of the machine, or of the container where its limit is lower. */
  readonly availableBytes: number;
}

/**
 * Said before hours of preparation, not by the kernel's killer after them. On another device the figure is told and not held against
 * anything: nobody asks the device here how much it has. Throws `memory_short`.
 */
export function checkMemory(
  config: ModelConfig,
  shape: MemoryShape,
  device: Device,
  availableBytes = process.availableMemory(),
): TrainingMemory {
  const bytes = trainingBytes(config, shape);
  if (device !== 'cpu' || bytes <= availableBytes) return { bytes, availableBytes };
  throw new PreambleError(
    'memory_short',
    `Training needs about ${gigabytes(bytes)} of memory, and ${gigabytes(availableBytes)} are free.`,
    { action: remedy(config, shape, availableBytes) },
  );
}

/** The largest micro-batch that fits, if one does. */
function remedy(config: ModelConfig, shape: MemoryShape, availableBytes: number): string {
  const perRow = shape.positions / shape.rows;
  for (let rows = shape.rows - 1; rows >= 1; rows--) {
    const bytes = trainingBytes(config, { ...shape, rows, positions: rows * perRow });
    if (bytes <= availableBytes) return `With --micro-batch ${rows} it needs ${gigabytes(bytes)}.`;
  }
  const least = trainingBytes(config, { ...shape, rows: 1, positions: perRow });
  return `Even with --micro-batch 1 it needs ${gigabytes(least)}: train on a larger machine, or raise the container's limit.`;
}

export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
