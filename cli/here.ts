import { setTimeout as sleep } from 'node:timers/promises';
import type { Instant } from '../shared/instant.ts';
import type { Client } from './client.ts';
import { findHome, type Home } from './home.ts';
import { Refusal } from './refusal.ts';

/** Where a command works: a folder with jobs, and the service that it asks. */
export interface Here {
  home: Home;
  /** The service: that of this folder, or of an app in Azure. @param by who acts, when it is another than the user */
  connect(by?: string): Promise<Client>;
  /** Whether that is an app in Azure. */
  isRemote(): Promise<boolean>;
  now(): Instant;
  sleep(ms: number): Promise<void>;
}

/** Options of `lamp` itself, before or after the command. */
export interface Flags {
  home?: string;
  app?: string;
  deviceCode?: boolean;
}

export function hereOf(flags: Flags): Here {
  const home = findHome(flags.home);
  return {
    home,
    async connect(by) {
      const { connect } = await import('./connect.ts');
      const { deviceCode = false } = flags;
      return connect(home, { ...meant(flags), deviceCode, ...(by !== undefined && { by }) });
    },
    async isRemote() {
      const { findApp } = await import('./app.ts');
      return (await findApp(meant(flags).app ?? process.env.LAMPLIGHTER_APP)) !== undefined;
    },
    now: Date.now,
    sleep: (ms) => sleep(ms),
  };
}

/** A folder that is named means its own host, whatever `lamp use` chose; an app that is named comes first. */
function meant({ home, app }: Flags): { app?: string } {
  if (app !== undefined) return { app };
  return home === undefined ? {} : { app: 'here' };
}

/** The folder for a command that is about this machine alone. @throws Refusal when an app was named for it */
export function machineOf(command: string, { home, app }: Flags): Home {
  if (app !== undefined && app !== 'here') {
    throw new Refusal(`lamp ${command} is about this machine and its folder: call it without --app.`);
  }
  return findHome(home);
}
