import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { write } from '../../functions/invocation.ts';
import type { Event } from '../../shared/events.ts';
import { newRun } from '../../shared/run/run.ts';

const root = join(import.meta.dirname, '../..');
const host = JSON.parse(readFileSync(join(root, 'host.json'), 'utf8')) as {
  logging: {
    logLevel: Record<string, string>;
    applicationInsights: {
      enableDependencyTracking: boolean;
      enablePerformanceCountersCollection: boolean;
      samplingSettings: { excludedTypes: string };
    };
  };
};

/** As .NET picks it: the longest category that the name begins with, else the default (ILoggerFactory filter rules). */
function levelOf(category: string): string | undefined {
  const { default: otherwise, ...levels } = host.logging.logLevel;
  const fits = Object.keys(levels).filter((name) => category === name || category.startsWith(`${name}.`));
  const longest = fits.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? otherwise : levels[longest];
}

describe('host.json', () => {
  // 140 of 148 KB a minute with no job at all, measured in host 4.1037.
  test.each([
    'Azure.Core',
    'Azure.Core.1',
    'Azure.Identity',
    'Azure.Storage.Queues',
  ])('keeps lines of %s out of Application Insights', (category) => {
    expect(levelOf(category)).toBe('Warning');
  });

  // Two lines an invocation, which say what its request says as well; 86,400 invocations a month.
  test.each([
    'tick',
    'watch',
  ])('keeps the beginning and end of each %s out, but neither its own lines nor failures', (name) => {
    expect(levelOf(`Function.${name}`)).toBe('Warning');
    expect(levelOf(`Function.${name}.User`)).toBe('Information');
  });

  test('sends nothing each minute that no query reads', () => {
    const { enableDependencyTracking, enablePerformanceCountersCollection } = host.logging.applicationInsights;
    expect({ enableDependencyTracking, enablePerformanceCountersCollection }).toEqual({
      enableDependencyTracking: false,
      enablePerformanceCountersCollection: false,
    });
  });

  test('samples neither requests nor exceptions nor events, of which runs are', () => {
    expect(host.logging.applicationInsights.samplingSettings.excludedTypes.split(';').sort()).toEqual([
      'Event',
      'Exception',
      'Request',
    ]);
  });

  test.each([
    'Function.launch',
    'Function.launch.User',
    'Function.daily',
    'Host.Results',
    'Host.Startup',
    'Worker.rpc.1',
  ])('lets %s through', (category) => {
    expect(levelOf(category)).toBe('Information');
  });
});

describe('an event in the log of the app', () => {
  const run = newRun('score', 0, 'schedule', 0);
  const levelled = (event: Event) => {
    const lines: string[] = [];
    write(
      { log: (line: string) => lines.push(`log ${line}`), warn: (line: string) => lines.push(`warn ${line}`) },
      event,
    );
    return lines.join();
  };

  test('is a warning when an operator must act', () => {
    expect(levelled({ type: 'launch-unreadable', text: 'x' })).toMatch(/^warn a message in the launch queue/);
    expect(levelled({ type: 'trouble', doing: 'ticking', error: new Error('x') })).toMatch(/^warn trouble/);
    expect(levelled({ type: 'secret-unusable', secret: 's', jobs: ['a'], error: 'is missing' })).toMatch(/^warn/);
  });

  test('is information when all goes well', () => {
    expect(levelled({ type: 'attempt-started', run })).toMatch(/^log /);
    expect(levelled({ type: 'ticked', host: 'h', jobs: 1, behindMs: 0, tookMs: 1, setAside: 0 })).toBe('');
  });
});
