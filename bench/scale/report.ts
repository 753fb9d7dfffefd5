import { formatSpread } from '../statistics.ts';
import { formatTable } from '../table.ts';
import type { KeyCost } from './keys.ts';
import type { Exactness } from './limits.ts';
import type { ScaleRow } from './linear.ts';
import type { OperationFigures } from './operations.ts';
import type { RedisUse } from './redis.ts';
import type { StreamCost } from './stream-counts.ts';

export interface ScaleFigures {
  operations?: OperationFigures;
  gateways?: readonly ScaleRow[];
  limits?: readonly Exactness[];
  streams?: readonly StreamCost[];
  keys?: readonly KeyCost[];
}

export function formatScale({ operations, gateways, limits, streams, keys }: ScaleFigures): string {
  const parts = [
    operations && operationsTable(operations),
    gateways && gatewaysTable(gateways),
    limits && limitsTable(limits),
    streams && streamsTable(streams),
    keys && keysTable(keys),
  ];
  return parts.filter((part) => part !== undefined).join('\n');
}

function operationsTable({ idle, idleInRollout, features }: OperationFigures): string {
  const use = ({ roundTrips, commands, microseconds, bytesIn, bytesOut }: RedisUse) => [
    roundTrips.toFixed(2),
    commands.toFixed(1),
    microseconds.toFixed(0),
    bytesIn.toFixed(0),
    bytesOut.toFixed(0),
  ];
  const redis = ['round trips', 'commands', 'its µs', 'bytes in', 'bytes out'];
  return [
    'What one request costs Redis, and the bytes of its gateway',
    formatTable([
      ['', ...redis, 'gateway read', 'wrote', 'of that log'],
      ...features.map(({ feature, redis: used, bytesRead, bytesWritten, logBytes }) => [
        feature,
        ...use(used),
        ...[bytesRead, bytesWritten, logBytes].map((bytes) => bytes.toFixed(0)),
      ]),
    ]),
    'What a gateway that nobody asks costs Redis, a second',
    formatTable([
      ['', ...redis],
      ['no rollout', ...use(idle)],
      ['one rollout', ...use(idleInRollout)],
    ]),
  ].join('\n');
}

function gatewaysTable(rows: readonly ScaleRow[]): string {
  const base = rows[0]?.gateway.median ?? Number.NaN;
  const cells = rows.map(({ gateways, gateway, redis, roundTrips, perSecond, waited, failed }) => [
    String(gateways),
    formatSpread(perSecond),
    formatSpread(gateway),
    (gateway.median / base).toFixed(2),
    formatSpread(redis),
    formatSpread(roundTrips, 2),
    formatSpread(waited, 1),
    String(failed),
  ]);
  const headings = ['gateways', 'requests/s', 'µs a request', 'to one', 'Redis µs', 'round trips', 'waited', 'failed'];
  return `Processor time of a request at the same rate a gateway\n${formatTable([headings, ...cells])}`;
}

function limitsTable(rows: readonly Exactness[]): string {
  const cells = rows.map(({ limit, asked, granted, least, most }) => [
    limit,
    String(asked),
    String(granted),
    least === most ? String(most) : `${least} to ${most}`,
    granted >= least && granted <= most ? 'exact' : 'WRONG',
  ]);
  return `Limits, counted by all gateways together\n${formatTable([['limit', 'asked', 'granted', 'by one counter', ''], ...cells])}`;
}

function streamsTable(rows: readonly StreamCost[]): string {
  const cells = rows.map(({ underWay, microseconds }) => [String(underWay), formatSpread(microseconds, 1)]);
  return `Redis µs to count a request and its end, by answers of its tenant under way\n${formatTable([['under way', 'µs'], ...cells])}`;
}

function keysTable(rows: readonly KeyCost[]): string {
  const cells = rows.map(({ tenants, microseconds }) => [String(tenants), formatSpread(microseconds, 1)]);
  return `Processor µs of a gateway to know a tenant by its key\n${formatTable([['tenants', 'µs'], ...cells])}`;
}
