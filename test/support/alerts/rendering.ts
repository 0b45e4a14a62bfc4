import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium } from 'playwright-core';

/** Where Debian and the like put it; CHROMIUM names another. */
export const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

/** As Teams shows cards, in light and dark; its own host configuration is not public. */
const hosts = {
  light: {
    page: '#f5f5f5',
    card: '#ffffff',
    text: '#242424',
    subtle: '#616161',
    emphasis: '#f0f0f0',
    good: '#237b4b',
    warning: '#835c00',
    attention: '#c4314b',
  },
  dark: {
    page: '#1f1f1f',
    card: '#292929',
    text: '#ffffff',
    subtle: '#adadad',
    emphasis: '#3d3d3d',
    good: '#92c353',
    warning: '#f8d22a',
    attention: '#f9526b',
  },
} as const;
export type Theme = keyof typeof hosts;

/** A page in which Microsoft's own renderer draws a card. */
export function cardPage(card: unknown, theme: Theme): string {
  const host = hosts[theme];
  const script = readFileSync(
    createRequire(import.meta.url).resolve('adaptivecards/dist/adaptivecards.min.js'),
    'utf8',
  );
  const colours = Object.fromEntries(
    Object.entries({
      default: host.text,
      accent: host.text,
      good: host.good,
      warning: host.warning,
      attention: host.attention,
    }).map(([name, colour]) => [name, { default: colour, subtle: host.subtle }]),
  );
  const config = {
    fontFamily: "'Segoe UI', system-ui, sans-serif",
    supportsInteractivity: true,
    containerStyles: {
      default: { backgroundColor: host.card, foregroundColors: colours },
      emphasis: { backgroundColor: host.emphasis, foregroundColors: colours },
    },
    actions: { actionsOrientation: 'horizontal', actionAlignment: 'left' },
  };
  const json = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c');
  return `<!doctype html><meta charset="utf-8"><style>
body { background: ${host.page}; margin: 0; padding: 16px } #card { width: 560px; border-radius: 6px; overflow: hidden }
button { font: inherit; padding: 6px 14px; border: 1px solid ${host.subtle}; background: none; color: ${host.text}; border-radius: 4px; margin-right: 8px }
</style><div id="card"></div><script>${script}</script><script>
const card = new AdaptiveCards.AdaptiveCard();
card.hostConfig = new AdaptiveCards.HostConfig(${json(config)});
card.parse(${json(card)});
document.getElementById('card').appendChild(card.render());
</script>`;
}
