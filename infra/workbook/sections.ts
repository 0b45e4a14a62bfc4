/** What owners see: the words, and which columns of which query they head. How Azure wants it is in `workbook.ts`. */

export type Formatter = { columnMatch: string; formatter: number; formatOptions: object };

export interface View {
  title: string;
  /** File in `infra/queries`, without its ending. */
  query: string;
  /** Shown when the query gives nothing: often that is good news. */
  empty: string;
  /** Column → heading; without it the columns that a chart is drawn of. */
  columns?: Record<string, string>;
  formatters?: Formatter[];
  chart?: { kind: 'timechart' | 'barchart'; x: string; y: string[]; group?: string };
  /** Percent of the width. */
  width?: number;
}

const state: Formatter = {
  columnMatch: 'state',
  formatter: 18,
  formatOptions: {
    thresholdsOptions: 'icons',
    thresholdsGrid: [
      threshold('==', 'succeeded', 'success'),
      threshold('==', 'skipped', 'disabled'),
      threshold('==', 'cancelled', 'disabled'),
      threshold('==', 'missed', '3'),
      threshold('Default', null, '4'),
    ],
  },
};
const heat = (columnMatch: string, max: number): Formatter => {
  return { columnMatch, formatter: 8, formatOptions: { min: 0, max, palette: 'greenRed' } };
};

