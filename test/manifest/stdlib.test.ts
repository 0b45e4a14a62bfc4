import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { canBeShadowed, isStdlib, needs } from '../../shared/manifest/stdlib.ts';

const python = (program: string) =>
  execFileSync('python3', ['-I', '-c', program], { encoding: 'utf8' }).trim().split(' ');

describe("the names of Python's own modules", () => {
  it('are those of the Python that is here', () => {
    const names = python('import sys; print(*sys.stdlib_module_names)');
    expect(names.filter((name) => !isStdlib(name))).toEqual([]);
    expect(['pandas', 'main', 'constructor', '__proto__', ''].filter(isStdlib)).toEqual([]);
  });

  it('are free where the module is there before any script', () => {
    for (const name of ['sys', 'time', 'os', 'io', 'builtins']) expect(canBeShadowed(name), name).toBe(false);
    for (const name of ['email', 'types', 'random', 'queue', 'json']) expect(canBeShadowed(name), name).toBe(true);
  });

  it.each([
    ['urllib', 'email'],
    ['concurrent', 'queue'],
    ['dataclasses', 'types'],
    ['tempfile', 'random'],
    ['csv', 'io'],
  ])('%s needs %s, as importing it shows', (name, wanted) => {
    expect(needs(name, wanted)).toBe(true);
    const whole: Record<string, string> = { urllib: 'urllib.request', concurrent: 'concurrent.futures.thread' };
    expect(python(`import sys, ${whole[name] ?? name}; print(*sys.modules)`)).toContain(wanted);
  });

  it('are not needed by what does not import them', () => {
    expect(needs('math', 'email')).toBe(false);
    expect(needs('no such module', 'email')).toBe(false);
  });
});
