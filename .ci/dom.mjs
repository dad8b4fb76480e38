// A browser's globals, for packages that expect them as soon as they are loaded.
import { createRequire } from 'node:module';
const { JSDOM } = createRequire(process.argv[1])('jsdom');
const { window } = new JSDOM('<!doctype html><body></body>', { url: 'http://localhost/', pretendToBeVisual: true });
for (const name of Object.getOwnPropertyNames(window)) {
  if (!(name in globalThis)) Object.defineProperty(globalThis, name, { get: () => window[name], configurable: true });
}