export const sections: { title: string; about: string; views: View[] }[] = [
  {
    title: 'All jobs, worst first',
    about: 'A run that was expected counts as not done when it failed after its retries, or was not started at all.',
    views: [
      {
        title: 'How each job did',
        query: 'overview',
        empty: 'No run in this time.',
        columns: {
          job: 'Job',
          tier: 'Tier',
          owner: 'Owner',
          notDone: 'Not done %',
          runs: 'Runs',
          failed: 'Failed',
          missed: 'Missed',
          skipped: 'Skipped',
          usualSeconds: 'Usually takes, s',
          slowSeconds: 'Slow ones take, s',
          newest: 'Last run',
          state: 'Its outcome',
          error: 'Its error',
        },
        formatters: [heat('notDone', 100), state],
      },
      {
        title: 'Share of runs that failed, day by day, %',
        query: 'failure-rate',
        empty: 'No run in this time.',
        chart: { kind: 'timechart', x: 'day', y: ['failureRate'], group: 'job' },
        width: 50,
      },
      {
        title: 'What fails most often',
        query: 'errors',
        empty: 'Nothing failed in this time.',
        columns: {
          errorClass: 'Kind',
          job: 'Job',
          error: 'Error',
          times: 'Times',
          oldest: 'First seen',
          newest: 'Last seen',
        },
        width: 50,
      },
    ],
  },
  {
    title: 'Every run',
    about: 'Choose a job above to see its runs alone. Skipped and missed runs are here as well, with the reason.',
    views: [
      {
        title: 'Runs, newest first',
        query: 'executions',
        empty: 'No run in this time.',
        columns: {
          ended: 'Ended',
          job: 'Job',
          state: 'Outcome',
          slot: 'Was for',
          trigger: 'Started by',
          lateSeconds: 'Started late by, s',
          seconds: 'Took, s',
          attempts: 'Attempts',
          warnings: 'Warnings',
          why: 'Why',
          run: 'Run',
        },
        formatters: [state],
      },
    ],
  },
  {
    title: 'How long it takes, and what it needs',
    about: 'Half of the runs take at most the usual time; 95 of 100 at most the slow one.',
    views: [
      {
        title: 'Usual duration, day by day, s',
        query: 'duration',
        empty: 'No run succeeded in this time.',
        chart: { kind: 'timechart', x: 'day', y: ['usualSeconds'], group: 'job' },
        width: 50,
      },
      {
        title: 'Slow runs, day by day, s',
        query: 'duration',
        empty: 'No run succeeded in this time.',
        chart: { kind: 'timechart', x: 'day', y: ['slowSeconds'], group: 'job' },
        width: 50,
      },
      {
        title: 'Memory, processor time and log',
        query: 'resources',
        empty: 'No attempt left a result in this time.',
        columns: {
          job: 'Job',
          memoryPercent: 'Of its memory %',
          memoryMb: 'Memory, MB',
          memoryLimitMb: 'May use, MB',
          cpuSeconds: 'Processor time, s',
          logKb: 'Log, KB',
          attempts: 'Attempts',
        },
        formatters: [heat('memoryPercent', 100)],
      },
    ],
  },
  {
    title: 'Whether it is on time',
    about:
      'A start more than a minute after its slot is late. Missed: not started at all. Overdue: ended after it had to.',
    views: [
      {
        title: 'Late, missed and overdue',
        query: 'lateness',
        empty: 'No run in this time.',
        columns: {
          job: 'Job',
          starts: 'Starts',
          late: 'Late',
          slowStartSeconds: 'Slow starts, s',
          missed: 'Missed',
          overdue: 'Overdue',
          worstOverdueSeconds: 'Overdue by at most, s',
        },
        width: 50,
      },
      {
        title: 'Slow starts, day by day, s',
        query: 'start-lag',
        empty: 'No scheduled run started in this time.',
        chart: { kind: 'timechart', x: 'day', y: ['slowSeconds'], group: 'job' },
        width: 50,
      },
    ],
  },
  {
    title: 'Whether results drift',
    about:
      'A finding is a change that chance hardly explains; it has an alert. Figures that only stand out are worth a look, no more.',
    views: [
      {
        title: 'Findings, newest first',
        query: 'findings',
        empty: 'Nothing has drifted in this time.',
        columns: {
          since: 'Since about',
          job: 'Job',
          state: 'State',
          metric: 'Figure',
          metrics: 'Figures in all',
          usual: 'Usual',
          now: 'Now',
          cause: 'Likeliest cause',
          sentence: 'What happened, and what to do',
        },
      },
      {
        title: 'Findings by the day on which they began',
        query: 'finding-days',
        empty: 'Nothing has drifted in this time.',
        chart: { kind: 'barchart', x: 'day', y: ['findings'], group: 'job' },
        width: 50,
      },
      {
        title: 'Figure of the newest finding, and its usual range',
        query: 'baseline',
        empty: 'No finding of a figure that a script reports.',
        chart: { kind: 'timechart', x: 'slot', y: ['value', 'usualLow', 'usualHigh'] },
        width: 50,
      },
      {
        title: 'Figures that stand out',
        query: 'drift',
        empty: 'Nothing stands out, or there are fewer than 8 runs.',
        columns: {
          slot: 'Was for',
          job: 'Job',
          metric: 'Figure',
          value: 'Value',
          usual: 'Expected',
          score: 'How far out',
          direction: 'Side',
          run: 'Run',
        },
        width: 50,
      },
      {
        title: 'All figures',
        query: 'metrics',
        empty: 'No job reported a figure in this time.',
        chart: { kind: 'timechart', x: 'TimeGenerated', y: ['value'], group: 'series' },
        width: 50,
      },
    ],
  },
  {
    title: 'The service itself',
    about: 'For IT: whether Lamplighter is well. Each of these has an alert as well.',
    views: [
      {
        title: 'Ticks in an hour: 60 when all goes well',
        query: 'heartbeat',
        empty: 'No tick in this time: nothing is being started.',
        chart: { kind: 'barchart', x: 'hour', y: ['ticks'] },
        width: 50,
      },
      {
        title: 'Secrets that need attention',
        query: 'secret-expiry',
        empty: 'None was reported in this time.',
        columns: {
          secret: 'Secret',
          problem: 'Problem',
          days: 'Days left',
          expiresOn: 'Expires',
          jobs: 'Jobs',
          error: 'Error',
        },
        width: 50,
      },
      {
        title: 'Trouble that stays',
        query: 'trouble',
        empty: 'None.',
        columns: { category: 'Kind', doing: 'While', error: 'Error', times: 'Times', newest: 'Last seen' },
        width: 50,
      },
      {
        title: 'Exceptions',
        query: 'exceptions',
        empty: 'None.',
        columns: {
          OperationName: 'Function',
          ExceptionType: 'Kind',
          OuterMessage: 'Message',
          ProblemId: 'Where',
          times: 'Times',
          newest: 'Last seen',
        },
        width: 50,
      },
      {
        title: 'Launches set aside',
        query: 'poison',
        empty: 'None.',
        columns: { setAside: 'Launches', newest: 'Last seen' },
        width: 50,
      },
    ],
  },
];

function threshold(operator: string, thresholdValue: string | null, representation: string) {
  return { operator, thresholdValue, representation, text: '{0}{1}' };
}
