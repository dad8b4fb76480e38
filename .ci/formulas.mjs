// Draws every formula of a notebook's markdown cells with KaTeX, one object of macros shared by all cells as in VS Code,
// twice, since an editor draws a cell again: node formulas.mjs FOLDER_WITH_KATEX NOTEBOOK. Exit code 1 if one fails.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, notebook] = process.argv.slice(2);
const katex = createRequire(resolve(folder, "package.json"))("katex");
const macros = {};
let drawn = 0;
let failed = 0;
const cells = JSON.parse(readFileSync(notebook, "utf8")).cells.filter((cell) => cell.cell_type === "markdown");
for (const cell of [...cells, ...cells]) {
  const text = [cell.source].flat().join("").replace(/```[\s\S]*?```|`[^`\n]*`/g, "");
  for (const [, display, inline] of text.matchAll(/\$\$([\s\S]+?)\$\$|\$([^$]+?)\$/g)) {
    drawn += 1;
    try {
      katex.renderToString(display ?? inline, { displayMode: Boolean(display), macros, globalGroup: true, strict: "ignore" });
    } catch (error) {
      failed += 1;
      console.log(`${cell.id}: ${error.message}`);
    }
  }
}
console.log(`${drawn} formulas drawn, ${failed} failed`);
process.exit(failed || !drawn ? 1 : 0);
