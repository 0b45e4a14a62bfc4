import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/** For bundles: zod brings its messages in fifty languages, and we print English alone. */
export const english: Plugin = {
  name: 'english',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ path, resolveDir }) => {
      const full = join(resolveDir, path);
      // By its name among the packages: what a bundle is made from says nothing of the machine.
      const name = full.slice(full.lastIndexOf('node_modules'));
      return resolveDir.includes('zod') ? { path: name, namespace: 'english', pluginData: dirname(full) } : undefined;
    });
    onLoad({ filter: /./, namespace: 'english' }, ({ pluginData }) => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: pluginData,
    }));
  },
};
